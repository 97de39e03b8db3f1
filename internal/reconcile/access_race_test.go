package reconcile_test

import (
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

// together lets replicas work on whatever is due, all at once, for a while.
func (b *accessBundle) together(d time.Duration, replicas ...*reconcile.Access) {
	b.Helper()
	for end := b.clock.now().Add(d); b.clock.now().Before(end); b.clock.set(b.clock.now().Add(time.Second)) {
		_, err := b.tick.Tick(b.ctx)
		b.ok(err)
		ids, err := b.access.Due(b.ctx, 100)
		b.ok(err)
		var all sync.WaitGroup
		for _, a := range replicas {
			all.Go(func() {
				for _, id := range ids {
					if err := a.Work(b.ctx, id); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
	}
}

func TestTwoReplicasOnTheSameRowActOnce(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	other := b.reconciler(b.client)
	n := b.approved()
	b.together(10*time.Second, b.access, other)
	b.wantPhase(n, change.Active)
	b.do(n, change.Finish{}, asker)
	b.together(20*time.Second, b.access, other)
	if b.change(n).Access.GoneAt.IsZero() || b.calls(createCall) != 1 || b.calls(deleteCall) != 1 {
		t.Fatalf("calls %+v", b.aws.History())
	}
	if b.count(n, change.EventAccessVerified) != 1 || b.count(n, change.EventAccessGone) != 1 {
		t.Errorf("events %v", b.events(n))
	}
	b.quiet()
}

// inFlight is how many creates AWS ever had at once.
func inFlight(calls []sandbox.Call) int {
	most := 0
	for _, at := range calls {
		count := 0
		for _, c := range calls {
			if c.Operation == createCall && c.Refused == "" && !c.At.After(at.At) && (c.Settled.IsZero() || c.Settled.After(at.At)) {
				count++
			}
		}
		most = max(most, count)
	}
	return most
}

func TestNeverMoreThanEightCreatesAreInFlight(t *testing.T) {
	t.Parallel()
	b := accessSetup(t, func(o *sandbox.Options) { o.SettleAfter = 12 * time.Second; o.OutstandingCreates = -1 })
	var all []change.Number
	for i := range otherAccounts {
		all = append(all, b.approvedIn(i))
	}
	other := b.reconciler(b.client)
	b.together(90*time.Second, b.access, other)
	for _, n := range all {
		b.wantPhase(n, change.Active)
		b.do(n, change.Finish{}, asker)
	}
	b.together(3*time.Minute, b.access, other)
	if left := b.aws.Assignments(); len(left) != 0 {
		t.Fatalf("%d accesses are left", len(left))
	}
	if most := inFlight(b.aws.History()); most > 8 || most < 2 {
		t.Errorf("%d creates at once", most)
	}
	b.quiet()
}

func TestStalledCreatesHoldUpNoRemoval(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	b.active(n)
	b.aws.StallCreates(8)
	for i := range 9 {
		b.approvedIn(i)
	}
	b.forward(20 * time.Second)
	if got := b.calls(createCall); got != 9 {
		t.Fatalf("%d creates were sent, want ours and 8 that stall", got)
	}
	b.do(n, change.Finish{}, asker)
	c := b.gone(n, time.Minute)
	if late := c.Access.GoneAt.Sub(c.Window.Ended); late > 15*time.Second {
		t.Errorf("removed after %s", late)
	}
	// Stuck ones hold the others up no longer.
	b.forward(16 * time.Minute)
	if got := b.calls(createCall); got != 10 {
		t.Errorf("%d creates", got)
	}
}

// A process that sleeps between intent and call, so long that another takes the
// row over, sends its create late. What it brings is found and taken back.
func TestACreateThatIsSentLateByASleepingProcessIsTakenBack(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approved()
	awake := b.access
	s := &spy{AWS: b.client}
	slept := false
	s.before = func(call string) {
		if call != "create" || slept {
			return
		}
		slept = true
		b.clock.set(b.clock.now().Add(3 * time.Minute))
		b.access = awake
		b.until(2*time.Minute, func() bool { return b.change(n).Phase == change.Active })
		b.do(n, change.Finish{}, asker)
		b.until(time.Minute, func() bool { return b.calls(deleteCall) == 1 })
		b.forward(5 * time.Second)
		b.wantHas(false)
	}
	ids, err := b.access.Due(b.ctx, 1)
	b.ok(err)
	b.ok(b.reconciler(s).Work(b.ctx, ids[0]))
	if !slept || b.calls(createCall) != 2 {
		t.Fatalf("calls %+v", b.aws.History())
	}
	b.gone(n, 2*time.Hour)
	b.wantHas(false)
	b.unwantedAtMost(time.Minute)
	b.forward(9 * 24 * time.Hour)
	b.wantHas(false)
}

func TestAnApproversDecisionAboutFoundAccessIsNotLostToARunThatIsUnderWay(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Plant(adaAdmin)
	first := b.approved()
	b.active(first)
	a, err := b.ledger.AssignmentOf(b.ctx, first)
	b.ok(err)
	b.approved()
	s := &spy{AWS: b.client}
	s.before = func(string) {
		b.ok(b.ledger.InTx(b.ctx, func(tx ledger.Tx) error { return tx.MarkStanding(b.ctx, a.ID, true, b.clock.now()) }))
	}
	b.ok(b.reconciler(s).Work(b.ctx, a.ID))
	if s.counts["list"] != 1 {
		t.Fatalf("calls %v", s.counts)
	}
	b.forward(time.Minute)
	if a, err = b.ledger.AssignmentOf(b.ctx, first); err != nil || a.Standing != "kept" {
		t.Fatalf("the assignment is %q: %v", a.Standing, err)
	}
}

func TestAGrantThatArrivesDuringARunIsNotOverlooked(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	first := b.approved()
	b.active(first)
	b.do(first, change.Finish{}, asker)
	var second change.Number
	s := &spy{AWS: b.client}
	s.before = func(call string) {
		if call == "turn" && second == 0 { // the delete is decided on, and waits for its turn
			second = b.approved()
		}
	}
	b.access = b.reconciler(s)
	b.drain()
	if b.calls(deleteCall) != 0 {
		t.Fatal("deleted although a second change wants it")
	}
	b.active(second)
	b.wantHas(true)
	b.until(time.Minute, func() bool { return !b.change(first).Access.GoneAt.IsZero() })
	if e := b.last(first, change.EventAccessGone); e.Fact("held") != "true" {
		t.Errorf("the first was told %v", e.Facts)
	}
}

// The grant is made, but not committed, while a run that has nothing more to do
// gives the row back for good.
func TestAGrantThatIsCommittedDuringTheReleaseIsNotOverlooked(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	first := b.approved()
	b.active(first)
	a, err := b.ledger.AssignmentOf(b.ctx, first)
	b.ok(err)
	second, err := b.workflow.Submit(b.ctx, accessAsk(ada), asker)
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `UPDATE assignments SET next_try = $1`, b.clock.now())
	b.ok(err)

	inside, commit, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	b.waker.fail = func() error {
		close(inside)
		<-commit
		return nil
	}
	late := b.reconciler(b.client)
	asked := 0
	late.Now = func() time.Time {
		if asked++; asked == 3 { // of the release
			go func() {
				_, err := b.workflow.Do(b.ctx, second.Number, change.Approve{Ask: 1}, ctoActor)
				done <- err
			}()
			<-inside
			go b.whenBlocked(func() { close(commit) })
		}
		return b.clock.now()
	}
	b.ok(late.Work(b.ctx, a.ID))
	b.ok(<-done)
	b.waker.fail = nil
	if asked < 3 {
		t.Fatal("the approval never happened during the release")
	}
	b.active(second.Number)
}

// whenBlocked acts as soon as a transaction waits for another.
func (b *accessBundle) whenBlocked(act func()) {
	defer act()
	for waiting := false; !waiting; {
		err := b.pool.QueryRow(b.ctx, `SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity s USING (pid) WHERE NOT l.granted AND s.datname = current_database())`).Scan(&waiting)
		if err != nil {
			b.Error(err)
			return
		}
	}
}
