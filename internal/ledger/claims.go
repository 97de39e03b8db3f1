package ledger

import (
	"context"
	"fmt"
	"time"
)

// Later puts a delivery off that has nothing to do yet, with what it is waiting
// for. What was asked for anew since the claim is due at once, as in Delivered.
func (l *Ledger) Later(ctx context.Context, d Delivery, at time.Time, waitsFor string) error {
	return l.guarded(ctx, `UPDATE deliveries SET next_try = CASE WHEN next_try < lease_until THEN LEAST(next_try, $3) ELSE $3 END,
			last_error = $4, claim = '', lease_until = NULL
		WHERE id = $1 AND claim = $2`, d.ID, d.claim, at, waitsFor)
}

// Retry is as the ledger's, in a transaction.
func (tx Tx) Retry(ctx context.Context, d Delivery, at time.Time, lastError string) error {
	tag, err := tx.Exec(ctx, retry, d.ID, d.claim, at, lastError)
	if err != nil {
		return fmt.Errorf("store the result of a delivery: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return ErrClaimLost
	}
	return nil
}

// GiveBack gives a delivery's claim back of which nothing could be stored. It is
// due again at a time, and not only when the lease is over. A claim that is lost
// already is none to give back.
func (l *Ledger) GiveBack(ctx context.Context, d Delivery, at time.Time) error {
	_, err := l.pool.Exec(ctx, `UPDATE deliveries SET next_try = LEAST(next_try, $3), claim = '', lease_until = NULL
		WHERE id = $1 AND claim = $2`, d.ID, d.claim, at)
	if err != nil {
		return fmt.Errorf("give a delivery back: %w", err)
	}
	return nil
}

// GiveBackAssignment gives an assignment's claim back of which nothing could be
// stored; it is due again at a time.
func (l *Ledger) GiveBackAssignment(ctx context.Context, a Assignment, at time.Time) error {
	_, err := l.pool.Exec(ctx, `UPDATE assignments SET next_try = $3, claim = '', lease_until = NULL
		WHERE id = $1 AND claim = $2`, a.ID, a.claim, at)
	if err != nil {
		return fmt.Errorf("give an assignment back: %w", err)
	}
	return nil
}

// Unclaim gives a claim back that may have been stored although its answer was lost;
// what it was on is due at a time. Where there is none, it does nothing.
func (l *Ledger) Unclaim(ctx context.Context, w Work, claim string, at time.Time) error {
	_, err := l.pool.Exec(ctx, `UPDATE deliveries SET next_try = LEAST(next_try, $4), attempts = attempts - 1, claim = '', lease_until = NULL
		WHERE number = $1 AND system = $2 AND claim = $3`, int64(w.Number), string(w.System), claim, at)
	if err != nil {
		return fmt.Errorf("give a claim back: %w", err)
	}
	return nil
}

// UnclaimAssignment is Unclaim for an assignment, which stays due.
func (l *Ledger) UnclaimAssignment(ctx context.Context, id int64, claim string) error {
	_, err := l.pool.Exec(ctx, `UPDATE assignments SET claim = '', lease_until = NULL WHERE id = $1 AND claim = $2`, id, claim)
	if err != nil {
		return fmt.Errorf("give a claim back: %w", err)
	}
	return nil
}
