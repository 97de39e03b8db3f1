package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// DueEnds is DueChanges for the changes that are under way: what falls due there
// may be the end of somebody's access, and reminders wait behind it.
func (l *Ledger) DueEnds(ctx context.Context, now time.Time, limit int, over ...change.Number) ([]change.Number, error) {
	numbers := make([]int64, len(over))
	for i, n := range over {
		numbers[i] = int64(n)
	}
	rows, err := l.pool.Query(ctx, `SELECT number FROM changes WHERE next_at <= $1 AND phase IN ('approved', 'active') AND number <> ALL ($3)
		ORDER BY next_at LIMIT $2`, now, limit, numbers)
	if err != nil {
		return nil, fmt.Errorf("look for due ends: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[change.Number])
}
