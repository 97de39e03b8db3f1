package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// noChange is the number of deliveries that belong to no change.
const noChange change.Number = 0

// WantDigest asks once for the digest of a month, unless breakglass has heard
// of no change before the month's end: then there is nothing to tell of.
func (l *Ledger) WantDigest(ctx context.Context, m change.Month, now time.Time) error {
	var heard bool
	if err := l.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM changes WHERE requested_at < $1)`, m.End()).Scan(&heard); err != nil {
		return fmt.Errorf("look for the first change: %w", err)
	}
	if !heard {
		return nil
	}
	return l.Put(ctx, []change.Delivery{{Number: noChange, Kind: change.DeliverDigest, Key: m.String(), Mode: change.Once}}, 1, now)
}

// PostedForAll records in one step that what belongs to no change (a digest, a
// seal) was posted, and where, and adds e to the system chain. It answers
// ErrClaimLost when the claim is gone; then neither is recorded.
func (l *Ledger) PostedForAll(ctx context.Context, d Delivery, external string, e change.Event) error {
	return l.InTx(ctx, func(tx Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE deliveries SET done = wanted, external_id = $3, last_error = '', attempts = 0, claim = '', lease_until = NULL,
				state = 'done', next_try = NULL
			WHERE id = $1 AND claim = $2`, d.ID, d.claim, external)
		if err != nil {
			return fmt.Errorf("store the result of a delivery: %w", err)
		}
		if tag.RowsAffected() != 1 {
			return ErrClaimLost
		}
		head, err := tx.lockSystemChain(ctx)
		if err != nil {
			return err
		}
		return tx.appendSystem(head, e)
	})
}
