package identitycenter_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// alarms are the timers of a budget, which go off when the test moves the clock.
type alarms struct {
	*clock
	mu  sync.Mutex
	set map[int]alarm
	n   int
}

type alarm struct {
	at time.Time
	f  func()
}

func (a *alarms) after(d time.Duration, f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	a.set[a.n] = alarm{a.now().Add(d), f}
}

// pass lets time pass, from one alarm to the next.
func (a *alarms) pass(d time.Duration) {
	for end := a.now().Add(d); ; {
		a.mu.Lock()
		next, id := alarm{at: end}, 0
		for n, x := range a.set {
			if !x.at.After(next.at) {
				next, id = x, n
			}
		}
		delete(a.set, id)
		a.mu.Unlock()
		if wait := next.at.Sub(a.now()); wait > 0 {
			a.forward(wait)
		}
		if id == 0 {
			return
		}
		next.f()
	}
}

func newBudget(perSecond int) (*identitycenter.Budget, *alarms) {
	a := &alarms{clock: &clock{at: start}, set: map[int]alarm{}}
	return identitycenter.NewBudget(identitycenter.BudgetOptions{PerSecond: perSecond, Now: a.now, After: a.after}), a
}

// queue asks for turns, one behind the other, and tells when each came. Each is given
// back at once, so that it takes nothing of the budget.
func queue(t *testing.T, b *identitycenter.Budget, urgencies ...change.Urgency) <-chan change.Urgency {
	t.Helper()
	came := make(chan change.Urgency, len(urgencies))
	for i, u := range urgencies {
		go func() {
			_, done, err := b.Turn(change.WithUrgency(context.WithoutCancel(t.Context()), u), time.Hour)
			if err != nil {
				t.Error(err)
			}
			came <- u
			done()
		}()
		for waiting(b) <= i && t.Context().Err() == nil {
			runtime.Gosched()
		}
	}
	return came
}

func waiting(b *identitycenter.Budget) (n int) {
	for _, w := range b.Figures().Waiting {
		n += w
	}
	return n
}

func TestTheMostUrgentCallComesFirstWhateverCameBefore(t *testing.T) {
	t.Parallel()
	b, a := newBudget(1)
	_, done, err := b.Turn(t.Context(), time.Hour) // takes the whole budget
	if err != nil {
		t.Fatal(err)
	}
	came := queue(t, b, change.UrgentCensus, change.UrgentPoll, change.UrgentGrant, change.UrgentRevoke, change.UrgentRevoke)
	a.pass(time.Minute)
	if len(came) > 0 {
		t.Fatal("more began than may")
	}
	done()
	want := []change.Urgency{change.UrgentRevoke, change.UrgentRevoke, change.UrgentGrant, change.UrgentPoll, change.UrgentCensus}
	for i, w := range want {
		if got := <-came; got != w {
			t.Fatalf("%s came as number %d, want %s", got, i+1, w)
		}
		a.pass(time.Second) // what is no revocation comes evenly spaced
	}
}

