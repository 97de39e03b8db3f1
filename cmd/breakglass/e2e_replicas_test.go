package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// secondReplica starts the program once more, on the same database and world.
// Only the first is sent what people do; both work.
func secondReplica(ctx context.Context, t *testing.T, a act) {
	t.Helper()
	c, err := startChild(ctx, filepath.Join(a.folder, "second.log"), append(a.world.Env(), "DATABASE_URL="+a.dbURL),
		"serve", "--stop-with-stdin", "--config", a.configFile(), "--clock-offset-file", a.clockFile())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Errorf("stop the second replica: %v", err)
		}
	})
}

func TestTwoReplicasDoEverythingOnce(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	secondReplica(ctx, t, a)
	n := newNarrator(t.Output())
	if err := mainStory(ctx, a.stage, n); err != nil {
		t.Fatal(err)
	}
	if err := n.summary(ctx, a.stage); err != nil {
		t.Error(err)
	}
	onceEach(t, a)
	settled(ctx, t, a, 0)
}

func TestTheStoryHoldsWhileEveryOtherSystemMisbehaves(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{world: sandbox.Options{
		SearchLag: 30 * time.Second, AWS: aws.Options{SettleAfter: 2 * time.Second, ListLagReads: 2, EmptyPages: true},
	}})
	for _, kind := range []fault.Kind{fault.ReplyLost, fault.TooMany, fault.Unavailable, fault.InternalLie, fault.HTML} {
		for _, call := range []string{"CreateAccountAssignment", "DeleteAccountAssignment", "ListAccountAssignments"} {
			a.world.AWS.Faults.Add(fault.Fault{Kind: kind, Call: call, Times: 1, Skip: 1})
		}
		for _, call := range []string{"create issue", "add comment", "list comments", "remote link"} {
			a.world.Jira.Faults.Add(fault.Fault{Kind: kind, Call: call, Times: 1})
		}
	}
	granted(ctx, t, a, sandbox.Engineer, sandbox.CTO, request{duration: "30m"})
	finished(ctx, t, a, sandbox.Engineer)
	must(t,
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error {
			return a.elapse(ctx, "the CTO is asked to sign off", time.Minute, func() bool { return a.dm(sandbox.CTO, "Sign off") != nil })
		},
		func() error { return a.press(ctx, sandbox.CTO, "Sign off") },
		func() error { return a.writeReview(ctx, sandbox.Engineer) },
		func() error {
			return a.elapse(ctx, "the change is closed", time.Minute, func() bool { return a.saysOnCard("closed") })
		},
	)
	if n := len(a.world.Jira.Issues()); n != 2 {
		t.Errorf("there are %d tickets, want the record and the preventive action", n)
	}
	onceEach(t, a)
	settled(ctx, t, a, 0)
}

func TestAChangeMadeAlreadyOwesEverythingFromItsTime(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	p := a.person(sandbox.Engineer)
	must(t,
		func() error { _, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", "report"); return err },
		func() error {
			return p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover without manual intervention")
		},
		func() error { return p.Select(ctx, "Kind of change", "Work on production directly") },
		func() error { return p.Type(ctx, "What will you change?", "Restarted the queue by hand") },
		func() error { return p.Type(ctx, "Why is it needed now?", "Orders were not being processed") },
		func() error { return p.Select(ctx, "Where", "Production") },
		func() error { return p.Pick(ctx, "When was the change made?", a.now().Add(-25*time.Hour)) },
		func() error { return p.Select(ctx, "Who made the change?", sandbox.Colleague) },
		func() error { return p.Select(ctx, "Who gave the access?", sandbox.CTO) },
		func() error { return p.Submit(ctx) },
		func() error {
			return a.until(ctx, "the breach is told", func() bool { return a.saysInAudit("overdue") })
		},
	)
	if n := a.reminders(sandbox.Engineer); n != 0 {
		t.Errorf("%d reminders that could be put off were sent for what is late already", n)
	}
	must(t,
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.press(ctx, sandbox.CTO, "Sign off") },
		func() error { return a.writeReview(ctx, sandbox.Engineer) },
	)
	closed(ctx, t, a)
	if n := len(a.world.AWS.History()); n != 0 {
		t.Errorf("AWS was asked for %d changes, want none", n)
	}
	settled(ctx, t, a, 0)
}
