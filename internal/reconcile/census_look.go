package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// take looks at one pair and keeps what came of it. A pause says that AWS is to be
// left alone for so long.
func (r *censusRun) take(ctx context.Context, pair ledger.CensusPair, round bool) (pause time.Duration, err error) {
	ctx = change.WithUrgency(ctx, change.UrgentCensus)
	var began time.Time // when the first page was asked for: what is known to be newer counts more
	users, groups, err := r.AWS.AssignedUsers(ctx, pair.AccountID, pair.PermissionSetARN, func(ctx context.Context) error {
		err := r.pace(ctx)
		if began.IsZero() {
			began = r.Now()
		}
		return err
	})
	if ctx.Err() != nil {
		return 0, nil //nolint:nilerr // the program stops: whoever goes on asks again
	}
	if err != nil {
		return r.unseen(ctx, pair, round, err)
	}
	r.row.Tries = 0
	glance, err := r.Ledger.Glance(ctx, r.row.InstanceARN, pair, r.Now())
	if err != nil {
		return 0, err
	}
	r.busy = glance.Busy
	if groups > 0 {
		r.Log.DebugContext(ctx, "assignments to groups are not the census's affair", "account", pair.AccountID, "permission_set", pair.PermissionSetARN, "groups", groups)
	}
	if round {
		r.row.Cursor, r.row.Pairs = pair, r.row.Pairs+1
	}
	if len(users) == 0 && !glance.Known {
		if round && r.row.Pairs%censusKeep != 0 {
			return 0, nil
		}
		return 0, r.Ledger.InTx(ctx, func(tx ledger.Tx) error { return tx.SaveCensus(ctx, r.row, r.Now().Add(lease)) })
	}
	return 0, r.judge(ctx, pair, users, began)
}

// unseen takes in that AWS gave no list of a pair. One that is not there, or not
// for us to see, is skipped; for everything else the census waits.
func (r *censusRun) unseen(ctx context.Context, pair ledger.CensusPair, round bool, cause error) (pause time.Duration, err error) {
	outcome := change.OutcomeOf(cause)
	r.row.Tries++
	barred := outcome == change.Refused || outcome == change.Missing
	if !barred && (outcome == change.NotNow || r.row.Tries < censusPatient) {
		pause = min(time.Minute, time.Second<<min(r.row.Tries-1, 6))
		if outside, ok := errors.AsType[*change.OutsideError](cause); ok && outside.RetryAfter > pause {
			pause = outside.RetryAfter
		}
		r.Log.InfoContext(ctx, "AWS did not answer the census; it waits", "account", pair.AccountID, "permission_set", pair.PermissionSetARN,
			"pause", pause.String(), "try", r.row.Tries, "error", cause)
		return pause, nil
	}
	const loud = 10 // of a run; where everything is forbidden, one line for each pair says no more
	if r.warned++; r.warned <= loud {
		r.Log.WarnContext(ctx, "the census skips what AWS does not let it look at", "account", pair.AccountID, "permission_set", pair.PermissionSetARN, "error", cause)
	}
	r.row.Tries = 0
	if round {
		r.row.Cursor, r.row.Pairs, r.row.Skipped = pair, r.row.Pairs+1, r.row.Skipped+1
	}
	now := ledger.Micro(r.Now())
	return 0, r.Ledger.InTx(ctx, func(tx ledger.Tx) error { // what is known of it stays as it is
		if err := tx.SaveCensus(ctx, r.row, now.Add(lease)); err != nil {
			return err
		}
		state, err := tx.CensusState(ctx, r.row.InstanceARN, pair, now)
		if err != nil {
			return err
		}
		for _, f := range state.Findings {
			if f.NextLook.IsZero() || f.NextLook.After(now) {
				continue
			}
			f.NextLook = now.Add(censusBarred)
			if err := tx.PutFinding(ctx, &f); err != nil {
				return err
			}
		}
		return tx.Counted(ctx, r.row.InstanceARN, pair, now)
	})
}

// judge compares a list with the ledger, in one transaction with what follows
// from it.
func (r *censusRun) judge(ctx context.Context, pair ledger.CensusPair, users []string, began time.Time) error {
	names := map[string]string{}
	for range nameRounds {
		err := r.judged(ctx, pair, users, began, names)
		if !errors.Is(err, errNameless) {
			return err
		}
		for id, known := range names { // outside the transaction; AWS need not answer
			if known == "" {
				names[id] = r.nameOf(ctx, id)
			}
		}
	}
	return nil // the next look tells
}

// nameOf asks AWS what a user is called.
func (r *censusRun) nameOf(ctx context.Context, id string) string {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	user, err := r.AWS.CheckUser(call, id)
	if user.UserName == "" {
		r.Log.InfoContext(ctx, "who a user is could not be looked up", "aws_user", id, "error", err)
		return unnamed
	}
	return user.UserName
}

// nameRounds bounds how often a look is judged: more findings may come due while
// AWS is asked for names.
const nameRounds = 3

// errNameless says that users are to be told of whose names are not known yet.
var errNameless = errors.New("names are missing")

// unnamed stands for a name that AWS did not tell.
const unnamed = "\x00"

func (r *censusRun) judged(ctx context.Context, pair ledger.CensusPair, users []string, began time.Time, names map[string]string) error {
	err := r.Ledger.InTx(ctx, func(tx ledger.Tx) error {
		now := ledger.Micro(r.Now())
		if err := tx.SaveCensus(ctx, r.row, now.Add(lease)); err != nil {
			return err
		}
		state, err := tx.CensusState(ctx, r.row.InstanceARN, pair, now)
		if err != nil {
			return err
		}
		j := &judging{censusRun: r, ctx: ctx, tx: tx, now: now, began: began, names: names}
		if err := j.pair(pair, users, state); err != nil {
			return err
		}
		if err := tx.Counted(ctx, r.row.InstanceARN, pair, now); err != nil {
			return err
		}
		if len(j.nameless) > 0 {
			for _, id := range j.nameless {
				names[id] = ""
			}
			return errNameless
		}
		return j.wake()
	})
	if err != nil && !errors.Is(err, errNameless) && !errors.Is(err, ledger.ErrClaimLost) {
		return fmt.Errorf("census of %s in %s: %w", pair.PermissionSetARN, pair.AccountID, err)
	}
	return err
}

// pace waits until the next call may be sent: one at a time, with a pause between
// two, and later while there is more urgent work for AWS.
func (r *censusRun) pace(ctx context.Context) error {
	for n := 0; r.busy && n < censusYields; n++ {
		if err := r.sleep(ctx, censusYield); err != nil {
			return err
		}
		glance, err := r.Ledger.Glance(ctx, r.row.InstanceARN, ledger.CensusPair{}, r.Now())
		if err != nil {
			return err
		}
		r.busy = glance.Busy
	}
	return r.turn(ctx)
}

// turn waits for the turn of the next call.
func (k *Census) turn(ctx context.Context) error {
	k.mu.Lock()
	now, pause := k.Now(), k.Pause
	if pause <= 0 {
		pause = censusPause
	}
	at := k.next
	if at.Before(now) || at.Sub(now) > pause { // the latter: the clock was set back
		at = now
	}
	k.next = at.Add(pause)
	k.mu.Unlock()
	return k.sleep(ctx, at.Sub(now))
}

func (k *Census) sleep(ctx context.Context, d time.Duration) error {
	if k.Sleep != nil {
		return k.Sleep(ctx, d)
	}
	if d <= 0 {
		return ctx.Err() // it says all there is
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err() // it says all there is
	case <-t.C:
		return nil
	}
}
