package reconcile_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

func TestAccessIsGivenVerifiedAndTakenBack(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	b.wantHas(false)
	c := b.active(n)
	b.wantHas(true)
	if c.Access.IntendedAt.IsZero() || !c.Window.Start.Equal(c.Access.VerifiedAt) || c.Access.VerifiedAt.Sub(start) > 5*time.Second {
		t.Fatalf("access %+v, window %+v", c.Access, c.Window)
	}
	b.forward(59 * time.Minute)
	b.wantHas(true)
	c = b.gone(n, 2*time.Minute)
	b.wantHas(false)
	if c.Phase != change.Ended || c.Access.GoneAt.Sub(c.Window.Ended) > 15*time.Second || c.Window.Ended.Sub(c.Window.Start) != time.Hour {
		t.Fatalf("ended %s, gone %s", c.Window.Ended, c.Access.GoneAt)
	}
	if want := c.Access.GoneAt.Add(2 * time.Hour); !c.Access.SessionsEndBy.Equal(want) {
		t.Errorf("sessions end by %s, want %s", c.Access.SessionsEndBy, want)
	}
	if b.calls(createCall) != 1 || b.calls(deleteCall) != 1 {
		t.Errorf("calls %+v", b.aws.History())
	}
	for e, want := range map[change.EventType]int{
		change.EventAccessIntended: 1, change.EventAccessVerified: 1, change.EventActivated: 1, change.EventEnded: 1,
		change.EventAccessGone: 1, change.EventAccessTrouble: 0, change.EventAccessLate: 0,
	} {
		if got := b.count(n, e); got != want {
			t.Errorf("%d events %s, want %d", got, e, want)
		}
	}
	b.quiet()
}

// The whole point: whatever AWS is asked to give, the ledger knew before that it
// has to be taken back.
func TestTheDutyToRevokeIsCommittedBeforeAWSIsAsked(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	spy := &spy{AWS: b.client}
	spy.before = func(call string) {
		if call != "create" {
			return
		}
		c := b.change(n)
		a, err := b.ledger.AssignmentOf(b.ctx, n)
		b.ok(err)
		if c.Access.IntendedAt.IsZero() || c.Access.RevokeBy.IsZero() || a.Operation != "create" || a.Standing != "ours" {
			t.Errorf("AWS is asked while the ledger holds %+v, %+v", c.Access, a)
		}
	}
	b.access = b.reconciler(spy)
	b.active(n)
	if spy.counts["create"] != 1 {
		t.Errorf("calls %v", spy.counts)
	}
}

func TestAStandingAssignmentIsNeverTouched(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Plant(adaAdmin)
	n := b.approved()
	c := b.active(n)
	if !c.Access.Standing || !c.Access.IntendedAt.IsZero() {
		t.Fatalf("access %+v", c.Access)
	}
	b.do(n, change.Finish{}, asker)
	c = b.gone(n, time.Minute)
	b.wantHas(true)
	if len(b.aws.History()) != 0 {
		t.Errorf("calls %+v", b.aws.History())
	}
	b.forward(time.Hour)
	b.wantHas(true)
	b.quiet()

	// A second change finds the same.
	n = b.approved()
	b.active(n)
	b.do(n, change.Finish{}, asker)
	b.gone(n, time.Minute)
	b.wantHas(true)
	if len(b.aws.History()) != 0 {
		t.Errorf("calls %+v", b.aws.History())
	}
}

func TestFoundAccessIsKeptOrEndedAsAnApproverDecides(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{true, false} {
		b := accessSetup(t)
		b.aws.Plant(adaAdmin)
		n := b.approved()
		b.active(n)
		a, err := b.ledger.AssignmentOf(b.ctx, n)
		b.ok(err)
		b.do(n, change.Finish{}, asker)
		b.gone(n, time.Minute)
		b.ok(b.ledger.InTx(b.ctx, func(tx ledger.Tx) error { return tx.MarkStanding(b.ctx, a.ID, keep, b.clock.now()) }))
		b.forward(time.Minute)
		b.wantHas(keep)
		b.quiet()
	}
}

func TestFoundAccessThatIsToEndEndsAfterTheChangeThatUsesIt(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Plant(adaAdmin)
	n := b.approved()
	b.active(n)
	a, err := b.ledger.AssignmentOf(b.ctx, n)
	b.ok(err)
	b.ok(b.ledger.InTx(b.ctx, func(tx ledger.Tx) error { return tx.MarkStanding(b.ctx, a.ID, false, b.clock.now()) }))
	b.forward(30 * time.Minute)
	b.wantHas(true)
	if c := b.change(n); c.Access.IntendedAt.IsZero() || !c.Access.RevokeBy.Equal(c.Window.Until) {
		t.Fatalf("nobody owes the removal: %+v", c.Access)
	}
	b.gone(n, time.Hour)
	b.wantHas(false)
	b.quiet()
}

func TestStandingAccessThatVanishedIsMadeAgainAndIsThenOurs(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Plant(adaAdmin)
	n := b.approved()
	b.active(n)
	b.do(n, change.Finish{}, asker)
	b.gone(n, time.Minute)
	b.aws.Uproot(adaAdmin)
	n = b.approved()
	if c := b.active(n); c.Access.Standing {
		t.Fatal("told as standing")
	}
	b.do(n, change.Finish{}, asker)
	b.gone(n, time.Minute)
	b.wantHas(false)
	b.quiet()
}

