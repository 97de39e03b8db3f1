package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// Clock lets happen what is due by time alone: escalations, lapses, ends,
// reminders, breaches and the monthly digest.
type Clock struct {
	Ledger   *ledger.Ledger
	Workflow *workflow.Workflow
	Now      func() time.Time
	Digests  bool // a monthly digest is wanted: there is an audit channel
	// Revokes counts the revocations that nobody has begun, up to most: very many ends
	// wait a moment for them. Nil: they wait for none.
	Revokes func(ctx context.Context, most int) (int, error)
	Log     *slog.Logger

	digest  atomic.Pointer[change.Month] // the one that was asked for last
	mu      sync.Mutex
	failing map[change.Number]time.Time // until when a change that failed is passed over
	ending  chan struct{}               // closed when the many ends that are carried out just now are over; nil: there are none
}

const (
	manyEnds    = 25              // at once are worth that messages wait for them …
	giveWay     = 2 * time.Second // … so long, and that the ends wait for AWS to be asked
	revokesLook = 50 * time.Millisecond
	clockBatch  = 200 // due changes that one look takes up
	clockRounds = 20  // looks in a row, while there is that much to do
	clockAtOnce = 8   // of them moved on at once: each is a commit, and commits go together
)

// failingPause is how long a change is passed over that could not be moved on,
// when there are so many that they would keep all others from their turn.
const failingPause = 30 * time.Second

// Tick carries out what has come due, the ends of access first, and answers how
// many changes it was. One change that fails holds up no other.
func (k *Clock) Tick(ctx context.Context) (int, error) {
	done := 0
	defer k.ends(0)
	for range clockRounds {
		due, ends, err := k.due(ctx)
		if err != nil {
			return done, err
		}
		k.ends(ends)
		if done == 0 {
			k.letRevoke(ctx, ends)
		}
		if failures := k.moveOn(ctx, due); len(failures) > 0 {
			err = errors.Join(failures...)
		}
		done += len(due)
		if err != nil || len(due) < clockBatch || ctx.Err() != nil {
			return done, errors.Join(err, k.wantDigest(ctx))
		}
	}
	return done, k.wantDigest(ctx)
}

// due lists what one look takes up: ends of access before everything else. It tells
// how many of them there are.
func (k *Clock) due(ctx context.Context) (all []change.Number, ends int, err error) {
	now, over := k.Now(), k.passedOver()
	all, err = k.Ledger.DueEnds(ctx, now, clockBatch, over...)
	if ends = len(all); err != nil || ends == clockBatch {
		return all, ends, err
	}
	rest, err := k.Ledger.DueChanges(ctx, now, clockBatch-ends, append(over, all...)...)
	return append(all, rest...), ends, err
}

// ends notes how many ends are being carried out.
func (k *Clock) ends(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case n >= manyEnds && k.ending == nil:
		k.ending = make(chan struct{})
	case n < manyEnds && k.ending != nil:
		close(k.ending)
		k.ending = nil
	}
}

// letRevoke waits while very many accesses that end at once are still to be taken
// away, but not long. Their end stands in the grants, so that AWS is asked without
// us; what is written of it would only take the processor and the database from that.
func (k *Clock) letRevoke(ctx context.Context, ends int) {
	if k.Revokes == nil || ends < manyEnds {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, giveWay)
	defer cancel()
	look := time.NewTicker(revokesLook)
	defer look.Stop()
	for {
		if n, err := k.Revokes(ctx, manyEnds); err != nil || n < manyEnds {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// GiveWay waits while very many accesses end at once, but not long: what is to be
// said of them can wait until AWS has been asked.
func (k *Clock) GiveWay(ctx context.Context) {
	k.mu.Lock()
	ending := k.ending
	k.mu.Unlock()
	if ending == nil {
		return
	}
	patience := time.NewTimer(giveWay)
	defer patience.Stop()
	select {
	case <-ending:
	case <-patience.C:
	case <-ctx.Done():
	}
}

// moveOn lets happen what is due to changes, to some of them at once.
func (k *Clock) moveOn(ctx context.Context, due []change.Number) []error {
	var failures []error
	var mu sync.Mutex
	var all errgroup.Group
	all.SetLimit(clockAtOnce)
	for _, n := range due {
		all.Go(func() error {
			if err := k.move(ctx, n); err != nil {
				k.Log.ErrorContext(ctx, "the clock could not move a change on", "change", n.String(), "error", err)
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
				if len(due) == clockBatch { // else all others have had their turn
					k.passOver(n)
				}
			}
			return nil
		})
	}
	_ = all.Wait() // none answers an error: each is kept
	return failures
}

// move lets happen what is due to one change. A panic is an error of this change: it
// must not end the program, which others need to end their access.
func (k *Clock) move(ctx context.Context, n change.Number) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: panic: %v\n%s", n, p, debug.Stack())
		}
	}()
	_, err = k.Workflow.Do(ctx, n, change.Tick{}, change.Itself("clock"))
	return err
}

// passOver lets a change that failed wait for its next try.
func (k *Clock) passOver(n change.Number) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failing == nil {
		k.failing = map[change.Number]time.Time{}
	}
	k.failing[n] = k.Now().Add(failingPause)
}

// passedOver lists the changes that wait for their next try.
func (k *Clock) passedOver() []change.Number {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.Now()
	maps.DeleteFunc(k.failing, func(_ change.Number, until time.Time) bool { return !now.Before(until) })
	return slices.Collect(maps.Keys(k.failing))
}
