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
	LateAccess int64                   // assignments of ours that no grant wants, though they are still there
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
	err = l.pool.QueryRow(ctx, `SELECT count(*) FROM assignments a
		WHERE a.standing = 'ours' AND a.next_try <= $1 AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.assignment_id = a.id AND g.wanted)`, now).Scan(&b.LateAccess)
	if err != nil {
		return b, fmt.Errorf("count late access: %w", err)
	}
	return b, nil
}
