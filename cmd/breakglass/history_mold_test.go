package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// mold is a change that was played to its end by the program itself, with all its
// rows. Other changes are cast in it: with other numbers, people, times, accounts
// and tickets, and with as many of its events as are asked for.
type mold struct {
	change     change.Change
	document   pattern
	row        pattern // what the last event holds the digest of
	events     []moldEvent
	deliveries []moldDelivery
	account    string // empty: no access
}

type moldEvent struct {
	at    time.Time
	kind  string
	actor pattern
	body  pattern // without the row's digest
	texts []moldText
}

type moldText struct{ field, salt, text string }

type moldDelivery struct {
	kind, system, mode, state string
	key, recipient, ref       pattern
	wanted                    int64
	external                  bool
	intended                  time.Time
}

// moldNumber is the number of the first mould: one that stands nowhere by chance.
const moldNumber = 7_340_000_001

// moldEvents is how many events a cast change has: the first, the approval and the
// last.
const moldEvents = 3

// moldDeliveries bounds how many deliveries a cast change has.
const moldDeliveries = 8

// shop makes the moulds once for all tests that want them.
var shop struct {
	once  sync.Once
	molds []*mold
	err   error
}

// sharedMolds are the moulds of every story.
func sharedMolds(t *testing.T) []*mold {
	t.Helper()
	shop.once.Do(func() { shop.molds, shop.err = moldsOf(t.Context(), scenePool(t)) })
	if shop.err != nil {
		t.Fatal(shop.err)
	}
	return shop.molds
}

// moldsOf plays each story to its end in an empty database, and takes its rows.
func moldsOf(ctx context.Context, pool *pgxpool.Pool) ([]*mold, error) {
	if _, err := pool.Exec(ctx, `UPDATE numbers SET last = $1 WHERE name = 'change'`, moldNumber-1); err != nil {
		return nil, err
	}
	var all []*mold
	for _, story := range storyNames() {
		s, err := openScene(ctx, pool, sceneOptions{deployments: true})
		if err != nil {
			return nil, err
		}
		p := &tale{scene: s, cell: cell{story: story}, healed: true}
		err = p.tell()
		if closing := s.close(); err == nil {
			err = closing
		}
		if err != nil {
			return nil, fmt.Errorf("play %s: %w", story, err)
		}
		m, err := takeMold(ctx, pool, p.n)
		if err != nil {
			return nil, fmt.Errorf("take the mould of %s: %w", story, err)
		}
		all = append(all, m)
	}
	return all, nil
}

func takeMold(ctx context.Context, pool *pgxpool.Pool, n change.Number) (*mold, error) {
	c, err := ledger.New(pool).Change(ctx, n)
	if err != nil {
		return nil, err
	}
	m := &mold{change: c}
	slots := map[string]slot{
		strconv.FormatInt(int64(n), 10):                 slotNumber,
		`"implementer":"` + string(c.Implementer) + `"`: slotImplementer,
		string(c.Requester):                             slotRequester,
	}
	if c.Access != nil {
		m.account = c.Access.Key.AccountID
		slots[`"AccountID":"`+m.account+`"`], slots[`"UserID":"`+c.Access.Key.UserID+`"`] = slotAccount, slotUser
	}
	if c.Ticket != nil {
		slots[`"id":"`+c.Ticket.ID+`"`] = slotTicket
	}
	if c.Incident != nil {
		slots[`"id":"`+c.Incident.Now.ID+`"`] = slotIncident
	}
	cut := newCutter(slots)
	document, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	m.document, m.row = cut.pattern(string(document)), cut.pattern(ledger.RowText(c))
	if err := m.takeEvents(ctx, pool, cut); err != nil {
		return nil, err
	}
	return m, m.takeDeliveries(ctx, pool, cut)
}

var (
	seqOfBody = regexp.MustCompile(`^(\{"change":\d+,"seq":)\d+`)
	rowOfBody = regexp.MustCompile(`,"row":"[0-9a-f]{64}"\}$`)
)

func (m *mold) takeEvents(ctx context.Context, pool *pgxpool.Pool, cut cutter) error {
	rows, err := pool.Query(ctx, `SELECT e.at, e.type, e.actor, e.body,
			(SELECT coalesce(json_agg(json_build_array(t.field, t.salt, t.text)), '[]') FROM event_texts t WHERE t.chain = e.chain AND t.seq = e.seq)
		FROM events e WHERE e.chain = $1 ORDER BY e.seq`, int64(m.change.Number))
	if err != nil {
		return err
	}
	type taken struct {
		moldEvent
		actor, body string
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (taken, error) {
		var e taken
		var texts [][3]string
		var raw []byte
		if err := row.Scan(&e.at, &e.kind, &e.actor, &e.body, &raw); err != nil {
			return e, err
		}
		if err := json.Unmarshal(raw, &texts); err != nil {
			return e, err
		}
		for _, t := range texts {
			e.texts = append(e.texts, moldText{t[0], t[1], t[2]})
		}
		return e, nil
	})
	if err != nil {
		return err
	}
	approved := slices.IndexFunc(all, func(e taken) bool { return e.kind == string(change.EventApproved) })
	if approved <= 0 || approved == len(all)-1 {
		return fmt.Errorf("%s was not approved between its first event and its last", m.change.Number)
	}
	for i, e := range []taken{all[0], all[approved], all[len(all)-1]} {
		body := seqOfBody.ReplaceAllString(e.body, "${1}"+strconv.Itoa(i+1))
		e.moldEvent.actor, e.moldEvent.body = cut.pattern(e.actor), cut.pattern(rowOfBody.ReplaceAllString(body, "}"))
		m.events = append(m.events, e.moldEvent)
	}
	return nil
}

