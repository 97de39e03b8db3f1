package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	overdueRecords = `SELECT c.document FROM obligations o JOIN changes c ON c.number = o.number WHERE o.owner = `
	overdueSince   = ` AND o.state = 'owed' AND o.name = 'record' AND o.due_at <= $2 ORDER BY o.number`
)

// OverdueRecords lists the changes whose record p owes and has not written
// although it was due before now, the oldest first. A copy that could not be
// delivered is not theirs to mend, and counts for nothing here.
func (tx Tx) OverdueRecords(ctx context.Context, p change.PersonID, now time.Time) ([]change.Number, error) {
	return collectOverdue(tx.Query(ctx, overdueRecords+`$1`+overdueSince, string(p), now))
}

func collectOverdue(rows pgx.Rows, err error) ([]change.Number, error) {
	if err != nil {
		return nil, fmt.Errorf("look for overdue records: %w", err)
	}
	documents, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("look for overdue records: %w", err)
	}
	var overdue []change.Number
	for _, raw := range documents {
		var c change.Change
		if err := json.Unmarshal(raw, &c); err != nil {
			return nil, fmt.Errorf("decode a change: %w", err)
		}
		if o := c.Owes(change.OweRecord, 0); o != nil && o.Part.IsZero() {
			overdue = append(overdue, c.Number)
		}
	}
	return overdue, nil
}
