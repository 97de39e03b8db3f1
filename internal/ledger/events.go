package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// systemChain is the chain of what belongs to no change.
const systemChain = 0

// Events reads the events of a change with their texts, oldest first, from
// sequence number after on, at most limit.
func (l *Ledger) Events(ctx context.Context, n change.Number, after int64, limit int) ([]change.Event, error) {
	return readEvents(ctx, l.pool, int64(n), after, limit)
}

// Event reads one event of a change. It answers ErrNotFound when there is none.
func (l *Ledger) Event(ctx context.Context, n change.Number, seq int64) (change.Event, error) {
	events, err := readEvents(ctx, l.pool, int64(n), seq-1, 1)
	if err != nil {
		return change.Event{}, err
	}
	if len(events) == 0 || events[0].Seq != seq {
		return change.Event{}, fmt.Errorf("event %d of %s: %w", seq, n, ErrNotFound)
	}
	return events[0], nil
}

func readEvents(ctx context.Context, q querier, chain, after int64, limit int) ([]change.Event, error) {
	rows, err := q.Query(ctx, `SELECT e.seq, e.at, e.type, e.actor, e.body,
			(SELECT coalesce(json_object_agg(t.field, t.text), '{}') FROM event_texts t WHERE t.chain = e.chain AND t.seq = e.seq)
		FROM events e WHERE e.chain = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3`, chain, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return pgx.CollectRows(rows, scanEvent)
}

func scanEvent(row pgx.CollectableRow) (change.Event, error) {
	var e change.Event
	var raw string
	var texts []byte
	if err := row.Scan(&e.Seq, &e.At, &e.Type, &e.Actor, &raw, &texts); err != nil {
		return e, fmt.Errorf("read an event: %w", err)
	}
	var b body
	if err := json.Unmarshal([]byte(raw), &b); err != nil {
		return e, fmt.Errorf("decode event %d: %w", e.Seq, err)
	}
	if err := json.Unmarshal(texts, &e.Texts); err != nil {
		return e, fmt.Errorf("decode the texts of event %d: %w", e.Seq, err)
	}
	e.At, e.Facts, e.Via, e.Phase = e.At.UTC(), b.Facts, b.Via, change.Phase(b.Phase)
	return e, nil
}

// Append adds events to a change without altering it: refusals.
func (tx Tx) Append(_ context.Context, before Head, e change.Event) error {
	e.Phase = before.Change.Phase
	chained, head, err := chainEvents(before, int64(before.Change.Number), []change.Event{e}, RowDigest(before.Change))
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE changes SET last_seq = $2, last_hash = $3, last_at = $4 WHERE number = $1`,
		int64(before.Change.Number), head.seq, head.hash, head.at)
	queueEvents(batch, int64(before.Change.Number), chained)
	tx.run(batch, "append to "+before.Change.Number.String())
	return nil
}

// RefusalsOf counts how often a person was refused on a change, so that they
// cannot fill its chain.
func (tx Tx) RefusalsOf(ctx context.Context, n change.Number, who change.PersonID) (int, error) {
	var count int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM events WHERE chain = $1 AND type = $2 AND actor = $3`,
		int64(n), string(change.EventRefused), string(who)).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("count refusals: %w", err)
	}
	return count, nil
}

// SystemEvent adds an event to the chain of what belongs to no change, unless
// its actor has added limit or more since a time; then it answers false.
func (l *Ledger) SystemEvent(ctx context.Context, e change.Event, since time.Time, limit int) (added bool, err error) {
	err = l.InTx(ctx, func(tx Tx) error {
		head, err := tx.lockSystemChain(ctx)
		if err != nil {
			return err
		}
		var recent int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM events WHERE chain = $1 AND actor = $2 AND at > $3`,
			systemChain, string(e.Actor), since).Scan(&recent); err != nil {
			return fmt.Errorf("count system events: %w", err)
		}
		if recent >= limit {
			return nil
		}
		added = true
		return tx.appendSystem(head, e)
	})
	return added && err == nil, err
}

// lockSystemChain reads the head of the system chain, and holds it until the
// transaction ends.
func (tx Tx) lockSystemChain(ctx context.Context) (Head, error) {
	var head Head
	if err := tx.QueryRow(ctx, `SELECT last_seq, last_hash, CASE WHEN last_at = '-infinity' THEN NULL ELSE last_at END
		FROM chains WHERE chain = $1 FOR UPDATE`, systemChain).Scan(&head.seq, &head.hash, (*nullTime)(&head.at)); err != nil {
		return Head{}, fmt.Errorf("read the head of the system chain: %w", err)
	}
	return head, nil
}

func (tx Tx) appendSystem(head Head, e change.Event) error {
	chained, head, err := chainEvents(head, systemChain, []change.Event{e}, "")
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE chains SET last_seq = $2, last_hash = $3, last_at = $4 WHERE chain = $1`, systemChain, head.seq, head.hash, head.at)
	queueEvents(batch, systemChain, chained)
	tx.run(batch, "append to the system chain")
	return nil
}

// SystemEvents reads the chain of what belongs to no change, oldest first.
func (l *Ledger) SystemEvents(ctx context.Context, after int64, limit int) ([]change.Event, error) {
	return readEvents(ctx, l.pool, systemChain, after, limit)
}

// nullTime scans NULL as the zero time.
type nullTime time.Time

// Scan implements sql.Scanner.
func (t *nullTime) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t = nullTime{}
	case time.Time:
		*t = nullTime(v.UTC())
	default:
		return fmt.Errorf("not a time: %T", v)
	}
	return nil
}

// Seen remembers that a payload was taken, and what it made. When it was taken
// before, it answers that and false.
func (tx Tx) Seen(ctx context.Context, source, id string, n change.Number, at time.Time) (earlier change.Number, first bool, err error) {
	var number int64
	err = tx.QueryRow(ctx, `INSERT INTO seen (source, id, number, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT ON CONSTRAINT seen_pkey DO UPDATE SET source = seen.source RETURNING number`, source, id, int64(n), at).Scan(&number)
	if err != nil {
		return 0, false, fmt.Errorf("remember a payload: %w", err)
	}
	return change.Number(number), number == int64(n), nil
}

const seenClick = `INSERT INTO seen (source, id, number, at) VALUES ($1, $2, $3, $4) ON CONFLICT ON CONSTRAINT seen_pkey DO NOTHING`

// SeenClick remembers that a click on a change was taken. It answers false when
// it was taken before.
func (tx Tx) SeenClick(ctx context.Context, source, id string, n change.Number, at time.Time) (first bool, err error) {
	tag, err := tx.Exec(ctx, seenClick, source, id, int64(n), at)
	if err != nil {
		return false, fmt.Errorf("remember a payload: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// forgotten is how many payloads are forgotten by one statement: it has to end
// within the time that a statement has, however many came in a week.
const forgotten = 10_000

// ForgetSeen drops what was remembered before a time: Slack repeats nothing
// that old.
func (l *Ledger) ForgetSeen(ctx context.Context, before time.Time) error {
	for {
		tag, err := l.pool.Exec(ctx, `DELETE FROM seen WHERE (source, id) IN (SELECT source, id FROM seen WHERE at < $1 ORDER BY at LIMIT $2)`, before, forgotten)
		if err != nil {
			return fmt.Errorf("forget old payloads: %w", err)
		}
		if tag.RowsAffected() < forgotten {
			return nil
		}
	}
}