func (m *mold) takeDeliveries(ctx context.Context, pool *pgxpool.Pool, cut cutter) error {
	rows, err := pool.Query(ctx, `SELECT kind, key, system, mode, recipient, ref::text, wanted, external_id <> '', coalesce(intended_at, 'epoch'), state
		FROM deliveries WHERE number = $1 AND state <> 'open' AND next_try IS NULL ORDER BY kind = 'thread', id LIMIT $2`, int64(m.change.Number), moldDeliveries)
	if err != nil {
		return err
	}
	m.deliveries, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (moldDelivery, error) {
		var d moldDelivery
		var key, recipient, ref string
		err := row.Scan(&d.kind, &key, &d.system, &d.mode, &recipient, &ref, &d.wanted, &d.external, &d.intended, &d.state)
		d.key, d.recipient, d.ref = cut.pattern(key), cut.pattern(recipient), cut.pattern(ref)
		return d, err
	})
	if err == nil && len(m.deliveries) < moldDeliveries {
		err = fmt.Errorf("%s has %d deliveries that are done", m.change.Number, len(m.deliveries))
	}
	return err
}

// slot is what differs from one cast to the next.
type slot int

const (
	slotNone slot = iota
	slotTime
	slotNumber
	slotRequester
	slotImplementer
	slotAccount
	slotUser
	slotTicket
	slotIncident
)

// piece is a stretch of text that stays, and what follows it.
type piece struct {
	text string
	slot slot
	at   time.Time // of slotTime
}

// pattern is a text with slots.
type pattern []piece

// cutter finds the slots in a text.
type cutter struct {
	slots map[string]slot
	find  *regexp.Regexp
}

const momentOfText = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`

func newCutter(slots map[string]slot) cutter {
	var quoted []string
	for text := range slots {
		quoted = append(quoted, regexp.QuoteMeta(text))
	}
	slices.SortFunc(quoted, func(a, b string) int { return len(b) - len(a) }) // of two that fit, the longer
	return cutter{slots, regexp.MustCompile(momentOfText + "|" + strings.Join(quoted, "|"))}
}

func (c cutter) pattern(text string) pattern {
	var p pattern
	from := 0
	for _, at := range c.find.FindAllStringIndex(text, -1) {
		found := text[at[0]:at[1]]
		x := piece{text: text[from:at[0]], slot: c.slots[found]}
		if x.slot == slotNone {
			moment, err := time.Parse(time.RFC3339Nano, found)
			if err != nil {
				continue // it only looks like one
			}
			x.slot, x.at = slotTime, moment
		}
		p, from = append(p, x), at[1]
	}
	return append(p, piece{text: text[from:]})
}

// cast is what fills the slots.
type cast struct {
	number                 int64
	requester, implementer string
	account, user          string
	ticket, incident       string
	later                  time.Duration // than the mould
}

// write appends a pattern with its slots filled.
func (c *cast) write(to []byte, p pattern) []byte {
	for _, x := range p {
		to = append(to, x.text...)
		switch x.slot {
		case slotNone:
		case slotTime:
			to = x.at.Add(c.later).AppendFormat(to, time.RFC3339Nano)
		case slotNumber:
			to = strconv.AppendInt(to, c.number, 10)
		case slotRequester:
			to = append(to, c.requester...)
		case slotImplementer:
			to = append(append(append(to, `"implementer":"`...), c.implementer...), '"')
		case slotAccount:
			to = append(append(append(to, `"AccountID":"`...), c.account...), '"')
		case slotUser:
			to = append(append(append(to, `"UserID":"`...), c.user...), '"')
		case slotTicket:
			to = append(append(append(to, `"id":"`...), c.ticket...), '"')
		case slotIncident:
			to = append(append(append(to, `"id":"`...), c.incident...), '"')
		}
	}
	return to
}

func (c *cast) text(p pattern) string { return string(c.write(nil, p)) }

// people is how many people have asked for the changes of a history.
const people = 500

// person is one of them. The first can be played.
func person(i int) string {
	if i %= people; i > 0 {
		return fmt.Sprintf("U0P%06d", i)
	}
	return sandbox.Engineer
}
