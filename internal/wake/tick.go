package wake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Ticker looks again and again for what is due, and works it off. Its
// looks do not wait for one another: a slow Jira holds up no revocation.
type Ticker struct {
	Ledger *ledger.Ledger
	Jobs   Jobs
	Clock  func(ctx context.Context) (due int, err error) // reconcile.Clock.Tick
	Seal   func(ctx context.Context) error                // reconcile.Sealer.Seal; nil: nothing is sealed
	Census func(ctx context.Context) error                // reconcile.Census.Work; nil where no access is granted through AWS
	Lanes  []Lane                                         // in which assignments are worked off; nil: one for all of them
	Now    func() time.Time
	Every  time.Duration // between two looks; 0: 250 ms
	Log    *slog.Logger

	stopping chan struct{}
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

// inHand is how long Stop lets go on what is in hand before it is broken off, as
// long as River does: a call that is broken off may have happened.
const inHand = 5 * time.Second

// seenFor is how long it is remembered what Slack has sent. It repeats nothing
// that old.
const seenFor = 7 * 24 * time.Hour

const (
	tickBatch = 100 // due rows taken up by one look
	atOnce    = 8   // of them worked on at once, for each system
)

// Start begins to tick, until Stop.
func (t *Ticker) Start(ctx context.Context) {
	ctx, t.cancel = context.WithCancel(ctx)
	t.stopping = make(chan struct{})
	every := t.Every
	if every == 0 {
		every = 250 * time.Millisecond
	}
	t.loop(ctx, every, "clock", func(ctx context.Context) error {
		_, err := t.Clock(ctx)
		return err
	})
	if t.Seal != nil { // beside the clock: the first seal of a large ledger takes a while
		t.loop(ctx, every, "seal", t.Seal)
	}
	for _, system := range ledger.Systems() {
		t.loop(ctx, every, string(system), func(ctx context.Context) error {
			work, err := t.Ledger.DueWork(ctx, system, t.Now(), tickBatch)
			if err != nil {
				return err
			}
			return each(t.stopping, work, func(w ledger.Work) error { return t.Jobs.Deliver(ctx, w) })
		})
	}
	t.loop(ctx, time.Hour, "housekeeping", func(ctx context.Context) error {
		return t.Ledger.ForgetSeen(ctx, t.Now().Add(-seenFor))
	})
	if t.Jobs.Assign != nil {
		for _, lane := range t.lanes() {
			t.done.Go(func() { t.drive(ctx, every, lane) })
		}
	}
	if t.Census != nil {
		t.loop(ctx, time.Second, "census", t.census)
	}
}

// census goes on with the census. A stop need not wait for it: it only reads from
// AWS, and goes on elsewhere.
func (t *Ticker) census(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-t.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return safely(func() error { return t.Census(ctx) })
}

// Stop ends the ticking: nothing is begun any more. It waits for what is in
// hand, which is broken off after some seconds.
func (t *Ticker) Stop() {
	if t.stopping == nil {
		return // it was never started
	}
	close(t.stopping)
	patience := time.AfterFunc(inHand, t.cancel)
	t.done.Wait()
	patience.Stop()
	t.cancel()
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
			case <-t.stopping:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// safely turns a panic into an error: one poisoned row must not take everything
// else down with it. The row stays due.
func safely(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// each does the work, some of it at once, and begins none once it is stopped:
// what is left stays due.
func each[T any](stopping <-chan struct{}, work []T, do func(T) error) error {
	var all errgroup.Group
	all.SetLimit(atOnce)
	for _, w := range work {
		all.Go(func() error {
			select {
			case <-stopping:
				return nil
			default:
				return safely(func() error { return do(w) })
			}
		})
	}
	return all.Wait()
}
