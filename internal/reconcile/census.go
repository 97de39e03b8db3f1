package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// CensusAWS is Identity Center, as the census needs it. Every failure is a
// *change.OutsideError.
type CensusAWS interface {
	// AssignedUsers lists who has a permission set in an account directly, and
	// counts the groups that do. pace is called before each page.
	AssignedUsers(ctx context.Context, accountID, permissionSetARN string, pace func(context.Context) error) (users []string, groups int, err error)
	// CheckUser tells who a user is. The answer is of use also beside an error.
	CheckUser(ctx context.Context, userID string) (change.AWSUser, error)
}

// Census compares, round after round, what AWS lists for each configured account
// and permission set with what the ledger says. What two looks agree about is a
// finding: told once to the audit channel, and kept until it is no more. Between
// the rounds it looks at findings whose time has come, and every few minutes at
// the access of active changes.
//
// One replica works on it at a time; where it was broken off, the next goes on.
// It gives way to everything else that is asked of AWS. All its fields but Pause
// and Sleep are needed.
type Census struct {
	Ledger   *ledger.Ledger
	Workflow *workflow.Workflow // its rules say what is configured; its waker wakes the access reconciler
	AWS      CensusAWS
	Every    time.Duration // between the beginnings of two rounds
	Pause    time.Duration // between two calls; 0: 250 ms
	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error // nil: by a timer
	Nonce    func() string                                    // unique each time; marks claims
	Log      *slog.Logger

	ready atomic.Bool // the row is there, and due in time

	mu   sync.Mutex
	next time.Time // when the next call may be sent
}

// The times of the census.
const (
	censusFirst   = 5 * time.Minute        // a new installation has better things to do first
	censusPause   = 250 * time.Millisecond // four calls a second: a fifth of what AWS allows to all
	censusYield   = time.Second            // at a time, while there is more urgent work for AWS …
	censusYields  = 5                      // … and so often before each call, so that it is not held up for ever
	censusAgree   = 30 * time.Second       // two looks that agree are at least so far apart; longer than a list lags
	censusAgain   = 5 * time.Second        // until a look that said nothing is taken again
	censusSoon    = time.Minute            // until something that is to alter soon is looked at again
	censusActive  = 2 * time.Minute        // until the access of an active change is looked at again
	censusBarred  = time.Hour              // until a finding that AWS does not let us look at is looked at again
	censusPatient = 5                      // tries without any answer before a pair is skipped
	censusKeep    = 20                     // pairs after which it is stored how far a round has come
)

// Pairs lists what is configured to be looked at, in the order of a round.
func (k *Census) Pairs() []ledger.CensusPair {
	var all []ledger.CensusPair
	for _, t := range k.Workflow.Rules.Targets {
		for _, s := range t.PermissionSets {
			all = append(all, ledger.CensusPair{AccountID: t.AccountID, PermissionSetARN: s.ARN})
		}
	}
	slices.SortFunc(all, comparePairs)
	return slices.Compact(all)
}

func comparePairs(a, b ledger.CensusPair) int {
	return cmp.Or(cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.PermissionSetARN, b.PermissionSetARN))
}

// Work goes on with the census for a minute at most, if it is due and nobody else
// works on it. That AWS fails is no error here; an error means that the ledger did
// not answer. It ends early when ctx does.
func (k *Census) Work(ctx context.Context) error {
	now := k.Now()
	instance := k.Workflow.Rules.InstanceARN
	if !k.ready.Load() {
		if err := k.Ledger.EnsureCensus(ctx, instance, now.Add(censusFirst), k.Every); err != nil {
			return err
		}
		k.ready.Store(true)
	}
	row, err := k.Ledger.ClaimCensus(ctx, instance, now, now.Add(lease), k.Nonce())
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r := &censusRun{Census: k, row: row, pairs: k.Pairs()}
	next, err := r.run(ctx, now)
	switch {
	case errors.Is(err, ledger.ErrClaimLost):
		k.Log.WarnContext(ctx, "the census was taken over; what was seen last is thrown away")
		return nil
	case err != nil && ctx.Err() == nil:
		next = k.Now().Add(censusYield)
	}
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if end := k.Ledger.ReleaseCensus(release, r.row, next); end != nil && !errors.Is(end, ledger.ErrClaimLost) {
		err = errors.Join(err, end)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // it is the stop, and nothing else
	}
	return err
}

// censusRun is one run of Work on the claimed row.
type censusRun struct {
	*Census
	row    ledger.Census
	pairs  []ledger.CensusPair
	asked  time.Time // when the ledger last knew of nothing besides the round
	warned int
	busy   bool // by the last glance, there is more urgent work for AWS
}

