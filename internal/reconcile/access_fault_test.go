package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

func TestACreateWhoseReplyWasLostIsFoundAndNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.ReplyLost, fault.InternalLie, fault.Truncated} {
		b := accessSetup(t)
		b.aws.Faults.Add(fault.Fault{Kind: kind, Call: createCall, Times: 1})
		n := b.approved()
		b.active(n)
		b.do(n, change.Finish{}, asker)
		c := b.gone(n, time.Minute)
		if b.calls(createCall) != 1 || c.Access.GoneAt.Sub(c.Window.Ended) > 20*time.Second {
			t.Errorf("%s: gone after %s, calls %+v", kind, c.Access.GoneAt.Sub(c.Window.Ended), b.aws.History())
		}
		b.quiet()
	}
}

// A create that AWS never heard is sent again, but only after it was looked for;
// and what became of it stays open for an hour.
func TestACreateThatNeverArrivedIsSentAgainAfterALook(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: createCall, Times: 1})
	n := b.approved()
	b.forward(50 * time.Second)
	if b.calls(createCall) != 0 {
		t.Fatal("a second create was sent at once")
	}
	c := b.active(n)
	b.do(n, change.Finish{}, asker)
	b.until(time.Minute, func() bool { return !b.aws.Has(adaAdmin) })
	b.wantHas(false)
	if c := b.change(n); !c.Access.GoneAt.IsZero() {
		t.Fatal("told as gone while a create is open")
	}
	c = b.gone(n, time.Hour)
	if gone := c.Access.GoneAt.Sub(start); gone < time.Hour || gone > 61*time.Minute {
		t.Errorf("gone after %s", gone)
	}
	if b.count(n, change.EventAccessLate) != 0 {
		t.Error("told as late although no access was there")
	}
	b.forward(8 * 24 * time.Hour)
	b.quiet()
}

// The worst case: no reply, no trace, and minutes later the access is there.
func TestAGhostIsTakenAwayWheneverItAppears(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{
		"while the change waits": 40 * time.Second, "while it is active": 10 * time.Minute, "after its end": 50 * time.Minute,
		"in the week after": 26 * time.Hour,
	} {
		b := accessSetup(t)
		b.aws.GhostCreates(1, after)
		n := b.approved()
		b.active(n)
		b.forward(15 * time.Minute)
		b.wantHas(true)
		b.do(n, change.Finish{}, asker)
		b.gone(n, time.Hour)
		b.wantHas(false)
		b.forward(9 * 24 * time.Hour)
		b.wantHas(false)
		// It never lasts long once nobody wants it; in the week after, a day at most.
		most := time.Minute
		if after > 24*time.Hour {
			most = 24*time.Hour + time.Minute
			if b.count(n, change.EventAccessBack) != 1 {
				t.Errorf("%s: people were not told: %v", name, b.events(n))
			}
			if b.count(n, change.EventAccessGone) != 2 {
				t.Errorf("%s: gone %d times", name, b.count(n, change.EventAccessGone))
			}
		}
		b.unwantedAtMost(most)
		b.quiet()
	}
}

func TestAGhostOfAChangeThatGaveUpIsTakenAway(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.GhostCreates(1, 35*time.Minute)
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: createCall, Skip: 1})
	n := b.approved()
	b.forward(34 * time.Minute)
	b.wantPhase(n, change.Approved)
	c := b.gone(n, 3*time.Minute)
	b.wantHas(false)
	// A list had shown it, so the change ends and owes its record.
	if c.Phase != change.Ended || c.Access.VerifiedAt.IsZero() {
		t.Fatalf("%s: %+v", c.Phase, c.Access)
	}
	b.forward(2 * time.Hour)
	b.wantHas(false)
	b.careful()
}

