package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// The changes of a history lie in these years before sceneStart, evenly, by number.
// Each was over some days after it was asked for.
const (
	historySpan = 3 * 365 * 24 * time.Hour
	historyGap  = 14 * 24 * time.Hour // before sceneStart
)

// historyAccounts is how many accounts the changes of a history were made in.
const historyAccounts = 20

// chunk is how many changes are copied at once.
const chunk = 4000

// fillHistory copies closed changes into a migrated, empty database, numbered from 1 to
// n, as the program would have left them: with their events, texts, obligations,
// deliveries, assignments and grants. The trail holds; all is sealed.
func fillHistory(ctx context.Context, pool *pgxpool.Pool, molds []*mold, n int64) error {
	var all errgroup.Group
	all.SetLimit(2)
	for from := int64(1); from <= n; from += chunk {
		all.Go(func() error { return fillChunk(ctx, pool, molds, from, min(from+chunk-1, n), n) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	if err := fillAssignments(ctx, pool, molds, n); err != nil {
		return err
	}
	for _, sql := range []string{
		fmt.Sprintf(`UPDATE numbers SET last = %d WHERE name = 'change'`, n),
		`SELECT setval(pg_get_serial_sequence('deliveries', 'id'), (SELECT max(id) FROM deliveries))`,
		`SELECT setval(pg_get_serial_sequence('assignments', 'id'), (SELECT coalesce(max(id), 1) FROM assignments))`,
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	end := sceneStart.Add(-24 * time.Hour)
	if err := ledger.New(pool).Seal(ctx, change.SealDay(end), end, false); err != nil {
		return err
	}
	_, err := pool.Exec(ctx, `VACUUM (ANALYZE)`) // as autovacuum does, which is off in these databases
	return err
}

// casting is which mould a change of a history is cast in, and with what.
func casting(molds []*mold, number, n int64) (*mold, cast) {
	m := molds[number%int64(len(molds))]
	at := sceneStart.Add(-historyGap - time.Duration(float64(historySpan)*float64(n-number)/float64(n))).Truncate(time.Second)
	c := cast{
		number: number, requester: person(int(number)), ticket: fmt.Sprint(10_000_000 + number), incident: fmt.Sprintf("01HISTORY%017d", number),
		user: fmt.Sprintf("93d4a8e2-0000-4000-8000-%012d", number%people+1), account: historyAccount(m, number), later: at.Sub(sceneStart),
	}
	c.implementer = c.requester
	if number%10 == 0 {
		c.implementer = person(int(number) + 1)
	}
	return m, c
}

func historyAccount(m *mold, number int64) string {
	if i := number / people % historyAccounts; i > 0 {
		return fmt.Sprintf("%012d", 555_000_000_000+i)
	}
	return m.account
}

func assignmentID(number int64) int64 {
	return number%people*historyAccounts + number/people%historyAccounts + 1
}

// rowsOf are the rows of some changes, by table.
type rowsOf struct {
	changes, events, texts, obligations, deliveries, grants [][]any
}

func fillChunk(ctx context.Context, pool *pgxpool.Pool, molds []*mold, from, to, n int64) error {
	var rows rowsOf
	for number := from; number <= to; number++ {
		m, c := casting(molds, number, n)
		rows.add(m, &c)
	}
	tables := []struct {
		name, columns string
		rows          [][]any
	}{
		{"changes", "number version phase kind requester implementer confidential requested_at started_at ended_at ticket_id incident_id document last_seq last_hash last_at", rows.changes},
		{"events", "chain seq at type actor body hash", rows.events},
		{"event_texts", "chain seq field salt text", rows.texts},
		{"obligations", "number name item state owner due_at", rows.obligations},
		{"deliveries", "id number kind key system mode recipient ref wanted done external_id intended_at state", rows.deliveries},
		{"grants", "number assignment_id wanted over", rows.grants},
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// No change can begin as closed; only here it may.
		if _, err := tx.Exec(ctx, `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		for _, t := range tables {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, strings.Fields(t.columns), pgx.CopyFromRows(t.rows)); err != nil {
				return fmt.Errorf("copy into %s: %w", t.name, err)
			}
		}
		return nil
	})
}

// add casts a change.
func (r *rowsOf) add(m *mold, c *cast) {
	digest := sha256.Sum256(c.write(nil, m.row))
	previous := ""
	var at time.Time
	for i, e := range m.events {
		seq := int64(i + 1)
		body := c.text(e.body)
		if seq == moldEvents {
			body = body[:len(body)-1] + `,"row":"` + hex.EncodeToString(digest[:]) + `"}`
		}
		sum := sha256.Sum256([]byte(previous + "\n" + body))
		previous, at = hex.EncodeToString(sum[:]), e.at.Add(c.later)
		r.events = append(r.events, []any{c.number, seq, at, e.kind, c.text(e.actor), body, previous})
		for _, t := range e.texts {
			r.texts = append(r.texts, []any{c.number, seq, t.field, t.salt, t.text})
		}
	}
	x := &m.change
	shifted := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.Add(c.later)
	}
	var ticket, incident any
	if x.Ticket != nil {
		ticket = c.ticket
	}
	if x.Incident != nil {
		incident = c.incident
	}
	r.changes = append(r.changes, []any{
		c.number, x.Version, string(x.Phase), string(x.Kind), c.requester, c.implementer, x.Confidential, shifted(x.RequestedAt), shifted(x.Window.Start),
		shifted(x.Window.Ended), ticket, incident, c.write(nil, m.document), int64(moldEvents), previous, at,
	})
	for _, o := range x.Obligations {
		owner := string(o.Owner)
		if o.Owner == x.Requester {
			owner = c.requester
		}
		r.obligations = append(r.obligations, []any{c.number, string(o.Name), o.Item, string(o.State), owner, shifted(o.Due)})
	}
	for i, d := range m.deliveries {
		external := ""
		if d.external {
			external = fmt.Sprintf("C0EMERGENCY/%d.%06d", 1_600_000_000+c.number, i)
		}
		r.deliveries = append(r.deliveries, []any{
			(c.number-1)*moldDeliveries + int64(i) + 1, c.number, d.kind, c.text(d.key), d.system, d.mode, c.text(d.recipient), c.write(nil, d.ref), d.wanted, d.wanted,
			external, d.intended.Add(c.later), d.state,
		})
	}
	if x.Access != nil {
		r.grants = append(r.grants, []any{c.number, assignmentID(c.number), false, true})
	}
}

// fillAssignments makes the assignments that changes had a grant on. All are gone.
func fillAssignments(ctx context.Context, pool *pgxpool.Pool, molds []*mold, n int64) error {
	known := map[int64]bool{}
	var rows [][]any
	for number := int64(1); number <= min(n, people*historyAccounts*int64(len(molds))); number++ {
		m, c := casting(molds, number, n)
		if id := assignmentID(number); m.change.Access != nil && !known[id] {
			known[id] = true
			rows = append(rows, []any{id, m.change.Access.Key.InstanceARN, c.account, m.change.Access.Key.PermissionSetARN, c.user, sceneStart.Add(c.later), sceneStart.Add(c.later)})
		}
	}
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"assignments"}, strings.Fields("id instance_arn account_id permission_set_arn user_id seen_at looked_at"), pgx.CopyFromRows(rows))
	return err
}
