package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/web/webtest"
)

// ledgerSays waits for an event of the newest change, by its words and by whom.
func ledgerSays(s *webtest.Screen, event, by string) {
	s.Run(webtest.Click("[data-tab=ledger]"))
	s.Until(fmt.Sprintf(`[...document.querySelectorAll(".events li")].some(l => l.innerText.includes(%q) && l.innerText.includes(%q))`, event, by))
}

// replace writes over what stands in an input of a form.
func replace(s *webtest.Screen, label, text string) {
	s.Run(webtest.Script(`document.querySelector(%q).select()`, s.Input(label)), webtest.Keys(s.Input(label), text))
}

// wrong waits until a complaint stands at an input.
func wrong(s *webtest.Screen, label, complaint string) {
	s.Until(fmt.Sprintf(`[...document.querySelectorAll("dialog .field")].some(f => f.innerText.startsWith(%q) && f.innerText.includes(%q) && f.querySelector("[aria-invalid=true]"))`, label, complaint))
}

// trouble switches a trouble of the panel, by its words.
func trouble(s *webtest.Screen, words string, on bool) {
	s.Run(webtest.Click("[data-tab=outside]"))
	find := fmt.Sprintf(`[...document.querySelectorAll(".switch")].find(l => l.textContent.includes(%q))?.querySelector("input")`, words)
	s.Until(find + " !== undefined")
	s.Run(webtest.Script("(%s).click()", find))
	s.Until(fmt.Sprintf(`[...document.querySelectorAll(".switch")].find(l => l.textContent.includes(%q))?.querySelector("input").checked === %t`, words, on))
}

// inTime waits for words in a message, and moves the clock by the page's button
// meanwhile: what failed is tried again by the clock.
func inTime(s *webtest.Screen, words string) {
	for range 2 { // the access must come within 30 minutes of its approval
		if s.Soon(message(words), 4*time.Second) {
			return
		}
		s.Press("+Forward 10 min")
	}
	says(s, words)
}

func TestInABrowserTheDeputyDecidesAboutTheCTO(t *testing.T) {
	ctx, a, s := look(t)
	s.Press("Leave the tour")
	s.Be(sandbox.CTO)
	s.Visit(sandbox.Channel)
	fill(s, "30")
	s.Press("Request")
	formGone(s)
	says(s, "EC-1")

	s.Be(sandbox.Deputy)
	s.Visit("direct")
	approve(s)
	s.Sees("CTO has BreakGlassAdmin")
	if a.dm(sandbox.CTO, "Approve") != nil {
		t.Error("the CTO was asked to approve their own change")
	}

	s.Be(sandbox.CTO)
	s.Press("Finish")
	s.Run(webtest.Keys(s.Input("What was done"), "Restarted the queue by hand"), webtest.Keys(s.Input("Why"), "The release process could not"))
	s.Press("Save")
	formGone(s)

	s.Be(sandbox.Deputy)
	s.Press("Sign off")
	says(s, "sign-off done")
	ledgerSays(s, "signed off", "Deputy")
	if a.dm(sandbox.CTO, "Sign off") != nil {
		t.Error("the CTO was asked to sign off their own change")
	}
	gone(ctx, t, a)
	settled(ctx, t, a, 0)
}

// gone waits until AWS lists no access any more.
func gone(ctx context.Context, t *testing.T, a act) {
	t.Helper()
	must(t, func() error {
		return a.elapse(ctx, "the access is gone", 5*time.Second, func() bool { return len(a.world.AWS.Assignments()) == 0 })
	})
}