// What was seen before a program was down for hours says nothing of what came while
// nobody looked, and a list that lags does not either.
func TestAGhostThatCameWhileNothingRanIsTakenAway(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*accessBundle, change.Number){
		"killed while it looks for the create": func(b *accessBundle, _ change.Number) { b.forward(20 * time.Second) },
		"killed after a delete that found nothing": func(b *accessBundle, n change.Number) {
			b.forward(5 * time.Second)
			b.do(n, change.Withdraw{}, asker)
			b.forward(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := accessSetup(t, func(o *sandbox.Options) { o.ListLagReads = 2 })
			b.aws.GhostCreates(1, 2*time.Hour)
			n := b.approved()
			before(b, n)
			if b.aws.Has(adaAdmin) {
				t.Fatal("it is there already")
			}
			b.clock.set(start.Add(5 * time.Hour)) // nothing runs
			b.gone(n, 2*time.Minute)
			b.wantHas(false)
			if all := b.ownIntervals(); len(all) != 1 || all[0].To.After(start.Add(5*time.Hour+time.Minute)) {
				t.Errorf("it was there %v", all)
			}
			b.forward(9 * 24 * time.Hour)
			b.quiet()
		})
	}
}

func TestACreateThatAWSFailsFailsTheChange(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.FailCreates(1, "Received a 409 status error: the role quota is used up")
	n := b.approved()
	b.forward(time.Minute)
	c := b.wantPhase(n, change.Failed)
	if !strings.Contains(c.Reply, "role quota") {
		t.Errorf("people are told %q", c.Reply)
	}
	if b.calls(createCall) != 1 || b.calls(deleteCall) != 0 || b.count(n, change.EventAccessVerified) != 0 {
		t.Errorf("calls %+v", b.aws.History())
	}
	b.quiet()
}

func TestACreateThatAWSRefusesFailsTheChange(t *testing.T) {
	t.Parallel()
	const management = "999988887777"
	b := accessSetup(t, func(o *sandbox.Options) { o.Delegated, o.ManagementAccount = true, management })
	b.aws.AddAccount(management)
	b.aws.Plant(sandbox.Key{InstanceARN: instance, AccountID: management, PermissionSetARN: setARN, UserID: ada})
	n := b.approved()
	b.forward(time.Minute)
	b.wantPhase(n, change.Failed)
	b.quiet()
}

// Between a refused create and the next look somebody else may have given the
// access: it is not ours, for we made nothing.
func TestAccessThatSomebodyElseGaveMeanwhileIsTheirs(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.FailCreates(1, "a quota")
	n := b.approved()
	b.forward(time.Second)
	b.clock.set(b.clock.now().Add(2 * time.Second))
	b.aws.Settle()
	b.aws.Plant(adaAdmin)
	if c := b.active(n); !c.Access.Standing {
		t.Fatalf("access %+v", c.Access)
	}
	b.gone(n, 2*time.Hour)
	b.wantHas(true)
	if b.calls(deleteCall) != 0 {
		t.Errorf("calls %+v", b.aws.History())
	}
}

func TestAStalledCreateIsToldAndGivenUpInTime(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.StallCreates(1)
	n := b.approved()
	b.forward(14 * time.Minute)
	if b.change(n).Access.Trouble != "" {
		t.Fatal("told as stuck too early")
	}
	b.forward(2 * time.Minute)
	if b.change(n).Access.Trouble == "" || b.count(n, change.EventAccessTrouble) != 1 {
		t.Fatalf("nobody was told: %v", b.events(n))
	}
	b.forward(20 * time.Minute) // past grant_within
	b.wantPhase(n, change.Approved)
	b.aws.Release()
	b.forward(time.Minute)
	b.wantHas(false)
	c := b.wantPhase(n, change.Ended)
	if c.Access.VerifiedAt.IsZero() || c.Access.GoneAt.IsZero() {
		t.Fatalf("access %+v", c.Access)
	}
	b.forward(2 * time.Hour)
	b.quiet()
}

func TestAStalledCreateThatComesLateGivesTheAccessAllTheSame(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.StallCreates(1)
	n := b.approved()
	b.forward(20 * time.Minute)
	b.aws.Release()
	b.active(n)
	if got := b.change(n).Access.Trouble; got != "" {
		t.Errorf("still told: %q", got)
	}
	b.gone(n, 62*time.Minute)
	b.wantHas(false)
	b.quiet()
}

