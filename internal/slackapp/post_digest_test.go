package slackapp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func digestOf(lines ...string) change.Posting {
	return change.Posting{ID: 7, Lines: lines, Delivery: change.Delivery{Kind: change.DeliverDigest, Key: "2026-11", Mode: change.Once}}
}

func TestADigestStandsInTheAuditChannelAndPingsNobody(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	external := b.write(t, digestOf("2 emergency changes: <!channel> & *more*.", "By kind: <@U0ADA> 2."))
	all := b.ws.Messages("C0AUDIT")
	if len(all) != 1 || external == "" {
		t.Fatalf("the audit channel has %d messages; it was written to %q", len(all), external)
	}
	shown := b.ws.RenderMessage("U0CTO", all[0])
	for _, want := range []string{"Emergency changes in November 2026", "<!channel> & *more*.", "By kind: <@U0ADA> 2."} {
		if !strings.Contains(shown, want) {
			t.Errorf("without %q:\n%s", want, shown)
		}
	}
	if want := "Emergency changes in November 2026: 2 emergency changes: &lt;!channel&gt; &amp; *more*."; all[0].Text != want {
		t.Errorf("the notification is %q, want %q", all[0].Text, want)
	}
	slack.RequireNoViolations(t, b.ws)
}

func TestALongDigestIsWithinSlacksLimits(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprint(i, " ", strings.Repeat("<&>", 2000)))
	}
	b.write(t, digestOf(lines...))
	slack.RequireNoViolations(t, b.ws)
}

func TestADigestWhoseReplyWasLostIsFoundAgain(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	b.ws.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "chat.postMessage", Times: 1})
	p := digestOf("1 emergency change.")
	if _, err := b.m.Write(t.Context(), p); asOutside(t, err).Outcome != change.Unknown {
		t.Fatalf("the outcome is %v, want unknown", err)
	}
	p.Since = b.clock.Now()
	b.clock.Add(time.Minute)
	if external := b.write(t, p); external == "" || len(b.ws.Calls("chat.postMessage")) != 1 {
		t.Errorf("found as %q after %d posts", external, len(b.ws.Calls("chat.postMessage")))
	}
}
