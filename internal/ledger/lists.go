package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// DueChanges lists the changes that the clock must look at, the longest waiting
// first, at most limit, and none of those to be passed over.
func (l *Ledger) DueChanges(ctx context.Context, now time.Time, limit int, over ...change.Number) ([]change.Number, error) {
	numbers := make([]int64, len(over))
	for i, n := range over {
		numbers[i] = int64(n)
	}
	rows, err := l.pool.Query(ctx, `SELECT number FROM changes WHERE next_at <= $1 AND number <> ALL ($3) ORDER BY next_at LIMIT $2`, now, limit, numbers)
	if err != nil {
		return nil, fmt.Errorf("look for due changes: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[change.Number])
}

// OpenChanges lists the changes that are not final, newest first, at most limit
// of those below number before (0: from the newest).
func (l *Ledger) OpenChanges(ctx context.Context, before change.Number, limit int) ([]change.Change, error) {
	return l.changes(ctx, `SELECT `+changeColumns+` FROM changes c
		WHERE c.phase IN ('requested', 'approved', 'active', 'ended') AND ($1 = 0 OR c.number < $1)
		ORDER BY c.number DESC LIMIT $2`, int64(before), limit)
}

// NewestChanges lists every change, newest first, at most limit of those below
// number before (0: from the newest).
func (l *Ledger) NewestChanges(ctx context.Context, before change.Number, limit int) ([]change.Change, error) {
	return l.changes(ctx, `SELECT `+changeColumns+` FROM changes c
		WHERE $1 = 0 OR c.number < $1
		ORDER BY c.number DESC LIMIT $2`, int64(before), limit)
}

// ChangesOf lists the changes that somebody asked for, newest first, at most
// limit of those below number before (0: from the newest).
func (l *Ledger) ChangesOf(ctx context.Context, who change.PersonID, before change.Number, limit int) ([]change.Change, error) {
	return l.changes(ctx, `SELECT `+changeColumns+` FROM changes c
		WHERE c.requester = $3 AND ($1 = 0 OR c.number < $1)
		ORDER BY c.number DESC LIMIT $2`, int64(before), limit, string(who))
}

// CountWith counts the changes that somebody asked for or makes.
func (l *Ledger) CountWith(ctx context.Context, who change.PersonID) (int, error) {
	var n int
	if err := l.pool.QueryRow(ctx, `SELECT count(*) FROM changes WHERE requester = $1 OR implementer = $1`, string(who)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count changes: %w", err)
	}
	return n, nil
}

// ChangesWith lists the changes that somebody asked for or makes, newest first,
// at most limit after the first skip.
func (l *Ledger) ChangesWith(ctx context.Context, who change.PersonID, skip, limit int) ([]change.Change, error) {
	return l.changes(ctx, `SELECT `+changeColumns+` FROM changes c
		WHERE c.requester = $1 OR c.implementer = $1
		ORDER BY c.number DESC OFFSET $2 LIMIT $3`, string(who), skip, limit)
}

// ChangesByTicket finds the open changes whose record is a Jira ticket, by the
// ticket's id.
func (l *Ledger) ChangesByTicket(ctx context.Context, ticketID string) ([]change.Number, error) {
	return l.numbers(ctx, `SELECT number FROM changes WHERE ticket_id = $1 ORDER BY number`, ticketID)
}

// ChangesByIncident finds the changes that are linked to an incident.
func (l *Ledger) ChangesByIncident(ctx context.Context, incidentID string) ([]change.Number, error) {
	return l.numbers(ctx, `SELECT number FROM changes WHERE incident_id = $1 ORDER BY number`, incidentID)
}

func (l *Ledger) numbers(ctx context.Context, sql string, args ...any) ([]change.Number, error) {
	rows, err := l.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("look for changes: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[change.Number])
}

func (l *Ledger) changes(ctx context.Context, sql string, args ...any) ([]change.Change, error) {
	rows, err := l.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (change.Change, error) {
		h, err := scanHead(row)
		return h.Change, err
	})
}

// Hasten makes deliveries of a kind due at once: a webhook has hinted at news.
func (l *Ledger) Hasten(ctx context.Context, n change.Number, kind change.DeliveryKind, now time.Time) error {
	_, err := l.pool.Exec(ctx, `UPDATE deliveries SET next_try = $3 WHERE number = $1 AND kind = $2 AND next_try > $3`, int64(n), string(kind), now)
	if err != nil {
		return fmt.Errorf("hasten a delivery: %w", err)
	}
	return nil
}
