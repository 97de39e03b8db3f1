package reconcile

import (
	"context"
	"errors"
	"log/slog"
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

	digest atomic.Pointer[change.Month] // the one that was asked for last
}

// clockBatch is how many due changes one look takes up.
const clockBatch = 200

// Tick carries out what has come due, and answers how many changes it was. One
// change that fails holds up no other.
func (k *Clock) Tick(ctx context.Context) (int, error) {
	due, err := k.Ledger.DueChanges(ctx, k.Now(), clockBatch)
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
		}
	}
	return len(due), errors.Join(failures...)
}