func TestTheFirstOfTwoOverlappingChangesToEndDoesNotCutTheSecondOff(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	first := b.approved()
	b.active(first)
	b.forward(30 * time.Minute)
	second := b.approved()
	if c := b.active(second); c.Access.IntendedAt.IsZero() {
		t.Fatal("the second owes no removal")
	}
	b.gone(first, 40*time.Minute)
	b.wantHas(true)
	b.gone(second, 40*time.Minute)
	b.wantHas(false)
	in := b.aws.Intervals()
	if len(in) != 1 || in[0].To.Sub(in[0].From) < 90*time.Minute || b.calls(createCall) != 1 {
		t.Fatalf("intervals %+v, calls %+v", in, b.aws.History())
	}
	if e := b.last(first, change.EventAccessGone); e.Fact("held") != "true" {
		t.Errorf("the first was told %v", e.Facts)
	}
	if e := b.last(second, change.EventAccessGone); e.Fact("held") != "false" {
		t.Errorf("the second was told %v", e.Facts)
	}
	b.quiet()
}

func TestTwoChangesApprovedTogetherShareOneCreate(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	first, second := b.approved(), b.approved()
	b.active(first)
	b.active(second)
	b.do(second, change.Finish{}, asker)
	b.forward(10 * time.Minute)
	b.wantHas(true)
	b.do(first, change.Finish{}, asker)
	b.gone(first, time.Minute)
	b.wantHas(false)
	if b.calls(createCall) != 1 || b.calls(deleteCall) != 1 {
		t.Errorf("calls %+v", b.aws.History())
	}
	b.quiet()
}

func TestAChangeThatArrivesDuringARemovalGetsAnAccessOfItsOwn(t *testing.T) {
	t.Parallel()
	b := accessSetup(t, func(o *sandbox.Options) { o.SettleAfter = 20 * time.Second; o.ListLag = 8 * time.Second })
	first := b.approved()
	b.active(first)
	b.do(first, change.Finish{}, asker)
	b.forward(2 * time.Second)
	second := b.approved()
	b.forward(10 * time.Second)
	if c := b.change(second); c.Phase != change.Approved {
		t.Fatalf("%s is %s while the removal is on its way", second, c.Phase)
	}
	b.active(second)
	b.wantHas(true)
	b.forward(50 * time.Minute)
	b.wantHas(true)
	b.gone(second, 20*time.Minute)
	b.wantHas(false)
	if got := len(b.aws.Intervals()); got != 2 {
		t.Fatalf("%d intervals", got)
	}
	if b.change(first).Access.GoneAt.IsZero() {
		t.Error("the first was never told")
	}
	b.quiet()
}

func TestAnExtensionLeavesNoGap(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	b.active(n)
	b.forward(50 * time.Minute)
	b.do(n, change.Extend{Duration: time.Hour, Why: "not done"}, asker)
	b.do(n, change.Approve{Ask: 2}, ctoActor)
	b.forward(65 * time.Minute)
	b.wantHas(true)
	b.gone(n, 10*time.Minute)
	in := b.aws.Intervals()
	if len(in) != 1 || in[0].To.Sub(in[0].From) < 2*time.Hour || in[0].To.Sub(in[0].From) > 2*time.Hour+time.Minute {
		t.Fatalf("intervals %+v", in)
	}
	b.quiet()
}

func TestFinishBeforeTheAccessIsVerifiedTakesItBack(t *testing.T) {
	t.Parallel()
	b := accessSetup(t, func(o *sandbox.Options) { o.ListLag = 20 * time.Second })
	n := b.approved()
	b.forward(time.Second)
	b.do(n, change.Finish{}, asker)
	b.gone(n, 2*time.Minute)
	b.forward(time.Minute)
	b.wantHas(false)
	b.wantPhase(n, change.Ended)
	b.quiet()
}

func TestWithdrawnBeforeAWSWasAskedAsksNothing(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	b.do(n, change.Withdraw{}, asker)
	b.forward(time.Hour)
	b.wantPhase(n, change.Withdrawn)
	if len(b.aws.History()) != 0 {
		t.Errorf("calls %+v", b.aws.History())
	}
	b.quiet()
}

// A list that lags after a success shows neither an access that is not there
// nor hides one that has to go.
func TestListsThatLagMisleadNobody(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{2 * time.Second, 9 * time.Second, 25 * time.Second} {
		b := accessSetup(t, func(o *sandbox.Options) { o.ListLag, o.ListLagReads = lag, 2 })
		n := b.approved()
		c := b.active(n)
		if c.Window.Start.Before(start.Add(3*time.Second + lag)) {
			t.Errorf("lag %s: active before a list showed it", lag)
		}
		b.do(n, change.Finish{}, asker)
		b.gone(n, 2*time.Minute)
		b.wantHas(false)
		if b.calls(createCall) != 1 {
			t.Errorf("lag %s: calls %+v", lag, b.aws.History())
		}
		b.quiet()
	}
}
