package reconcile_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// withoutClock lets time pass in which the clock comes to no change: a run of the
// access reconciler each second is all that is done.
func (b *accessBundle) withoutClock(d time.Duration) {
	b.Helper()
	for end := b.clock.now().Add(d); b.clock.now().Before(end); b.clock.set(b.clock.now().Add(time.Second)) {
		ids, err := b.access.Due(b.ctx, 100)
		b.ok(err)
		for _, id := range ids {
			b.ok(b.access.Work(b.ctx, id))
		}
	}
}

func TestAccessEndsInTimeThoughTheClockComesToNoChange(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	until := b.active(n).Window.Until
	b.clock.set(until.Add(-3 * time.Second))
	b.withoutClock(3 * time.Second)
	b.wantHas(true)
	b.withoutClock(30 * time.Second)
	b.wantHas(false)
	for _, in := range b.ownIntervals() {
		if late := in.To.Sub(until); late < 0 || late > 5*time.Second {
			t.Errorf("the access was there until %s after its end", late)
		}
	}
	c := b.wantPhase(n, change.Ended) // nobody told it but the run that saw the access gone
	if c.Access.GoneAt.IsZero() || c.Window.EndedBy != "" || b.count(n, change.EventEnded) != 1 {
		t.Errorf("the window %+v, the access %+v, events %v", c.Window, c.Access, b.events(n))
	}
	b.drain()
	b.quiet()
}

func TestTheClockThatComesAfterTheRevocationEndsTheChangeOnce(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	until := b.active(n).Window.Until
	b.clock.set(until)
	b.withoutClock(time.Second) // the delete is sent
	if b.calls(deleteCall) != 1 {
		t.Fatalf("calls %+v", b.aws.History())
	}
	b.wantPhase(n, change.Active)
	b.gone(n, time.Minute)
	if b.count(n, change.EventEnded) != 1 || b.calls(deleteCall) != 1 || b.calls(createCall) != 1 {
		t.Errorf("events %v, calls %+v", b.events(n), b.aws.History())
	}
	b.quiet()
}

func TestAnExtensionMovesTheEndOfTheAccess(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	until := b.active(n).Window.Until
	b.clock.set(until.Add(-time.Minute))
	b.do(n, change.Extend{Duration: 15 * time.Minute, Why: "It is not over"}, asker)
	b.do(n, change.Approve{Ask: 2}, ctoActor)
	b.withoutClock(10 * time.Minute)
	b.wantHas(true)
	if b.calls(deleteCall) != 0 {
		t.Fatalf("calls %+v", b.aws.History())
	}
	b.withoutClock(10 * time.Minute)
	b.wantHas(false)
	for _, in := range b.ownIntervals() {
		if late := in.To.Sub(until.Add(15 * time.Minute)); late < 0 || late > 5*time.Second {
			t.Errorf("the access was there until %s after its new end", late)
		}
	}
}

// breakglass, or its database, was away when the time was over.
func TestAccessThatOutlivedItsTimeUnseenIsToldAsLate(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]func(*accessBundle){
		"the clock comes first":   (*accessBundle).drain,
		"the removal comes first": func(b *accessBundle) { b.withoutClock(10 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := accessSetup(t)
			n := b.approved()
			until := b.active(n).Window.Until
			b.clock.set(until.Add(3 * time.Hour))
			back(b)
			c := b.gone(n, time.Minute)
			if b.count(n, change.EventAccessLate) != 1 || b.deliveries(n, change.DeliverAudit) != 1 || b.deliveries(n, change.DeliverCTO) != 1 {
				t.Errorf("nobody was told: %v", b.events(n))
			}
			if at := b.last(n, change.EventAccessLate).Fact("ended"); at != until.Format(time.RFC3339) {
				t.Errorf("told to have ended %s, want %s", at, until)
			}
			if late := b.last(n, change.EventAccessGone).Fact("late_seconds"); late < "10800" || len(late) != 5 {
				t.Errorf("gone %s s late", late)
			}
			if late := c.Access.LateAt; late.IsZero() || c.Window.Ended.Before(until.Add(3*time.Hour)) {
				t.Errorf("window %+v, access %+v", c.Window, c.Access)
			}
			b.quiet()
		})
	}
}

