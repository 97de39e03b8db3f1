package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// ErrNoSlot says that as many operations are in flight as there may be.
var ErrNoSlot = errors.New("too many operations are in flight")

// slotLock serialises the counting of operations in flight. The number is ours
// by choice; River uses two-part keys.
const slotLock = 7_320_841_960

const inFlight = `SELECT count(*) FROM assignments WHERE operation <> '' AND sent_at > $1`

// InFlight counts the creates and deletes that are in flight, of all replicas,
// and that were sent after since: an older one is stuck, and holds nobody up.
func (l *Ledger) InFlight(ctx context.Context, since time.Time) (int, error) {
	var count int
	if err := l.pool.QueryRow(ctx, inFlight, since).Scan(&count); err != nil {
		return 0, fmt.Errorf("count the operations in flight: %w", err)
	}
	return count, nil
}

// TakeSlot answers ErrNoSlot when limit operations sent after since are in
// flight already. Until the transaction ends nobody else counts, so that an
// operation saved in it is counted by the next.
func (tx Tx) TakeSlot(ctx context.Context, since time.Time, limit int) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(slotLock)); err != nil {
		return fmt.Errorf("wait for a slot: %w", err)
	}
	var count int
	if err := tx.QueryRow(ctx, inFlight, since).Scan(&count); err != nil {
		return fmt.Errorf("count the operations in flight: %w", err)
	}
	if count >= limit {
		return ErrNoSlot
	}
	return nil
}

// Parties reads the changes that have a grant on an assignment which is not
// over, with those grants.
func (l *Ledger) Parties(ctx context.Context, id int64) (grants []Grant, changes []change.Change, err error) {
	err = l.InTx(ctx, func(tx Tx) error {
		if grants, err = tx.grantsOf(ctx, id); err != nil {
			return err
		}
		for _, g := range grants {
			h, err := scanHead(tx.QueryRow(ctx, `SELECT `+changeColumns+` FROM changes c WHERE c.number = $1`, int64(g.Number)))
			if err != nil {
				return fmt.Errorf("read %s: %w", g.Number, err)
			}
			changes = append(changes, h.Change)
		}
		return nil
	})
	return grants, changes, err
}

// LastGranted answers the newest change that ever had a grant on an assignment.
// It answers ErrNotFound when there is none.
func (l *Ledger) LastGranted(ctx context.Context, id int64) (change.Number, error) {
	var n *int64
	if err := l.pool.QueryRow(ctx, `SELECT max(number) FROM grants WHERE assignment_id = $1`, id).Scan(&n); err != nil {
		return 0, fmt.Errorf("look for the last grant: %w", err)
	}
	if n == nil {
		return 0, ErrNotFound
	}
	return change.Number(*n), nil
}

// Wanted tells whether any grant wants the assignment. Behind SaveAssignment in
// the same transaction it sees every grant that was made before.
func (tx Tx) Wanted(ctx context.Context, id int64) (bool, error) {
	var wanted bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM grants WHERE assignment_id = $1 AND wanted AND NOT over)`, id).Scan(&wanted); err != nil {
		return false, fmt.Errorf("look for grants: %w", err)
	}
	return wanted, nil
}
