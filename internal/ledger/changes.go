package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Head is a change as the ledger holds it, and the end of its chain.
type Head struct {
	Change change.Change
	seq    int64
	hash   string
	at     time.Time
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// A change is read from its own row alone: whoever waits for the lock of that row
// then sees all that was left, which a look at another table in the same statement
// would not.
const changeColumns = `c.document, c.last_seq, c.last_hash, c.last_at`

func scanHead(row pgx.Row) (Head, error) {
	var h Head
	var document []byte
	if err := row.Scan(&document, &h.seq, &h.hash, &h.at); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return Head{}, ErrNotFound
		}
		return Head{}, fmt.Errorf("read a change: %w", err)
	}
	h.at = h.at.UTC()
	if err := json.Unmarshal(document, &h.Change); err != nil {
		return Head{}, fmt.Errorf("decode a change: %w", err)
	}
	return h, nil
}

// Change reads a change without locking it. It answers ErrNotFound when there
// is none of that number.
func (l *Ledger) Change(ctx context.Context, n change.Number) (change.Change, error) {
	h, err := scanHead(l.pool.QueryRow(ctx, `SELECT `+changeColumns+` FROM changes c WHERE c.number = $1`, int64(n)))
	return h.Change, err
}

// Lock reads a change and holds it until the transaction ends.
func (tx Tx) Lock(ctx context.Context, n change.Number) (Head, error) {
	return scanHead(tx.QueryRow(ctx, `SELECT `+changeColumns+` FROM changes c WHERE c.number = $1 FOR UPDATE OF c`, int64(n)))
}

// Clicked is what a command's transaction begins with: the change, held until the
// transaction ends; whether the payload is new; and the overdue records of its
// requester, where they were asked for.
type Clicked struct {
	Head    Head
	First   bool
	Overdue []change.Number
}

