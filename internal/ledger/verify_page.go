package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// page checks changes, which come by number, and their chains. It tells of those
// that are missing between them.
func (v *verifier) page(ctx context.Context, rows []storedChange) error {
	next := 0 // the change whose events come
	end := newChainEnd()
	over := func() { // it has no more events
		row := &rows[next]
		v.end(row.number, row.head, &end)
		v.row(row, end)
		v.sum.Changes++
		end = newChainEnd()
		if next++; next < len(rows) {
			v.missing(row.number+1, rows[next].number-1)
		}
	}
	err := v.events(ctx, rows[0].number, rows[len(rows)-1].number, func(chain int64, e *storedEvent) {
		for rows[next].number < chain {
			over()
		}
		if rows[next].number == chain { // else there is no such change, which the population tells
			v.check(chain, &end, e)
		}
	})
	if err != nil {
		return err
	}
	for next < len(rows) {
		over()
	}
	return nil
}

// events streams the events of the chains from one to another, by chain and place.
func (v *verifier) events(ctx context.Context, from, to int64, take func(chain int64, e *storedEvent)) error {
	rows, err := v.tx.Query(ctx, `SELECT e.chain, e.seq, e.at, e.type, e.actor, e.body, e.hash, t.texts, t.salts, s.hash, s.seal FROM events e
		LEFT JOIN seal_heads s ON s.chain = e.chain AND s.seq = e.seq
		LEFT JOIN LATERAL (SELECT json_object_agg(x.field, x.text) AS texts, json_object_agg(x.field, x.salt) AS salts
			FROM event_texts x WHERE x.chain = e.chain AND x.seq = e.seq) t ON TRUE
		WHERE e.chain BETWEEN $1 AND $2 ORDER BY e.chain, e.seq`, from, to)
	if err != nil {
		return fmt.Errorf("read the events of chains: %w", err)
	}
	var chain int64
	var e storedEvent
	_, err = pgx.ForEachRow(rows, []any{&chain, &e.seq, &e.at, &e.kind, &e.actor, &e.body, &e.hash, &e.encodedTexts, &e.encodedSalts, &e.sealed, &e.seal}, func() error {
		take(chain, &e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the events of chains: %w", err)
	}
	return nil
}