func TestARevocationFindsRoomAmidAnyNumberOfOthers(t *testing.T) {
	t.Parallel()
	b, a := newBudget(20)
	var dones []func()
	for range 18 { // as many as others get of twenty
		_, done, err := b.Turn(change.WithUrgency(t.Context(), change.UrgentPoll), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		dones = append(dones, done)
		a.pass(50 * time.Millisecond)
	}
	polls := queue(t, b, change.UrgentPoll)
	a.pass(10 * time.Second)
	if len(polls) > 0 {
		t.Error("the room of revocations was taken")
	}
	ctx, cancel := context.WithCancel(change.WithUrgency(t.Context(), change.UrgentRevoke))
	defer cancel()
	_, done, err := b.Turn(ctx, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	done()
	for _, done := range dones {
		done()
	}
	a.pass(time.Second)
	<-polls
}

func TestWhoGivesUpWaitingTakesNothing(t *testing.T) {
	t.Parallel()
	b, _ := newBudget(1)
	_, done, err := b.Turn(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Turn(t.Context(), time.Nanosecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("it answers %v", err)
	}
	done()
	_, done, err = b.Turn(change.WithUrgency(t.Context(), change.UrgentRevoke), time.Hour)
	if err != nil || waiting(b) != 0 {
		t.Fatalf("%d wait, %v", waiting(b), err)
	}
	done()
}

// budgeted is a client with a budget, of the same clock as the stand-in.
func budgeted(t *testing.T, perSecond int, alter ...func(*sandbox.Options)) (*bundle, *identitycenter.Budget, *alarms) {
	t.Helper()
	b := setup(t, append([]func(*sandbox.Options){func(o *sandbox.Options) { o.Record = true }}, alter...)...)
	a := &alarms{clock: b.clock, set: map[int]alarm{}}
	budget := identitycenter.NewBudget(identitycenter.BudgetOptions{PerSecond: perSecond, Now: a.now, After: a.after})
	b.client = newClient(t, b.url, func(o *identitycenter.Options) { o.Budget, o.TurnWithin = budget, 50*time.Millisecond })
	return b, budget, a
}

func TestAStrictServerNeverThrottlesWhoKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	b, budget, a := budgeted(t, 20, func(o *sandbox.Options) { o.CallsPerSecond = 20 })
	b.client = newClient(t, b.url, func(o *identitycenter.Options) { o.Budget = budget })
	const calls = 100
	over := make(chan error, calls)
	for i := range calls {
		go func() {
			ctx := change.WithUrgency(t.Context(), change.Urgencies()[i%4])
			key := adaAdmin
			key.AccountID = fmt.Sprintf("2222%08d", i) // a list of its own
			_, err := b.client.Assigned(ctx, key)
			over <- err
		}()
	}
	for range calls {
		for waits := true; waits; {
			select {
			case err := <-over:
				if err != nil {
					t.Error(err)
				}
				waits = false
			default:
				a.pass(5 * time.Millisecond)
				runtime.Gosched()
			}
		}
	}
	heard := b.aws.Heard()
	if len(heard) != calls {
		t.Errorf("%d calls", len(heard))
	}
	for _, h := range heard {
		if h.Throttled {
			t.Fatal("it was throttled")
		}
	}
}

func TestAThrottledAnswerSlowsEverythingDownForAWhile(t *testing.T) {
	t.Parallel()
	b, budget, a := budgeted(t, 20)
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: "ListAccountAssignments", Times: 1})
	if _, err := b.client.Assigned(t.Context(), adaAdmin); change.CauseOf(err) != change.CauseThrottled {
		t.Fatalf("it answers %v", err)
	}
	if f := budget.Figures(); f.PerSecond != 14 || f.Throttled != 1 {
		t.Fatalf("figures %+v", f)
	}
	a.pass(2 * time.Second)
	began := 0
	for range 30 { // revocations too
		if _, _, err := budget.Turn(change.WithUrgency(t.Context(), change.UrgentRevoke), 10*time.Millisecond); err == nil {
			began++
		}
	}
	if began != 15 { // 14, and half a call for each second since
		t.Errorf("%d began at once", began)
	}
	a.pass(10 * time.Second)
	if f := budget.Figures(); f.PerSecond != 20 {
		t.Errorf("after a while there are %v a second", f.PerSecond)
	}
}

func TestTooManyCreatesUnderWayHoldUpGrantsAndNothingElse(t *testing.T) {
	t.Parallel()
	b, budget, a := budgeted(t, 20, func(o *sandbox.Options) { o.OutstandingCreates, o.SettleAfter = 1, time.Hour })
	if _, err := b.client.Create(t.Context(), adaAdmin, "EC-1"); err != nil {
		t.Fatal(err)
	}
	a.pass(time.Second)
	other := adaAdmin
	other.AccountID = management
	if _, err := b.client.Create(t.Context(), other, "EC-2"); change.CauseOf(err) != change.CauseThrottled {
		t.Fatalf("it answers %v", err)
	}
	if f := budget.Figures(); f.PerSecond != 20 || f.Throttled != 1 {
		t.Errorf("figures %+v", f)
	}
	grants := queue(t, budget, change.UrgentGrant)
	for _, u := range []change.Urgency{change.UrgentRevoke, change.UrgentPoll} {
		a.pass(100 * time.Millisecond)
		_, done, err := budget.Turn(change.WithUrgency(t.Context(), u), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		done()
	}
	if len(grants) > 0 {
		t.Error("a grant was not held up")
	}
	a.pass(time.Second)
	<-grants
}

func TestATurnIsForOneCall(t *testing.T) {
	t.Parallel()
	b, budget, _ := budgeted(t, 1)
	ctx, done, err := b.client.Turn(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.client.Create(ctx, adaAdmin, "EC-1"); err != nil {
		t.Fatal(err)
	}
	done()
	if got := budget.Figures().Calls[change.UrgentGrant]; got != 1 {
		t.Errorf("%d turns", got)
	}
	if _, err := b.client.Delete(ctx, adaAdmin, "EC-1"); change.CauseOf(err) != change.CauseCrowded || change.OutcomeOf(err) != change.NotNow {
		t.Errorf("a second call answers %v", err)
	}
	if h := b.aws.History(); len(h) != 1 {
		t.Errorf("AWS heard %v", h)
	}
}
