package wake

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Ticker looks again and again for what is due, and works it off. Its three
// looks do not wait for one another: a slow Jira holds up no revocation.
type Ticker struct {
	Ledger *ledger.Ledger
	Jobs   Jobs
	Clock  func(ctx context.Context) (due int, err error) // reconcile.Clock.Tick
	Now    func() time.Time
	Every  time.Duration // between two looks; 0: 250 ms
	Log    *slog.Logger

	stop context.CancelFunc // of the looks
	cut  context.CancelFunc // of the work that they have found
	done sync.WaitGroup
}

// endWithin is how long Stop lets work in hand go on. A call that is cut off may
// have been heard, and what it made would have to be looked for.
const endWithin = 5 * time.Second

// seenFor is how long it is remembered what Slack has sent. It repeats nothing
// that old.
const seenFor = 7 * 24 * time.Hour

const (
	tickBatch = 100 // due rows taken up by one look
	atOnce    = 8   // of them worked on at once, for each system
)

// Start begins to tick, until Stop.
func (t *Ticker) Start(ctx context.Context) {
	working, cut := context.WithCancel(ctx)
	ctx, t.stop = context.WithCancel(ctx)
	t.cut = cut
	every := t.Every
	if every == 0 {
		every = 250 * time.Millisecond
	}
	t.loop(ctx, every, "clock", func(ctx context.Context) error {
		_, err := t.Clock(ctx)
		return err
	})
	for _, system := range ledger.Systems() {
		t.loop(ctx, every, string(system), func(ctx context.Context) error {
			work, err := t.Ledger.DueWork(ctx, system, t.Now(), tickBatch)
			if err != nil {
				return err
			}
			return each(ctx, work, func(w ledger.Work) error { return t.Jobs.Deliver(working, w) })
		})
	}
	t.loop(ctx, time.Hour, "housekeeping", func(ctx context.Context) error {
		return t.Ledger.ForgetSeen(ctx, t.Now().Add(-seenFor))
	})
	if t.Jobs.Assign != nil {
		t.loop(ctx, every, "access", func(ctx context.Context) error { return t.assign(ctx, working) })
	}
}

// Stop ends the ticking and waits for what is in hand, for endWithin; what is not
// done then is cut off, and goes on after the next start.
func (t *Ticker) Stop() {
	t.stop()
	late := time.AfterFunc(endWithin, t.cut)
	t.done.Wait()
	late.Stop()
	t.cut()
}

func (t *Ticker) loop(ctx context.Context, every time.Duration, what string, look func(context.Context) error) {
	t.done.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			if err := look(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Log.ErrorContext(ctx, "a look for due work failed", "what", what, "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// assign works off the assignments that are due, those to be removed first.
func (t *Ticker) assign(ctx, working context.Context) error {
	ids, err := t.Ledger.DueAssignments(ctx, t.Now(), tickBatch)
	if err != nil {
		return err
	}
	return each(ctx, ids, func(id int64) error { return t.Jobs.Assign(working, id) })
}

// each does the work, some of it at once, and begins no more when ctx ends.
func each[T any](ctx context.Context, work []T, do func(T) error) error {
	var all errgroup.Group
	all.SetLimit(atOnce)
	for _, w := range work {
		if ctx.Err() != nil {
			break
		}
		all.Go(func() error { return do(w) })
	}
	return all.Wait()
}
