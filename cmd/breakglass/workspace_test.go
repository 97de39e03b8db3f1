package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/web/webtest"
)

// pick chooses an option of a plain list of the form, by its words.
func pick(s *webtest.Screen, label, option string) {
	s.Until(fmt.Sprintf(`[...document.querySelector(%q).options].some(o => o.text.startsWith(%q))`, s.Input(label), option))
	s.Run(webtest.Script(`(() => { const i = document.querySelector(%q); i.value = [...i.options].find(o => o.text.startsWith(%q)).value; i.dispatchEvent(new Event("change", {bubbles: true})); })()`, s.Input(label), option))
}

// search chooses in a list that is searched, with the keyboard.
func search(s *webtest.Screen, label, words string) {
	s.Run(webtest.Keys(s.Input(label), words))
	s.Until(fmt.Sprintf(`document.querySelector("dialog [role=option]")?.textContent.startsWith(%q)`, words))
	s.Run(webtest.Keys(s.Input(label), kb.Enter))
	s.Until(fmt.Sprintf(`document.querySelector(%q).value.startsWith(%q)`, s.Input(label), words))
}

func mark(s *webtest.Screen, words string) {
	s.Until(fmt.Sprintf(`[...document.querySelectorAll("dialog label.mark")].some(l => l.textContent.startsWith(%q))`, words))
	s.Run(webtest.Script(`[...document.querySelectorAll("dialog label.mark")].find(l => l.textContent.startsWith(%q)).click()`, words))
}

// formGone waits until the form has been taken.
func formGone(s *webtest.Screen) { s.Until(`document.querySelector("dialog") === null`) }

// next waits until the tour's step is done, and goes on.
func next(s *webtest.Screen) {
	s.Until(`document.querySelector(".tour.done") !== null`)
	s.Press("Next")
}

// look opens the workspace of a stage of its own in a browser. Its tests are not
// parallel, so that each runs alone: browsers beside the other stories would
// starve them.
func look(t *testing.T) (context.Context, act, *webtest.Screen) {
	t.Helper()
	ctx, a := open(t, stageOptions{})
	url, closePage, err := serveWorkspace(ctx, a.stage)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closePage(); err != nil {
			t.Errorf("close the page: %v", err)
		}
	})
	return ctx, a, webtest.Open(t, url, 1280, 900)
}

// fill opens the form and fills it in; what is asked for lasts so long.
func fill(s *webtest.Screen, duration string) {
	s.Command("/emergency")
	mark(s, "The platform cannot recover")
	pick(s, "Kind of change", "Work on production directly")
	s.Run(webtest.Keys(s.Input("What will you change?"), "Restart the stuck message queue by hand"), webtest.Keys(s.Input("Why is it needed now?"), "Orders are not being processed"))
	search(s, "Where", "Production")
	search(s, "Permission set", "BreakGlassAdmin")
	pick(s, "For how long", duration)
}

// approve presses Approve in the messages of whoever is played, and says yes.
func approve(s *webtest.Screen) {
	s.Press("Approve")
	s.Run(webtest.Click("dialog.confirm [data-first]"))
	formGone(s)
}

// says waits for words in a message of the place that is open.
func says(s *webtest.Screen, words string) { s.Until(message(words)) }

func message(words string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".place article")].some(a => a.innerText.includes(%q))`, words)
}

// forReadme shows the page in light at another size for what is done there: the
// README's pictures are taken on the way.
func forReadme(s *webtest.Screen, width, height int64, dots float64, take func()) {
	s.Theme("light")
	s.Resize(width, height, dots)
	take()
	s.Resize(1280, 900, 1)
}

func TestTheTourIsPlayedInABrowser(t *testing.T) {
	ctx, a, s := look(t)
	s.Sees("Ask, as the engineer")
	s.Press("Take me there")
	fill(s, "30")
	s.Pictures("tour-form")
	forReadme(s, 1280, 900, 2, func() {
		s.Run(webtest.Script(`document.activeElement.blur(); document.querySelector("dialog .fields").scrollTop = 0`))
		s.PictureOf("dialog.modal", "readme-form")
	})
	s.Press("Request")
	formGone(s)
	s.Sees("Restart the stuck message queue by hand")
	s.Pictures("tour-asked")
	next(s)

	s.Sees("Approve, as the CTO")
	s.Press("Take me there")
	says(s, "Ticket: OPS-1")
	forReadme(s, 390, 844, 2, func() { s.Picture("readme-approval") })
	approve(s)
	s.Sees("Engineer has BreakGlassAdmin")
	s.Pictures("tour-approved")
	s.Visit(sandbox.Channel)
	says(s, "State: active")
	s.Press("+Forward 10 min")
	s.Sees("for 10 min")
	forReadme(s, 1280, 900, 1.5, func() { s.Picture("readme-workspace") })
	next(s)

	s.Sees("Work, and finish")
	s.Press("Take me there")
	s.Press("Finish")
	s.Until(`document.querySelector("dialog.modal") !== null`)
	s.Press("Close")
	formGone(s)
	s.Run(webtest.Click("[data-tab=ledger]"))
	s.Until(`document.querySelector(".tour.done") !== null`)
	if !webtest.Ask[bool](s, `document.querySelector(".events").innerText.includes("access gone")`) {
		t.Error("the step counts as done, and the time would be moved, before breakglass has seen that the access is gone")
	}
	next(s)

	s.Sees("Forget the record")
	s.Press("+Forward 12 h")
	s.Sees("Remind me later")
	s.Pictures("tour-reminded")
	s.Press("Write record")
	s.Run(webtest.Keys(s.Input("What was done"), "Restarted the queue by hand"), webtest.Keys(s.Input("Why"), "The release process could not"))
	s.Press("Save")
	formGone(s)
	if err := a.until(ctx, "the ticket holds the record", func() bool { return a.ticketSays("Restarted the queue by hand") }); err != nil {
		t.Fatal(err)
	}
	s.Run(webtest.Click("[data-tab=jira]"), webtest.Keys(`.card textarea`, "Approved. Thank you."))
	s.Press("Comment")
	s.Sees("Approved. Thank you.")
	s.Press("+Forward 10 min")
	next(s)

	s.Sees("Review it")
	s.Press("Write review")
	s.Run(webtest.Keys(s.Input("What happened"), "A node was lost"), webtest.Keys(s.Input("Why could"), "It cannot restart nodes"), webtest.Keys(s.Input("What would prevent"), "A restart job"))
	s.Pictures("tour-review")
	s.Run(webtest.Keys(s.Input("Why is no action needed"), "The job exists by now"))
	s.Press("Submit")
	formGone(s)
	s.Until(`document.querySelector(".tour.done") !== null`)
	s.Run(webtest.Click("[data-tab=ledger]"))
	s.Sees("nothing is wrong")
	s.Until(`document.querySelector(".card .badge").textContent === "closed"`)
	s.Pictures("tour-reviewed")
	s.Press("Next")
	s.Sees("That was the tour")
	settled(ctx, t, a, 0)
}
