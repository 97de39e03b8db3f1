package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// ErrNoSlot says that as many creates are in flight as there may be.
var ErrNoSlot = errors.New("too many creates are in flight")

// slotLock serialises the counting of operations in flight. The number is ours
// by choice; River uses two-part keys.
const slotLock = 7_320_841_960

const inFlight = `SELECT count(*) FROM assignments WHERE operation = 'create' AND sent_at > $1`

// CreatesUnderWay counts the creates that are in flight, of all replicas, and that
// were sent after since (an older one is stuck, and holds nobody up), and those that
// somebody is about to send.
func (l *Ledger) CreatesUnderWay(ctx context.Context, now, since time.Time) (int, error) {
	var count int
	err := l.pool.QueryRow(ctx, `SELECT count(*) FROM assignments a WHERE a.next_try IS NOT NULL
		AND ((a.operation = 'create' AND a.sent_at > $1) OR (a.lease_until > $2 AND `+laneOf+` = 'grant'))`, since, now).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("count the creates under way: %w", err)
	}
	return count, nil
}

// TakeSlot answers ErrNoSlot when limit creates sent after since are in flight
// already. Until the transaction ends nobody else counts, so that a create saved
// in it is counted by the next.
func (tx Tx) TakeSlot(ctx context.Context, since time.Time, limit int) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(slotLock)); err != nil {
		return fmt.Errorf("wait for a slot: %w", err)
	}
	var count int
	if err := tx.QueryRow(ctx, inFlight, since).Scan(&count); err != nil {
		return fmt.Errorf("count the creates in flight: %w", err)
	}
	if count >= limit {
		return ErrNoSlot
	}
	return nil
}

// Parties reads the changes that have a grant on an assignment which is not
// over, with those grants, as they were at one moment.
func (l *Ledger) Parties(ctx context.Context, id int64) (grants []Grant, changes []change.Change, err error) {
	rows, err := l.pool.Query(ctx, `SELECT g.number, g.wanted, g.over, g.until, c.document FROM grants g JOIN changes c ON c.number = g.number
		WHERE g.assignment_id = $1 AND NOT g.over ORDER BY g.number`, id)
	if err != nil {
		return nil, nil, fmt.Errorf("read who has a grant: %w", err)
	}
	var g Grant
	var until *time.Time
	var document []byte
	_, err = pgx.ForEachRow(rows, []any{&g.Number, &g.Wanted, &g.Over, &until, &document}, func() error {
		g.Until = zero(until)
		var c change.Change
		if err := json.Unmarshal(document, &c); err != nil {
			return fmt.Errorf("decode %s: %w", g.Number, err)
		}
		grants, changes = append(grants, g), append(changes, c)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read who has a grant: %w", err)
	}
	return grants, changes, nil
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

// Wanted tells whether any grant wants the assignment, and its time is not over.
// Behind SaveAssignment in the same transaction it sees every grant that was made
// before.
func (tx Tx) Wanted(ctx context.Context, id int64, now time.Time) (bool, error) {
	var wanted bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM grants WHERE assignment_id = $1 AND wanted AND NOT over AND (until IS NULL OR until > $2))`, id, now).Scan(&wanted); err != nil {
		return false, fmt.Errorf("look for grants: %w", err)
	}
	return wanted, nil
}