// LockFor is Lock, SeenClick and OverdueRecords in one round trip. An empty id
// names no payload, which is then new; the records are looked for with overdue.
func (tx Tx) LockFor(ctx context.Context, n change.Number, source, id string, overdue bool, now time.Time) (c Clicked, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT `+changeColumns+` FROM changes c WHERE c.number = $1 FOR UPDATE OF c`, int64(n))
	if id != "" {
		batch.Queue(seenClick, source, id, int64(n), now)
	}
	if overdue { // its own statement, behind the lock: it sees all that was left
		batch.Queue(overdueRecords+`(SELECT requester FROM changes WHERE number = $1)`+overdueSince, int64(n), now)
	}
	results := tx.SendBatch(ctx, batch)
	defer func() {
		if closing := results.Close(); closing != nil && err == nil {
			err = fmt.Errorf("read a change: %w", closing)
		}
	}()
	if c.Head, err = scanHead(results.QueryRow()); err != nil {
		return c, err
	}
	c.First = true
	if id != "" {
		tag, err := results.Exec()
		if err != nil {
			return c, fmt.Errorf("remember a payload: %w", err)
		}
		c.First = tag.RowsAffected() == 1
	}
	if overdue {
		c.Overdue, err = collectOverdue(results.Query())
	}
	return c, err
}

// NextNumber takes the next number of a change. A transaction that does not
// commit gives it back, so that there are no gaps.
func (tx Tx) NextNumber(ctx context.Context) (change.Number, error) {
	var n int64
	err := tx.QueryRow(ctx, `UPDATE numbers SET last = last + 1 WHERE name = 'change' RETURNING last`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("take a number: %w", err)
	}
	return change.Number(n), nil
}

// Insert saves a new change with its first events, and answers the events with
// their sequence numbers.
func (tx Tx) Insert(_ context.Context, c *change.Change, events []change.Event) ([]change.Event, error) {
	c.Version = 1
	return tx.save(Head{}, c, events, `INSERT INTO changes
		(number, version, phase, kind, requester, implementer, confidential, requested_at, started_at, ended_at,
		 next_at, ticket_id, incident_id, document, last_seq, last_hash, last_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`, events[0].Phase)
}

// Update saves a locked change with what has happened to it since. The phases
// that it went through on the way are written one by one, so that the schema
// sees every step.
func (tx Tx) Update(_ context.Context, before Head, c *change.Change, events []change.Event) ([]change.Event, error) {
	c.Version = before.Change.Version + 1
	return tx.save(before, c, events, `UPDATE changes SET
		version = $2, phase = $3, kind = $4, requester = $5, implementer = $6, confidential = $7, requested_at = $8,
		started_at = $9, ended_at = $10, next_at = $11, ticket_id = $12, incident_id = $13, document = $14,
		last_seq = $15, last_hash = $16, last_at = $17
		WHERE number = $1 AND version = $2 - 1`, before.Change.Phase)
}

func (tx Tx) save(before Head, c *change.Change, events []change.Event, sql string, from change.Phase) ([]change.Event, error) {
	chained, head, err := chainEvents(before, int64(c.Number), events, RowDigest(*c))
	if err != nil {
		return nil, err
	}
	document, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", c.Number, err)
	}
	batch := &pgx.Batch{}
	write := func(phase change.Phase) {
		batch.Queue(sql, int64(c.Number), c.Version, string(phase), string(c.Kind), string(c.Requester), string(c.Implementer),
			c.Confidential, c.RequestedAt, null(c.Window.Start), null(c.Window.Ended), null(c.NextAt()), ticketID(c), incidentID(c),
			document, head.seq, head.hash, head.at)
	}
	steps := phaseSteps(from, events, c.Phase)
	if before.Change.Version == 0 && steps[0] != from { // it is inserted as it began, and may go on at once
		steps = append([]change.Phase{from}, steps...)
	}
	write(steps[0])
	for _, step := range steps[1:] {
		batch.Queue(`UPDATE changes SET phase = $2 WHERE number = $1`, int64(c.Number), string(step))
	}
	queueEvents(batch, int64(c.Number), chained)
	queueObligations(batch, c, before.Change.Obligations)
	tx.run(batch, "save "+c.Number.String())
	out := make([]change.Event, len(chained))
	for i, e := range chained {
		out[i] = e.Event
	}
	return out, nil
}

// ticketID is the id of a change's ticket; nil while it has none, or none that
// is known.
func ticketID(c *change.Change) *string {
	if c.Ticket == nil || c.Ticket.ID == "" {
		return nil
	}
	return &c.Ticket.ID
}

// incidentID is the id of a change's incident; nil while it has none.
func incidentID(c *change.Change) *string {
	if c.Incident == nil || c.Incident.Now.ID == "" { // the latter: it is being opened
		return nil
	}
	return &c.Incident.Now.ID
}

// phaseSteps lists the phases that the row passes through, the last one last;
// at least one.
func phaseSteps(from change.Phase, events []change.Event, to change.Phase) []change.Phase {
	var steps []change.Phase
	at := from
	for _, e := range events {
		if e.Phase != at {
			steps, at = append(steps, e.Phase), e.Phase
		}
	}
	if at != to {
		steps = append(steps, to)
	}
	if len(steps) == 0 {
		steps = []change.Phase{to}
	}
	return steps
}

// run has a batch sent with whatever needs an answer next, and demands that every
// statement succeeds and that the first touches exactly one row.
func (tx Tx) run(batch *pgx.Batch, doing string) {
	for i, q := range batch.QueuedQueries {
		var judge func(tag pgconn.CommandTag) error
		if i == 0 {
			judge = oneRowOnly
		}
		tx.later(doing, judge, q.SQL, q.Arguments...)
	}
}

// oneRowOnly demands that exactly one row was touched.
func oneRowOnly(tag pgconn.CommandTag) error {
	if tag.RowsAffected() != 1 {
		return ErrClaimLost
	}
	return nil
}

// queueObligations makes the table of obligations agree with what c owes. It is
// there to be searched; the document of the change is what counts.
func queueObligations(batch *pgx.Batch, c *change.Change, before []change.Obligation) {
	for _, o := range before {
		if c.Owes(o.Name, o.Item) == nil {
			batch.Queue(`DELETE FROM obligations WHERE number = $1 AND name = $2 AND item = $3`, int64(c.Number), string(o.Name), o.Item)
		}
	}
	for _, o := range c.Obligations {
		batch.Queue(`INSERT INTO obligations (number, name, item, state, owner, due_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT ON CONSTRAINT obligations_pkey DO UPDATE
			SET state = excluded.state, owner = excluded.owner, due_at = excluded.due_at`,
			int64(c.Number), string(o.Name), o.Item, string(o.State), string(o.Owner), null(o.Due))
	}
}
