package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// ExportTo takes what an export holds, in this order: how new it is; the events of
// the system chain; page by page the changes and then their events, each by number and
// place; the neighbours; the seals, each before its heads. An error ends the
// export and is passed on.
type ExportTo struct {
	Begin     func(newest time.Time) error // when the newest event or seal of the ledger happened; zero where there is none
	Change    func(ExportChange) error
	Event     func(ExportEvent, *ExportChange) error // nil: of the system chain
	Neighbour func(ExportEvent) error
	Seal      func(ExportSeal) error
	Head      func(chain, seq int64, hash string) error
}

// ExportChange is a change of the period as it stands now.
type ExportChange struct {
	Row    PopulationRow
	Change change.Change // without free texts
	Text   string        // what its last event holds the digest of; see RowText
	Seq    int64         // head of its chain
	Hash   string
}

// ExportEvent is an event as it stands in its chain.
type ExportEvent struct {
	change.Event
	Chain      int64
	Previous   string // the hash of the event before it, as the ledger has it
	Body, Hash string
	Salted     map[string]SaltedText
	Withheld   []string // fields of texts that are there and were left out
	Erased     []string // fields of texts that are gone
}

// SaltedText is a free text with what makes its hash unguessable.
type SaltedText struct {
	Salt string `json:"salt"`
	Text string `json:"text"`
}

// ExportSeal is a seal. Its heads follow when it was made in the period or later.
type ExportSeal struct {
	Number               int64
	Previous, Body, Hash string
	Heads                bool
}

// ExportEnd is where the ledger ended when it was exported.
type ExportEnd struct {
	Given  int64 // the last number of a change
	System int64 // events of the system chain
}

// Export gives the trail of a period: the changes that breakglass heard of in it
// with all their events, the events of the system chain that lie in it, and the
// seals. The neighbours are what proves that nothing is missing at the edges: the
// changes before, after and between, and the events of the system chain before
// and after, all without their texts. Everything is of one moment, and nothing is
// written.
func (l *Ledger) Export(ctx context.Context, p Period, to ExportTo) (end ExportEnd, err error) {
	ctx = takingTime(ctx)
	tx, err := l.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return end, fmt.Errorf("begin to export: %w", err)
	}
	defer func() { // it has written nothing
		if over := tx.Rollback(context.WithoutCancel(ctx)); over != nil && !errors.Is(over, pgx.ErrTxClosed) {
			err = errors.Join(err, fmt.Errorf("end the export: %w", over))
		}
	}()
	if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil { // a slow disk takes the rows slowly
		return end, fmt.Errorf("take the time to export: %w", err)
	}
	x := &exporter{tx: tx, period: p, to: to}
	if err := tx.QueryRow(ctx, `SELECT coalesce((SELECT last FROM numbers WHERE name = 'change'), 0),
		coalesce((SELECT last_seq FROM chains WHERE chain = $1), 0)`, systemChain).Scan(&end.Given, &end.System); err != nil {
		return end, fmt.Errorf("read where the ledger ends: %w", err)
	}
	if err := x.begin(ctx); err != nil {
		return end, err
	}
	for _, step := range []func(context.Context) error{x.system, x.changes, x.neighbours, x.seals} {
		if err := step(ctx); err != nil {
			return end, err
		}
	}
	return end, nil
}

type exporter struct {
	tx     pgx.Tx
	period Period
	to     ExportTo
}

// begin says when the newest of what there is happened. The clock that wrote it
// may be ahead of the one that exports.
func (x *exporter) begin(ctx context.Context) error {
	var newest *time.Time
	if err := x.tx.QueryRow(ctx, `SELECT max(at) FROM (SELECT max(last_at) AS at FROM changes UNION ALL SELECT last_at FROM chains) heads
		WHERE at > '-infinity'`).Scan(&newest); err != nil {
		return fmt.Errorf("read when the newest event happened: %w", err)
	}
	if newest == nil {
		newest = &time.Time{}
	}
	return x.to.Begin(newest.UTC())
}

func (x *exporter) system(ctx context.Context) error {
	return x.events(ctx, `e.chain = $1 AND e.at >= $2 AND e.at < $3`, func(e ExportEvent) error { return x.to.Event(e, nil) },
		false, systemChain, x.period.Since, x.period.Until)
}

func (x *exporter) changes(ctx context.Context) error {
	in, err := numbersOf(ctx, x.tx, x.period)
	if err != nil {
		return err
	}
	for {
		entries, err := entriesOf(ctx, x.tx, x.period, in)
		if err != nil {
			return err
		}
		page := map[int64]*ExportChange{}
		for _, entry := range entries {
			in.after = entry.head.Change.Number
			if entry.row.Confidential && !x.period.ConfidentialTexts {
				entry.row.withholdTexts()
			}
			c := &ExportChange{Row: entry.row, Change: entry.head.Change.WithoutTexts(), Text: RowText(entry.head.Change), Seq: entry.head.seq, Hash: entry.head.hash}
			page[int64(in.after)] = c
			if err := x.to.Change(*c); err != nil {
				return err
			}
		}
		err = x.events(ctx, `e.chain = ANY ($1)`, func(e ExportEvent) error {
			c := page[e.Chain]
			if c.Row.Withheld {
				e.withhold()
			}
			return x.to.Event(e, c)
		}, false, slices.Collect(maps.Keys(page)))
		if err != nil || len(entries) < populationPage {
			return err
		}
	}
}

