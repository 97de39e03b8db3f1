package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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
	Log      *slog.Logger

	digest  atomic.Pointer[change.Month] // the one that was asked for last
	mu      sync.Mutex
	failing map[change.Number]time.Time // until when a change that failed is passed over
}

// clockBatch is how many due changes one look takes up.
const clockBatch = 200

// failingPause is how long a change is passed over that could not be moved on,
// when there are so many that they would keep all others from their turn.
const failingPause = 30 * time.Second

// Tick carries out what has come due, and answers how many changes it was. One
// change that fails holds up no other.
func (k *Clock) Tick(ctx context.Context) (int, error) {
	due, err := k.Ledger.DueChanges(ctx, k.Now(), clockBatch, k.passedOver()...)
	if err != nil {
		return 0, err
	}
	var failures []error
	if err := k.wantDigest(ctx); err != nil {
		failures = append(failures, err)
	}
	for _, n := range due {
		if _, err := k.Workflow.Do(ctx, n, change.Tick{}, change.Itself("clock")); err != nil {
			k.Log.ErrorContext(ctx, "the clock could not move a change on", "change", n.String(), "error", err)
			failures = append(failures, err)
			if len(due) == clockBatch { // else all others have had their turn
				k.passOver(n)
			}
		}
	}
	return len(due), errors.Join(failures...)
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