// The extension was decided in time, and stored when AWS had been asked already.
func TestAnExtensionThatRacesTheEndHasItsAccessBackSoon(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	until := b.active(n).Window.Until
	b.clock.set(until.Add(-time.Minute))
	b.do(n, change.Extend{Duration: 15 * time.Minute, Why: "It is not over"}, asker)
	b.clock.set(until)
	justBefore := *b.workflow
	justBefore.Now = func() time.Time { return until.Add(-time.Millisecond) }
	s := &spy{AWS: b.client}
	s.before = func(call string) {
		if call == "delete" && s.counts[call] == 1 {
			_, err := justBefore.Do(b.ctx, n, change.Approve{Ask: 2}, ctoActor)
			b.ok(err)
		}
	}
	b.access = b.reconciler(s)
	b.withoutClock(time.Second)
	if b.calls(deleteCall) != 1 {
		t.Fatalf("calls %+v", b.aws.History())
	}
	b.forward(20 * time.Second)
	b.wantHas(true)
	if c := b.wantPhase(n, change.Active); b.calls(createCall) != 2 || b.calls(deleteCall) != 1 || !c.Access.GoneAt.IsZero() {
		t.Errorf("calls %+v", b.aws.History())
	}
	b.gone(n, 15*time.Minute+30*time.Second)
	b.wantHas(false)
	b.quiet()
}

// A replica of the version before knows nothing of the column, and extends changes
// too: what the change says counts.
func TestAnEndThatIsOutOfDateInTheGrantTakesNoAccessAway(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	until := b.active(n).Window.Until
	b.clock.set(until.Add(-time.Minute))
	b.do(n, change.Extend{Duration: 15 * time.Minute, Why: "It is not over"}, asker)
	b.do(n, change.Approve{Ask: 2}, ctoActor)
	_, err := b.pool.Exec(b.ctx, `UPDATE grants SET until = $1`, until)
	b.ok(err)
	b.withoutClock(10 * time.Minute)
	b.wantHas(true)
	if b.calls(deleteCall) != 0 {
		t.Fatalf("calls %+v", b.aws.History())
	}
	if busy, err := b.ledger.DueInLane(b.ctx, ledger.RevokeLane, b.clock.now(), b.clock.now(), 10); err != nil || len(busy) != 0 {
		t.Errorf("due again: %v, %v", busy, err)
	}
	b.withoutClock(10 * time.Minute)
	b.wantHas(false)
}

// A grant of the version before has no end in it: the clock ends it, and no run
// tries again and again what the transaction refuses.
func TestAGrantWithoutAnEndWaitsForTheClock(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	until := b.active(n).Window.Until
	_, err := b.pool.Exec(b.ctx, `UPDATE grants SET until = NULL`)
	b.ok(err)
	b.clock.set(until)
	s := &spy{AWS: b.client}
	b.access = b.reconciler(s)
	b.withoutClock(10 * time.Second)
	b.wantHas(true)
	if s.counts["turn"] != 0 || s.counts["delete"] != 0 {
		t.Errorf("calls %v", s.counts)
	}
	b.gone(n, time.Minute)
	b.wantHas(false)
}

// What another change wants of the same access is not taken away with the first.
func TestTheEndOfOneChangeLeavesWhatAnotherStillHas(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	until := b.active(n).Window.Until
	b.clock.set(until.Add(-30 * time.Minute))
	second := b.approved()
	b.active(second)
	b.clock.set(until)
	b.withoutClock(10 * time.Minute)
	b.wantHas(true)
	b.drain()
	if c := b.wantPhase(n, change.Ended); c.Access.GoneAt.IsZero() {
		t.Errorf("the access of %s is not told to be held by another: %v", n, b.events(n))
	}
	b.withoutClock(time.Hour)
	b.wantHas(false)
	if b.calls(deleteCall) != 1 || b.calls(createCall) != 1 {
		t.Errorf("calls %+v", b.aws.History())
	}
}

// The lanes know whose time is over before anything has been written of it.
func TestAnAccessWhoseTimeIsOverIsInTheLaneOfRevocations(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	until := b.active(n).Window.Until
	lane := func(at time.Time) int {
		due, err := b.ledger.DueInLane(b.ctx, ledger.RevokeLane, at, at, 10)
		b.ok(err)
		count, err := b.ledger.RevokesDue(b.ctx, at, at, 10)
		b.ok(err)
		if count != len(due) {
			t.Errorf("%d are due, and %d are counted", len(due), count)
		}
		return len(due)
	}
	if before, then := lane(until.Add(-time.Second)), lane(until); before != 0 || then != 1 {
		t.Errorf("%d in the lane before the end, %d then", before, then)
	}
	// Somebody else comes to want it in the transaction that the delete waits for.
	b.clock.set(until)
	err := b.ledger.InTx(b.ctx, func(tx ledger.Tx) error {
		a, err := b.ledger.AssignmentOf(b.ctx, n)
		b.ok(err)
		wanted, err := tx.Wanted(b.ctx, a.ID, until)
		if wanted {
			t.Error("wanted at its end")
		}
		return err
	})
	b.ok(err)
}
