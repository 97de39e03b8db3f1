package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Pressed is what the ledger says about a message that somebody clicked.
type Pressed struct {
	Delivery Delivery
	Found    bool          // the message is a delivery of the change
	UnderWay bool          // otherwise: a message of the change may have been posted of which it is not stored yet where
	Change   change.Change // where it is found
}

// Pressed looks up a message of ours, and its change, in one round trip. It
// answers ErrNotFound when there is no such change, unless n is 0.
func (l *Ledger) Pressed(ctx context.Context, n change.Number, external string) (p Pressed, err error) {
	batch := &pgx.Batch{}
	batch.Queue(postUnderWay, int64(n), string(change.SystemSlack)) // first: it may be written down between the two looks
	batch.Queue(postedAs, external, int64(n))
	if n != 0 {
		batch.Queue(`SELECT `+changeColumns+` FROM changes c WHERE c.number = $1`, int64(n))
	}
	results := l.pool.SendBatch(ctx, batch)
	defer func() {
		if closing := results.Close(); closing != nil && err == nil {
			err = fmt.Errorf("look a message up: %w", closing)
		}
	}()
	if err := results.QueryRow().Scan(&p.UnderWay); err != nil {
		return p, fmt.Errorf("look for messages under way: %w", err)
	}
	rows, err := results.Query()
	if err != nil {
		return p, fmt.Errorf("look a message up: %w", err)
	}
	p.Delivery, err = pgx.CollectExactlyOneRow(rows, scanDelivery)
	p.Found = err == nil
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return p, err
	}
	if n == 0 || !p.Found {
		return p, nil
	}
	h, err := scanHead(results.QueryRow())
	p.Change = h.Change
	return p, err
}

const (
	postedAs     = `SELECT ` + deliveryColumns + ` FROM deliveries WHERE external_id = $1 AND number = $2 ORDER BY id LIMIT 1`
	postUnderWay = `SELECT EXISTS (SELECT 1 FROM deliveries
		WHERE number = $1 AND system = $2 AND external_id = '' AND intended_at IS NOT NULL AND next_try IS NOT NULL)`
)