func TestAStalledCreateThatNeverMovesFailsTheChangeAfterAnHour(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.StallCreates(1)
	n := b.approved()
	b.forward(55 * time.Minute)
	b.wantPhase(n, change.Approved)
	b.forward(10 * time.Minute)
	b.wantPhase(n, change.Failed)
	b.forward(3 * 24 * time.Hour)
	b.aws.Release() // days later after all
	b.forward(25 * time.Hour)
	b.wantHas(false)
	if b.count(n, change.EventAccessBack) != 1 {
		t.Errorf("nobody was told: %v", b.events(n))
	}
	b.forward(8 * 24 * time.Hour)
	b.quiet()
}

func TestACreateThatAWSHasNoTimeForIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*accessBundle)
	}{
		{"throttled", func(b *accessBundle) { b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: createCall, Times: 5}) }},
		{"throttled, with a time", func(b *accessBundle) {
			b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: createCall, Times: 2, RetryAfter: 20 * time.Second})
		}},
	} {
		b := accessSetup(t)
		c.spoil(b)
		n := b.approved()
		b.active(n)
		b.do(n, change.Finish{}, asker)
		if got := b.gone(n, time.Minute); got.Access.GoneAt.Sub(got.Window.Ended) > 20*time.Second {
			t.Errorf("%s: a throttled create stays open", c.name)
		}
		b.wantHas(false)
		b.quiet()
	}
}

func TestAWSIsGivenTheTimeThatItAsksFor(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: createCall, Times: 1, RetryAfter: 20 * time.Second})
	n := b.approved()
	b.active(n)
	if first := b.aws.History()[0]; first.At.Before(start.Add(20 * time.Second)) {
		t.Errorf("tried again after %s", first.At.Sub(start))
	}
}

func TestAConflictWithAnEarlierWriteIsWaitedOut(t *testing.T) {
	t.Parallel()
	b := accessSetup(t, func(o *sandbox.Options) { o.SpreadFor = 40 * time.Second })
	b.aws.AddUser(sandbox.User{ID: bob, UserName: "bob", Email: "bob@example.com"})
	first, second := b.approved(), b.approved(bob)
	b.active(first)
	b.active(second)
	b.do(first, change.Finish{}, asker)
	b.do(second, change.Finish{}, asker)
	b.gone(first, 3*time.Minute)
	b.gone(second, 3*time.Minute)
	if left := b.aws.Assignments(); len(left) != 0 {
		t.Fatalf("left: %+v", left)
	}
	if b.calls(createCall) != 2 {
		t.Errorf("calls %+v", b.aws.History())
	}
	b.quiet()
}

func TestAChangeThatAWSHasNoTimeForGivesUpByItsOwnClock(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: createCall})
	n := b.approved()
	b.forward(29 * time.Minute)
	if b.wantPhase(n, change.Approved).Access.Trouble == "" || b.count(n, change.EventAccessTrouble) != 1 {
		t.Errorf("people are told %d times", b.count(n, change.EventAccessTrouble))
	}
	b.forward(2 * time.Minute)
	if c := b.wantPhase(n, change.Failed); c.Access.Trouble != "" {
		t.Errorf("it has failed, and waits for %q", c.Access.Trouble)
	}
	b.wantHas(false)
	b.quiet()
}

func TestNothingIsAskedOfAWSWhileListsFail(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.Internal, Call: listCall})
	n := b.approved()
	b.forward(10 * time.Minute)
	if len(b.aws.History()) != 0 || b.change(n).Access.Trouble == "" {
		t.Fatalf("calls %+v", b.aws.History())
	}
	b.aws.Faults.Clear()
	b.active(n)
	b.aws.Faults.Add(fault.Fault{Kind: fault.Internal, Call: listCall})
	b.do(n, change.Finish{}, asker)
	b.forward(time.Minute)
	b.wantHas(false) // the removal does not wait for lists; only the proof does
	if c := b.change(n); !c.Access.GoneAt.IsZero() {
		t.Fatal("told as gone without a look")
	}
	b.aws.Faults.Clear()
	b.gone(n, 2*time.Minute)
	b.quiet()
}
