package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Backlog is what is waiting.
type Backlog struct {
	Open       map[change.Phase]int64
	Failing    map[change.System]int64 // deliveries that are being tried again
	LateAccess int64                   // assignments that should have been gone since change.LateAfter
}

// Backlog counts what is waiting.
func (l *Ledger) Backlog(ctx context.Context, now time.Time) (Backlog, error) {
	b := Backlog{Open: map[change.Phase]int64{}, Failing: map[change.System]int64{}}
	rows, err := l.pool.Query(ctx, `SELECT phase, count(*) FROM changes
		WHERE phase IN ('requested', 'approved', 'active', 'ended') GROUP BY phase`)
	if err != nil {
		return b, fmt.Errorf("count open changes: %w", err)
	}
	var phase, system string
	var n int64
	if _, err = pgx.ForEachRow(rows, []any{&phase, &n}, func() error {
		b.Open[change.Phase(phase)] = n
		return nil
	}); err != nil {
		return b, fmt.Errorf("count open changes: %w", err)
	}
	rows, err = l.pool.Query(ctx, `SELECT system, count(*) FROM deliveries WHERE next_try IS NOT NULL AND last_error <> '' GROUP BY system`)
	if err != nil {
		return b, fmt.Errorf("count failing deliveries: %w", err)
	}
	if _, err = pgx.ForEachRow(rows, []any{&system, &n}, func() error {
		b.Failing[change.System(system)] = n
		return nil
	}); err != nil {
		return b, fmt.Errorf("count failing deliveries: %w", err)
	}
	// Not by when it is due: between two tries it is not, and as late as before. Nor by
	// when the change was ended alone: nobody may have been there when its time was over.
	err = l.pool.QueryRow(ctx, `SELECT count(DISTINCT g.assignment_id) FROM grants g JOIN changes c ON c.number = g.number
		WHERE NOT g.over AND (
			(c.phase = 'ended' AND (c.ended_at <= $1 OR (c.document #>> '{access,revoke_by}')::TIMESTAMPTZ <= $1))
			OR (c.phase = 'active' AND (g.until IS NULL OR g.until <= $1) AND (c.document #>> '{window,until}')::TIMESTAMPTZ <= $1))`, now.Add(-change.LateAfter)).Scan(&b.LateAccess)
	if err != nil {
		return b, fmt.Errorf("count late access: %w", err)
	}
	return b, nil
}