// neighbours looks for the edges: where there is no change in the period, they
// are the last before it and the first after it.
func (x *exporter) neighbours(ctx context.Context) error {
	if err := x.events(ctx, `e.chain = $3 AND e.seq IN (
		(SELECT max(s.seq) FROM events s WHERE s.chain = $3 AND s.at < $1), (SELECT min(s.seq) FROM events s WHERE s.chain = $3 AND s.at >= $2))`,
		x.to.Neighbour, true, x.period.Since, x.period.Until, systemChain); err != nil {
		return err
	}
	return x.events(ctx, `e.chain IN (
		SELECT c.number FROM changes c, (
			SELECT coalesce(p.lowest, b.highest + 1, 1) AS lowest, coalesce(p.highest, b.highest, 0) AS highest
			FROM (SELECT min(number) AS lowest, max(number) AS highest FROM (SELECT number FROM changes WHERE requested_at >= $1 AND requested_at < $2 OFFSET 0) period) p,
				(SELECT max(number) AS highest FROM (SELECT number FROM changes WHERE requested_at < $1 OFFSET 0) earlier) b) edge
		WHERE c.number BETWEEN edge.lowest - 1 AND edge.highest + 1 AND NOT (c.requested_at >= $1 AND c.requested_at < $2))`,
		x.to.Neighbour, true, x.period.Since, x.period.Until)
}

// events streams events with their texts, by chain and place.
func (x *exporter) events(ctx context.Context, where string, yield func(ExportEvent) error, bare bool, args ...any) error {
	rows, err := x.tx.Query(ctx, `SELECT e.chain, e.seq, e.at, e.type, e.actor, e.body, e.hash,
			coalesce((SELECT p.hash FROM events p WHERE p.chain = e.chain AND p.seq = e.seq - 1), ''),
			(SELECT json_object_agg(t.field, json_build_object('salt', t.salt, 'text', t.text)) FROM event_texts t WHERE t.chain = e.chain AND t.seq = e.seq)
		FROM events e WHERE `+where+` ORDER BY e.chain, e.seq`, args...)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e ExportEvent
		var texts []byte
		if err := rows.Scan(&e.Chain, &e.Seq, &e.At, &e.Type, &e.Actor, &e.Body, &e.Hash, &e.Previous, &texts); err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		if err := e.decode(texts); err != nil {
			return fmt.Errorf("%s: %w", place(e.Chain, e.Seq), err)
		}
		if bare {
			e.withhold()
		}
		if err := yield(e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	return nil
}

// decode reads what the body says. One that cannot be read is exported all the
// same: that something is wrong with it is for the verification to tell.
func (e *ExportEvent) decode(texts []byte) error {
	e.At = e.At.UTC()
	if texts != nil {
		if err := json.Unmarshal(texts, &e.Salted); err != nil {
			return fmt.Errorf("read its texts: %w", err)
		}
	}
	var b body
	if err := json.Unmarshal([]byte(e.Body), &b); err != nil {
		return nil //nolint:nilerr // see above
	}
	e.Facts, e.Via, e.Phase = b.Facts, b.Via, change.Phase(b.Phase)
	for _, field := range slices.Sorted(maps.Keys(b.Texts)) {
		if _, there := e.Salted[field]; !there {
			e.Erased = append(e.Erased, field)
		}
	}
	return nil
}

// withhold leaves the texts out.
func (e *ExportEvent) withhold() {
	e.Withheld = slices.Sorted(maps.Keys(e.Salted))
	e.Salted = nil
}

func (x *exporter) seals(ctx context.Context) error {
	rows, err := x.tx.Query(ctx, `SELECT number, at, body, hash FROM seals ORDER BY number`) // one a day
	if err != nil {
		return fmt.Errorf("read the seals: %w", err)
	}
	previous := ""
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ExportSeal, error) {
		var s ExportSeal
		var at time.Time
		err := row.Scan(&s.Number, &at, &s.Body, &s.Hash)
		s.Previous, s.Heads, previous = previous, !at.Before(x.period.Since), s.Hash
		return s, err
	})
	if err != nil {
		return fmt.Errorf("read the seals: %w", err)
	}
	for _, s := range all {
		if err := x.to.Seal(s); err != nil {
			return err
		}
		if !s.Heads {
			continue
		}
		rows, err := x.tx.Query(ctx, `SELECT chain, seq, hash FROM seal_heads WHERE seal = $1 ORDER BY chain`, s.Number)
		if err != nil {
			return fmt.Errorf("read the heads of a seal: %w", err)
		}
		var chain, seq int64
		var hash string
		if _, err := pgx.ForEachRow(rows, []any{&chain, &seq, &hash}, func() error { return x.to.Head(chain, seq, hash) }); err != nil {
			return fmt.Errorf("read the heads of a seal: %w", err)
		}
	}
	return nil
}