// run looks at pairs until there is none left for now, and answers when to go on.
func (r *censusRun) run(ctx context.Context, began time.Time) (next time.Time, err error) {
	glance, err := r.Ledger.Glance(ctx, r.row.InstanceARN, ledger.CensusPair{}, began)
	if err != nil {
		return began, err
	}
	r.busy = glance.Busy
	for {
		now := r.Now()
		if ctx.Err() != nil || now.Sub(began) > runFor {
			return now, nil //nolint:nilerr // that the program stops is no failure
		}
		pair, err := r.due(ctx, now)
		round := false
		if errors.Is(err, ledger.ErrNotFound) {
			pair, round, err = r.upNext(ctx, now)
			if errors.Is(err, ledger.ErrNotFound) {
				return r.rest(now), nil
			}
		}
		if err != nil {
			return now, err
		}
		pause, err := r.take(ctx, pair, round)
		if err != nil {
			return now, err
		}
		if pause > 0 {
			return r.Now().Add(pause), nil
		}
	}
}

// due answers a pair that is to be looked at besides the rounds. It asks the ledger
// once a second at most, unless there was one. It answers ErrNotFound when there
// is none.
func (r *censusRun) due(ctx context.Context, now time.Time) (ledger.CensusPair, error) {
	if now.Before(r.asked.Add(time.Second)) {
		return ledger.CensusPair{}, ledger.ErrNotFound
	}
	pair, err := r.Ledger.DueCensusPair(ctx, r.row.InstanceARN, now, now.Add(-censusActive))
	if errors.Is(err, ledger.ErrNotFound) {
		r.asked = now
	}
	return pair, err
}

// rest is when to go on: active changes are looked at in any case.
func (r *censusRun) rest(now time.Time) time.Time {
	next := now.Add(censusActive)
	if round := r.row.LastBegan.Add(r.Every); round.Before(next) {
		next = round
	}
	return next
}

// upNext answers the next pair of the round under way, beginning one when it is
// time and ending it behind its last. It answers ErrNotFound between the rounds.
func (r *censusRun) upNext(ctx context.Context, now time.Time) (ledger.CensusPair, bool, error) {
	if r.row.Began.IsZero() {
		if !r.row.LastBegan.IsZero() && now.Before(r.row.LastBegan.Add(r.Every)) {
			return ledger.CensusPair{}, false, ledger.ErrNotFound
		}
		r.row.Began, r.row.Cursor, r.row.Pairs, r.row.Skipped = ledger.Micro(now), ledger.CensusPair{}, 0, 0
	}
	i, found := slices.BinarySearchFunc(r.pairs, r.row.Cursor, comparePairs)
	if found {
		i++
	}
	if i < len(r.pairs) {
		return r.pairs[i], true, nil
	}
	if err := r.endRound(ctx, now); err != nil {
		return ledger.CensusPair{}, false, err
	}
	return ledger.CensusPair{}, false, ledger.ErrNotFound
}

// endRound stores the figures of a full round, and closes the findings that are
// no longer among what is configured.
func (r *censusRun) endRound(ctx context.Context, now time.Time) error {
	after := r.row
	after.LastBegan, after.LastEnded, after.LastPairs, after.LastSkipped = after.Began, ledger.Micro(now), after.Pairs, after.Skipped
	after.Began, after.Cursor, after.Pairs, after.Skipped = time.Time{}, ledger.CensusPair{}, 0, 0
	err := r.Ledger.InTx(ctx, func(tx ledger.Tx) error {
		if err := tx.SaveCensus(ctx, after, now.Add(lease)); err != nil {
			return err
		}
		stray, err := tx.UnconfiguredFindings(ctx, after.InstanceARN, r.pairs)
		if err != nil {
			return err
		}
		j := &judging{censusRun: r, ctx: ctx, tx: tx, now: ledger.Micro(now)}
		for i := range stray {
			if err := j.finish(&stray[i], change.OutcomeUnconfigured); err != nil {
				return err
			}
		}
		return j.wake()
	})
	if err != nil {
		return fmt.Errorf("end a round of the census: %w", err)
	}
	r.row = after
	level := slog.LevelInfo
	if after.LastSkipped > 0 {
		level = slog.LevelWarn
	}
	r.Log.Log(ctx, level, "a round of the census is over", "pairs", after.LastPairs, "skipped", after.LastSkipped, "took", after.LastEnded.Sub(after.LastBegan).String())
	return nil
}