func TestInABrowserAMistakeStandsAtItsInputAndNothingTypedIsLost(t *testing.T) {
	ctx, a, s := look(t)
	s.Press("Leave the tour")
	fill(s, "1h")
	mark(s, "Link an existing ticket")
	s.Run(webtest.Keys(s.Input("Ticket"), "OPS-999"))
	replace(s, "Why is it needed now?", kb.Backspace)
	s.Press("Request")
	wrong(s, "Why is it needed now?", "required")
	replace(s, "Why is it needed now?", "Orders are not being processed")
	s.Press("Request")
	wrong(s, "Ticket", "There is no ticket OPS-999")
	s.Pictures("mistake")
	for label, want := range map[string]string{
		"What will you change?": "Restart the stuck message queue by hand", "Why is it needed now?": "Orders are not being processed",
		"Where": "Production", "Permission set": "BreakGlassAdmin", "Ticket": "OPS-999",
	} {
		if got := webtest.Ask[string](s, fmt.Sprintf(`document.querySelector(%q).value`, s.Input(label))); got != want {
			t.Errorf("%q holds %q after the mistake, want %q", label, got, want)
		}
	}
	if got := webtest.Ask[string](s, fmt.Sprintf(`document.querySelector(%q).selectedOptions[0].text`, s.Input("For how long"))); got != "1h" {
		t.Errorf("it lasts %q after the mistake", got)
	}
	if n := len(a.world.Slack.Messages(sandbox.Channel)); n != 0 {
		t.Errorf("%d messages were posted for a form that was not taken", n)
	}
	key := a.world.Jira.AddIssue(jira.Issue{Project: "OPS", Type: "Task", Summary: "The queue is stuck", Creator: sandbox.CTOAccount})
	replace(s, "Ticket", key)
	s.Press("Request")
	formGone(s)
	says(s, "Ticket: "+key)
	settled(ctx, t, a, 0)
}

func TestInABrowserWhatFailsIsWaitedForAndMadeGood(t *testing.T) {
	ctx, a, s := look(t)
	s.Press("Leave the tour")
	trouble(s, "Jira answers 500", true)
	fill(s, "2h")
	s.Press("Request")
	formGone(s)
	says(s, "Jira: Jira gave no usable answer.")

	trouble(s, "AWS throttles", true)
	s.Be(sandbox.CTO)
	s.Visit("direct")
	approve(s)
	s.Visit(sandbox.Channel)
	says(s, "AWS: AWS is busy just now")
	s.Pictures("trouble")
	trouble(s, "Jira answers 500", false)
	trouble(s, "AWS throttles", false)
	inTime(s, "State: active")
	inTime(s, "Ticket: OPS-")
	s.Until(`![...document.querySelectorAll(".place article")].some(a => a.innerText.includes("Waiting for"))`)
	if n := len(a.world.Jira.Issues()); n != 1 {
		t.Errorf("there are %d tickets after Jira answered again, want 1", n)
	}

	trouble(s, "Slack answers 429", true)
	s.Be(sandbox.Engineer)
	s.Press("Finish")
	s.Until(`document.querySelector("dialog.modal") !== null`)
	s.Press("Close")
	formGone(s)
	gone(ctx, t, a)
	before := a.running()
	s.Press("Kill and restart breakglass")
	must(t, func() error {
		return a.until(ctx, "breakglass runs again", func() bool { return a.running() != before })
	})
	if a.saysOnCard("state: ended") {
		t.Error("the card was edited while Slack took no edits")
	}
	trouble(s, "Slack answers 429", false)
	inTime(s, "State: ended")
	onceEach(t, a)
	settled(ctx, t, a, 0)
}

func TestInABrowserTimeIsMovedAndTheWindowEnds(t *testing.T) {
	ctx, a, s := look(t)
	s.Press("Leave the tour")
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m"})
	s.Sees("Engineer has BreakGlassAdmin")
	says(s, "State: active")
	s.Press("+Forward 1 h")
	says(s, "State: ended")
	s.Sees("Nobody has access")
	gone(ctx, t, a)
	ledgerSays(s, "access gone", "")

	s.Visit("direct")
	s.Press("+Forward 12 h")
	says(s, "your record is owed")
	s.Pictures("reminded")
	s.Press("+Forward 12 h")
	s.Be(sandbox.CTO)
	s.Visit(sandbox.AuditChannel)
	says(s, "overdue")
	settled(ctx, t, a, 0)
}
