package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// granted takes a request to the moment when the person has the access.
func granted(ctx context.Context, t *testing.T, a act, who, approver string, r request) {
	t.Helper()
	must(t,
		func() error { return a.request(ctx, who, r) },
		func() error { return a.press(ctx, approver, "Approve") },
		func() error {
			return a.until(ctx, "the access is there", func() bool { return a.world.AWS.Has(sandbox.AdminOf(who)) })
		},
		func() error {
			return a.until(ctx, "the requester is told", func() bool { return a.dm(who, "Finish") != nil })
		},
	)
}

// finished presses Finish, closes the form that opens, and waits until the
// access is seen gone.
func finished(ctx context.Context, t *testing.T, a act, who string) {
	t.Helper()
	must(t,
		func() error { return a.finish(ctx, who) },
		func() error {
			return a.elapse(ctx, "the access is seen gone", 5*time.Second, func() bool { return a.saysInThread("the access is gone") })
		},
	)
}

func closed(ctx context.Context, t *testing.T, a act) {
	t.Helper()
	must(t, func() error {
		return a.elapse(ctx, "the change is closed", 30*time.Second, func() bool { return a.saysOnCard("closed") })
	})
}

func TestDuringAnIncidentItsRecordIsTheRecord(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	incident := a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})[0]
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m", incident: incident.Reference() + " Orders are stuck (Investigating)"})
	finished(ctx, t, a, sandbox.Engineer)
	must(t,
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error {
			return a.elapse(ctx, "the timeline holds the record", time.Second, func() bool {
				return strings.Contains(a.world.IncidentIO.Text(incident.ID), "Restarted the queue by hand")
			})
		},
		func() error { return a.writeReview(ctx, sandbox.Engineer) },
	)
	closed(ctx, t, a)
	told := a.world.IncidentIO.Text(incident.ID)
	for _, want := range []string{"Restart the stuck message queue by hand", "Orders are not being processed", "CTO", "Restarted the queue by hand"} {
		if !strings.Contains(told, want) {
			t.Errorf("the incident does not tell %q:\n%s", want, told)
		}
	}
	if a.dm(sandbox.CTO, "Sign off") != nil {
		t.Error("the CTO was asked to sign off, although the incident's record is the record")
	}
	if n := len(a.world.Jira.Issues()); n != 1 {
		t.Errorf("there are %d tickets, want only the preventive action's", n)
	}
	settled(ctx, t, a, 0)
}

func TestTheCTOsOwnChangeIsDecidedAndSignedOffBySomebodyElse(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	granted(ctx, t, a, sandbox.CTO, sandbox.Deputy, request{duration: "30m"})
	if a.dm(sandbox.CTO, "Approve") != nil {
		t.Error("the CTO was asked to approve their own change")
	}
	finished(ctx, t, a, sandbox.CTO)
	must(t,
		func() error { return a.writeRecord(ctx, sandbox.CTO) },
		func() error {
			return a.until(ctx, "the deputy is asked to sign off", func() bool { return a.dm(sandbox.Deputy, "Sign off") != nil })
		},
	)
	key := a.world.Jira.Issues()[0].Key
	if _, ok := a.world.Jira.CommentAs(sandbox.CTOAccount, key, "Approved by myself"); !ok {
		t.Fatal("the CTO could not comment")
	}
	must(t,
		func() error { return a.forward(3 * time.Minute) },
		func() error { return a.press(ctx, sandbox.Deputy, "Sign off") },
		func() error {
			return a.until(ctx, "it is signed off", func() bool { return a.saysInThread("signed it off") })
		},
		func() error { return a.writeReview(ctx, sandbox.CTO) },
	)
	for _, m := range a.world.Slack.Thread(sandbox.Channel, a.card().TS) {
		if text := a.world.Slack.RenderMessage("", m); strings.Contains(text, "signed it off") && !strings.Contains(text, "Deputy") {
			t.Errorf("signed off by somebody else than the deputy: %s", text)
		}
	}
	closed(ctx, t, a)
	settled(ctx, t, a, 0)
}

func TestTheStoryHoldsWithASlackThatThrottlesFailsAndLosesReplies(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	a.hurry = time.Second // what failed is tried again by the clock
	n := newNarrator(t.Output())
	for i, call := range []string{"chat.postMessage", "chat.update", "conversations.open"} {
		for _, f := range []fault.Fault{
			{Kind: fault.TooMany, RetryAfter: time.Second},
			{Kind: fault.TooMany},
			{Kind: fault.Unavailable},
			{Kind: fault.Internal},
			{Kind: fault.ReplyLost},
			{Kind: fault.InternalLie},
			{Kind: fault.Truncated},
			{Kind: fault.HTML},
			{Kind: fault.Refused},
		} {
			f.Call, f.Times, f.Skip = call, 1, i
			a.world.Slack.Faults.Add(f)
		}
	}
	if err := mainStory(ctx, a.stage, n); err != nil {
		t.Fatal(err)
	}
	for _, p := range n.promises {
		if !p.kept {
			t.Errorf("not so: %s", p.what)
		}
	}
	onceEach(t, a)
	settled(ctx, t, a, 0)
}

// onceEach demands that no delivery was posted twice.
func onceEach(t *testing.T, a act) {
	t.Helper()
	var all []slack.Message
	for _, channel := range []string{sandbox.Channel, sandbox.AuditChannel} {
		for _, m := range a.world.Slack.Messages(channel) {
			all = append(all, a.world.Slack.Thread(channel, m.TS)...)
		}
	}
	for _, who := range []string{sandbox.Engineer, sandbox.CTO, sandbox.Deputy} {
		all = append(all, a.world.Slack.DMs(who)...)
	}
	seen := map[string]string{}
	for _, m := range all {
		if m.Metadata == nil || m.Ephemeral {
			continue
		}
		id := fmt.Sprint(m.Metadata.EventPayload["delivery"])
		if before, twice := seen[id]; twice {
			t.Errorf("delivery %s was posted twice:\n%s\n%s", id, before, m.Text)
		}
		seen[id] = m.Text
	}
	if len(seen) == 0 {
		t.Error("no message carries its delivery's mark")
	}
}

func TestKilledAndStartedAgainItMakesGood(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m"})
	must(t,
		func() error { return a.child.kill() },
		func() error { return a.forward(31 * time.Minute) },
		func() error { return a.startChild(ctx) },
		func() error {
			return a.elapse(ctx, "the access is seen gone", 5*time.Second, func() bool { return a.saysInThread("the access is gone") })
		},
	)
	onceEach(t, a)
	settled(ctx, t, a, 0)
}

func TestStandingAccessIsNeverTouched(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	a.world.AWS.Plant(sandbox.AdminOf(sandbox.Engineer))
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m"})
	must(t,
		func() error { return a.press(ctx, sandbox.Engineer, "Finish") },
		func() error { return a.person(sandbox.Engineer).CloseView(ctx) },
		func() error { return a.until(ctx, "it has ended", func() bool { return a.saysOnCard("ended") }) },
		func() error { return a.forward(time.Hour) },
		func() error {
			return a.until(ctx, "the audit channel hears of it", func() bool { return a.saysInAudit("standing access") })
		},
	)
	if !a.has(sandbox.AdminOf(sandbox.Engineer)) {
		t.Error("access that had been there before was removed")
	}
	if n := len(a.world.AWS.History()); n != 0 {
		t.Errorf("AWS was asked for %d changes, want none", n)
	}
	settled(ctx, t, a, 1)
}
