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

// Period says which changes a report is of: those that breakglass heard of at
// Since or later, and before Until.
type Period struct {
	Since, Until time.Time
	// ConfidentialTexts lets confidential changes out of the ledger as all others.
	// Without it their rows come with Withheld set: they say that there was one,
	// what came of it and when, and nothing of what it was. An export, which is
	// checked against the facts of the chained events, keeps all but the texts.
	ConfidentialTexts bool
}

// populationPage is how many changes are read at once. It bounds the memory of
// a report, and how long one statement runs.
const populationPage = 200

// counted are the events of a change that its row does not tell of.
func counted() []string {
	return []string{
		string(change.EventRefused), string(change.EventReminded), string(change.EventEscalated),
		string(change.EventSignOffUndone), string(change.EventAccessBack), string(change.EventUndelivered),
	}
}

// Population gives every change of a period, the oldest first: the denied, the
// withdrawn, the lapsed, the failed and the reported ones too. All rows are of
// one moment, whatever happens meanwhile, and are read page by page. An error
// of yield ends it and is passed on.
func (l *Ledger) Population(ctx context.Context, p Period, yield func(PopulationRow) error) (err error) {
	tx, err := l.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin to read the population: %w", err)
	}
	defer func() { // it has written nothing
		if end := tx.Rollback(context.WithoutCancel(ctx)); end != nil && !errors.Is(end, pgx.ErrTxClosed) {
			err = errors.Join(err, fmt.Errorf("end reading the population: %w", end))
		}
	}()
	in, err := numbersOf(ctx, tx, p)
	if err != nil {
		return err
	}
	for {
		page, err := populationOf(ctx, tx, p, in)
		if err != nil {
			return err
		}
		for _, row := range page {
			if err := yield(row); err != nil {
				return err
			}
			in.after = row.Number
		}
		if len(page) < populationPage {
			return nil
		}
	}
}

// numbers are those of the changes of a period, or of what is left of them: above
// after, up to last. Not all between belong to it: two that are asked for at once
// may have their numbers the other way round.
type numbers struct{ after, last change.Number }

// numbersOf finds them. Without it, every page of a large ledger would begin with
// a look at all changes before the period.
func numbersOf(ctx context.Context, tx pgx.Tx, p Period) (numbers, error) {
	var first, last int64
	// OFFSET 0 keeps Postgres from looking for the lowest of all numbers first.
	err := tx.QueryRow(ctx, `SELECT coalesce(min(number), 1), coalesce(max(number), 0) FROM (
		SELECT number FROM changes WHERE requested_at >= $1 AND requested_at < $2 OFFSET 0) period`, p.Since, p.Until).Scan(&first, &last)
	if err != nil {
		return numbers{}, fmt.Errorf("look for the changes of a period: %w", err)
	}
	return numbers{change.Number(first - 1), change.Number(last)}, nil
}

func populationOf(ctx context.Context, tx pgx.Tx, p Period, in numbers) ([]PopulationRow, error) {
	entries, err := entriesOf(ctx, tx, p, in)
	if err != nil {
		return nil, err
	}
	page := make([]PopulationRow, len(entries))
	for i := range entries {
		page[i] = entries[i].row
		if page[i].Confidential && !p.ConfidentialTexts {
			page[i].withhold()
		}
	}
	return page, nil
}

// populationEntry is a change of a period, and its row.
type populationEntry struct {
	head Head
	row  PopulationRow
}

func entriesOf(ctx context.Context, tx pgx.Tx, p Period, in numbers) ([]populationEntry, error) {
	rows, err := tx.Query(ctx, `SELECT `+changeColumns+`,
			(SELECT coalesce(json_object_agg(n.type, n.times), '{}') FROM (
				SELECT e.type, count(*) AS times FROM events e
				WHERE e.chain = c.number AND e.type = ANY ($1) GROUP BY e.type) n)
		FROM changes c
		WHERE c.requested_at >= $2 AND c.requested_at < $3 AND c.number > $4 AND c.number <= $6
		ORDER BY c.number LIMIT $5`, counted(), p.Since, p.Until, int64(in.after), populationPage, int64(in.last))
	if err != nil {
		return nil, fmt.Errorf("read the population: %w", err)
	}
	page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (populationEntry, error) {
		var times []byte
		h, err := scanHead(alsoInto{row, &times})
		if err != nil {
			return populationEntry{}, err
		}
		counts := map[change.EventType]int{}
		if err := json.Unmarshal(times, &counts); err != nil {
			return populationEntry{}, fmt.Errorf("decode what happened to %s: %w", h.Change.Number, err)
		}
		made := PopulationRowOf(h.Change, counts)
		return populationEntry{h, made}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the population: %w", err)
	}
	return page, nil
}

// alsoInto scans one column more than whoever scans it knows of.
type alsoInto struct {
	pgx.Row
	last any
}

// Scan implements pgx.Row.
func (a alsoInto) Scan(dest ...any) error {
	if err := a.Row.Scan(append(dest, a.last)...); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	return nil
}
