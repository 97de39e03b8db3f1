package wake_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/wake"
)

// running starts a ticker that stops with the test.
func running(t *testing.T, ticker *wake.Ticker) *wake.Ticker {
	t.Helper()
	ticker.Start(t.Context())
	t.Cleanup(ticker.Stop)
	return ticker
}

func TestDueWorkIsFoundWithoutAnyJob(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	want := map[ledger.Work]bool{}
	for _, system := range ledger.Systems() {
		due(t, pool, 1, string(system))
		want[ledger.Work{Number: 1, System: system}] = true
	}
	id := dueAssignment(t, pool, "ada", start, 0)
	running(t, newTicker(pool, r.jobs()))
	for len(want) > 0 {
		delete(want, next(t, r.delivered))
	}
	if got := next(t, r.assigned); got != id {
		t.Errorf("assignment %d was worked on, want %d", got, id)
	}
}

func TestWhatIsDueLaterIsLeftAlone(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	var now atomic.Pointer[time.Time]
	before := start.Add(-time.Microsecond)
	now.Store(&before)
	looked := make(chan struct{})
	ticker := newTicker(pool, r.jobs())
	ticker.Now = func() time.Time { return *now.Load() }
	ticker.Clock = func(ctx context.Context) (int, error) {
		select {
		case looked <- struct{}{}:
		case <-ctx.Done():
		}
		return 0, nil
	}
	due(t, pool, 1, "Slack")
	dueAssignment(t, pool, "ada", start, 0)
	running(t, ticker)
	for range 20 {
		next(t, looked)
	}
	if len(r.delivered)+len(r.assigned) > 0 {
		t.Error("it was worked on before its time")
	}
	now.Store(&start)
	go func() {
		for range looked {
		}
	}()
	next(t, r.delivered)
	next(t, r.assigned)
}

func TestASystemThatStallsHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	for _, stalled := range ledger.Systems() {
		t.Run(string(stalled), func(t *testing.T) {
			t.Parallel()
			pool, r := databases.Pool(t), newReconcilers()
			release := make(chan struct{})
			r.deliver = func(_ context.Context, w ledger.Work) error {
				if w.System == stalled {
					<-release
				}
				return nil
			}
			for n := range int64(20) { // more than are worked on at once
				due(t, pool, n+1, string(stalled))
			}
			ticked := make(chan struct{}, 1)
			ticker := newTicker(pool, r.jobs())
			ticker.Clock = func(context.Context) (int, error) {
				select {
				case ticked <- struct{}{}:
				default:
				}
				return 0, nil
			}
			running(t, ticker)
			defer close(release)
			if w := next(t, r.delivered); w.System != stalled {
				t.Fatalf("%v comes first", w)
			}
			id := dueAssignment(t, pool, "ada", start, 0)
			var others []string
			for _, system := range ledger.Systems() {
				if system != stalled {
					due(t, pool, 100, string(system))
					others = append(others, string(system))
				}
			}
			for len(others) > 0 {
				got := string(next(t, r.delivered).System)
				others = slices.DeleteFunc(others, func(s string) bool { return s == got })
			}
			if got := next(t, r.assigned); got != id {
				t.Errorf("assignment %d", got)
			}
			next(t, ticked)
			next(t, ticked)
		})
	}
}

func TestAccessThatIsToGoComesFirst(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	release := make(chan struct{})
	r.assign = func(context.Context, int64) error {
		<-release
		return nil
	}
	var removals []int64
	for n, user := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} { // these have waited longer
		dueAssignment(t, pool, user, start.Add(-time.Hour), int64(n+1))
	}
	for _, user := range []string{"k", "l", "m"} {
		removals = append(removals, dueAssignment(t, pool, user, start, 0))
	}
	running(t, newTicker(pool, r.jobs()))
	defer close(release)
	var first []int64
	for range 8 { // as many as are worked on at once, in any order
		first = append(first, next(t, r.assigned))
	}
	for _, id := range removals {
		if !slices.Contains(first, id) {
			t.Errorf("removal %d is not among the first, %v", id, first)
		}
	}
}

