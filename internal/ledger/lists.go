package ledger

import (
	"context"
	"fmt"
	"math"
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
		WHERE c.phase IN ('requested', 'approved', 'active', 'ended') AND c.number < $1
		ORDER BY c.number DESC LIMIT $2`, below(before), limit)
}

// NewestChanges lists every change, newest first, at most limit of those below
// number before (0: from the newest).
func (l *Ledger) NewestChanges(ctx context.Context, before change.Number, limit int) ([]change.Change, error) {
	return l.changes(ctx, `SELECT `+changeColumns+` FROM changes c
		WHERE c.number < $1
		ORDER BY c.number DESC LIMIT $2`, below(before), limit)
}

// below is the number below which a page begins. An index finds that one; it does
// not find "all, or those below".
func below(before change.Number) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return int64(before)
}

// CountWith counts the changes that somebody asked for or makes.
func (l *Ledger) CountWith(ctx context.Context, who change.PersonID) (int, error) {
	var n int
	err := l.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM changes WHERE requester = $1)
		+ (SELECT count(*) FROM changes WHERE implementer = $1 AND implementer <> requester)`, string(who)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count changes: %w", err)
	}
	return n, nil
}

// ChangesWith lists the changes that somebody asked for or makes, newest first,
// at most limit after the first skip. Only those of the page are read: what goes
// before it is counted off in two indexes.
func (l *Ledger) ChangesWith(ctx context.Context, who change.PersonID, skip, limit int) ([]change.Change, error) {
	return l.changes(ctx, `SELECT `+changeColumns+` FROM (
			(SELECT number FROM changes WHERE requester = $1 ORDER BY number DESC LIMIT $2::BIGINT + $3)
			UNION ALL
			(SELECT number FROM changes WHERE implementer = $1 AND implementer <> requester ORDER BY number DESC LIMIT $2::BIGINT + $3)
			ORDER BY number DESC OFFSET $2 LIMIT $3) page
		JOIN changes c ON c.number = page.number ORDER BY c.number DESC`, string(who), skip, limit)
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
