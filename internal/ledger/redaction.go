package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// TouchReminders lets the reminders of an obligation that still stand say that
// nothing is owed any more.
func (tx Tx) TouchReminders(ctx context.Context, n change.Number, name change.ObligationName, item string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE deliveries SET state = 'open', next_try = $4
		WHERE number = $1 AND kind = 'reminder' AND state = 'done' AND external_id <> ''
		AND ref ->> 'obligation' = $2 AND coalesce(ref ->> 'item', '0') = $3`, int64(n), string(name), item, now)
	if err != nil {
		return fmt.Errorf("bring reminders up to date: %w", err)
	}
	return nil
}

// TouchConfirmations lets the reply that tells of a merge request's linking be drawn
// anew: nobody's word is asked for any more.
func (tx Tx) TouchConfirmations(ctx context.Context, n change.Number, item int, now time.Time) error {
	const doing = "bring replies about a merge request up to date: %w"
	rows, err := tx.Query(ctx, `SELECT seq::TEXT FROM events WHERE chain = $1 AND type = $2 AND body::JSONB #>> '{facts,item}' = $3`,
		int64(n), string(change.EventMergeRequestLinked), strconv.Itoa(item))
	if err != nil {
		return fmt.Errorf(doing, err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf(doing, err)
	}
	_, err = tx.Exec(ctx, `UPDATE deliveries SET state = 'open', next_try = $3
		WHERE number = $1 AND kind = 'thread' AND key = ANY ($2) AND state = 'done' AND external_id <> ''`, int64(n), keys, now)
	if err != nil {
		return fmt.Errorf(doing, err)
	}
	return nil
}

// Shown lists the messages of a change that stand in Slack, or may: those that
// were posted and not deleted, and those whose post is under way.
func (l *Ledger) Shown(ctx context.Context, n change.Number) ([]Delivery, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM deliveries
		WHERE number = $1 AND system = $2 AND state <> 'removed' AND (external_id <> '' OR intended_at IS NOT NULL)
		ORDER BY id`, int64(n), string(change.SystemSlack))
	if err != nil {
		return nil, fmt.Errorf("look for messages: %w", err)
	}
	return pgx.CollectRows(rows, scanDelivery)
}