func TestAFailureIsTriedAgainByTheNextLook(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	r.deliver = func(context.Context, ledger.Work) error { return errors.New("down") }
	r.assign = func(context.Context, int64) error { return errors.New("down") }
	due(t, pool, 1, "Slack")
	due(t, pool, 2, "Slack")
	dueAssignment(t, pool, "ada", start, 0)
	running(t, newTicker(pool, r.jobs()))
	tried := map[ledger.Work]int{}
	for tried[ledger.WorkOf(1, "Slack")] < 3 || tried[ledger.WorkOf(2, "Slack")] < 3 {
		tried[next(t, r.delivered)]++
	}
	for range 3 {
		next(t, r.assigned)
	}
}

func TestTheClockGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	ticked := make(chan struct{}, 1000)
	ticker := newTicker(databases.Pool(t), wake.Jobs{})
	ticker.Clock = func(context.Context) (int, error) {
		select {
		case ticked <- struct{}{}:
		default:
		}
		return 0, errors.New("the database does not answer")
	}
	running(t, ticker)
	for range 3 {
		next(t, ticked)
	}
}

func TestAStopWaitsForWhatIsInHandAndBeginsNothing(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	release, ended := make(chan struct{}), make(chan error, 100)
	r.deliver = func(ctx context.Context, _ ledger.Work) error {
		<-release
		ended <- ctx.Err()
		return nil
	}
	for n := range int64(20) {
		due(t, pool, n+1, "Jira")
	}
	ticker := newTicker(pool, r.jobs())
	ticker.Start(t.Context())
	for range 8 {
		next(t, r.delivered)
	}
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		close(stopping)
		ticker.Stop()
		close(stopped)
	}()
	next(t, stopping)
	select {
	case <-stopped:
		t.Fatal("it did not wait")
	default:
	}
	close(release)
	next(t, stopped)
	if n := len(ended); n < 8 {
		t.Errorf("%d of 8 were finished", n)
	}
	for range len(ended) {
		if err := <-ended; err != nil {
			t.Errorf("work in hand was broken off: %v", err)
		}
	}
}

func TestAStopBreaksOffWhatNeverEnds(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	r.deliver = func(ctx context.Context, _ ledger.Work) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for n := range int64(20) {
		due(t, pool, n+1, "Jira")
	}
	ticker := newTicker(pool, r.jobs())
	ticker.Start(t.Context())
	next(t, r.delivered)
	stopped := make(chan struct{})
	go func() {
		ticker.Stop()
		close(stopped)
	}()
	next(t, stopped)
	if n := len(r.delivered); n >= 19 {
		t.Errorf("%d more were begun", n)
	}
}

func TestWhatSlackSentIsForgottenAfterAWeek(t *testing.T) {
	t.Parallel()
	pool := databases.Pool(t)
	week := 7 * 24 * time.Hour
	for id, at := range map[string]time.Time{"old": start.Add(-week - time.Second), "young": start.Add(-week + time.Second)} {
		_, err := pool.Exec(t.Context(), `INSERT INTO seen (source, id, number, at) VALUES ('view', $1, 1, $2)`, id, at)
		must(t, err)
	}
	ticker := newTicker(pool, wake.Jobs{})
	ticker.Start(t.Context())
	defer ticker.Stop()
	var left []string
	deadline, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for len(left) != 1 {
		must(t, pool.QueryRow(deadline, `SELECT array_agg(id) FROM seen`).Scan(&left))
	}
	if left[0] != "young" {
		t.Errorf("left: %v", left)
	}
}

func TestAPanicInOneReconcilerTakesNothingElseDown(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	r.deliver = func(_ context.Context, w ledger.Work) error {
		if w.Number == 1 {
			panic("a poisoned row")
		}
		return nil
	}
	due(t, pool, 1, "Slack")
	due(t, pool, 2, "Slack")
	running(t, newTicker(pool, r.jobs()))
	for next(t, r.delivered).Number != 2 { // the poisoned one comes again and again, and the other comes too
	}
}

func TestSealingGoesOnBesideAClockThatStalls(t *testing.T) {
	t.Parallel()
	sealed := make(chan struct{})
	ticker := newTicker(databases.Pool(t), newReconcilers().jobs())
	ticker.Clock = func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
	ticker.Seal = func(ctx context.Context) error {
		select {
		case sealed <- struct{}{}:
		case <-ctx.Done():
		}
		return errors.New("the next look goes on")
	}
	running(t, ticker)
	for range 3 {
		next(t, sealed)
	}
}
