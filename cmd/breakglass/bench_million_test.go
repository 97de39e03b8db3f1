//go:build bench

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// How many closed changes the ledgers hold that are compared, and how much slower
// anything may be with the many.
const (
	fewChanges  = 1_000
	manyChanges = 1_000_000
	mostSlower  = 1.5
)

// openInEach is how many changes are open in each ledger besides: a third each is
// requested, active, and waits for its record.
const openInEach = 36

// benchMillion measures whether anything grows slower with the changes that are
// over. Both ledgers do the same things by turns.
func benchMillion(ctx context.Context, t *testing.T, b *bench) {
	k := openKept(ctx, t)
	var sides [2]*side
	for i, n := range []int64{fewChanges, manyChanges} {
		sides[i] = openSide(ctx, t, k.copyOf(ctx, t, k.template(ctx, t, n)), n)
	}
	for _, x := range strands() {
		compare(t, b, sides, x)
	}
}

// side is the whole program on one of the ledgers, with the stand-ins around it.
type side struct {
	*scene
	closed int64
	open   []change.Number
	actors map[change.PersonID]change.Actor
	turn   int // counts the times of one strand
}

func openSide(ctx context.Context, t *testing.T, pool *pgxpool.Pool, closed int64) *side {
	t.Helper()
	s, err := openScene(ctx, pool, sceneOptions{deployments: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("POST /slack/commands", s.app.Commands())
	mux.Handle("POST /slack/interactions", s.app.Interactions())
	mux.Handle("POST /slack/events", s.app.Events())
	door := httptest.NewServer(mux)
	t.Cleanup(door.Close)
	t.Cleanup(s.app.Wait)
	s.world.Slack.SetAppURL(door.URL)
	x := &side{scene: s, closed: closed, actors: map[change.PersonID]change.Actor{}}
	if err := x.prepare(); err != nil {
		t.Fatalf("with %d: %v", closed, err)
	}
	return x
}

// prepare makes the history's assignments those of this instance of Identity
// Center, and opens some changes.
func (x *side) prepare() error {
	if _, err := x.pool.Exec(x.ctx, `UPDATE assignments SET instance_arn = $1`, x.cfg.AWS.InstanceARN); err != nil {
		return err
	}
	for _, who := range []change.PersonID{sandbox.Engineer, sandbox.CTO} {
		kind, _ := x.cfg.Rules.Kind("production-access")
		draft := change.Change{Plan: change.Plan{Approvals: kind.Approvals, SelfApproval: kind.SelfApproval}, Self: &change.SelfApproved{}, Phase: change.Requested}
		actor, err := x.actor(who, slices.Concat(kind.Requesters, draft.GroupsOf(x.cfg.Rules)), false)
		if err != nil {
			return err
		}
		x.actors[who] = actor
	}
	for i := range openInEach {
		n, err := x.request()
		if err != nil {
			return err
		}
		if i%3 > 0 {
			if err := x.do(n, change.Approve{Ask: 1}, sandbox.CTO); err != nil {
				return err
			}
		}
		x.open = append(x.open, n)
	}
	if err := x.work(); err != nil {
		return err
	}
	for i, n := range x.open {
		if i%3 > 1 {
			if err := x.do(n, change.Finish{}, sandbox.Engineer); err != nil {
				return err
			}
		}
	}
	if err := x.work(); err != nil {
		return err
	}
	_, err := x.pool.Exec(x.ctx, `VACUUM (ANALYZE)`)
	return err
}

// request asks for access: the transaction alone.
func (x *side) request() (change.Number, error) {
	c, err := x.workflow.Submit(x.ctx, change.Request{
		Kind: "production-access", Reason: "platform-unrecoverable", What: "Restart the queue by hand", Why: "Orders stand still",
		Target: "production", PermissionSet: "admin", Duration: time.Hour, Choice: change.TicketNow,
	}, x.actors[sandbox.Engineer])
	if err == nil {
		x.own = append(x.own, c.Number)
	}
	return c.Number, err
}

// do carries a command out: the transaction alone.
func (x *side) do(n change.Number, cmd change.Command, who change.PersonID) error {
	_, err := x.workflow.Do(x.ctx, n, cmd, x.actors[who])
	return err
}

// strand is one thing that is measured.
type strand struct {
	what  string
	times int                 // measured; some more go before, to warm up
	ready func(x *side) error // before each, not measured; nil: nothing
	do    func(x *side) error // measured
}

// errOver ends a strand before its times are over.
var errOver = errors.New("there is no more to do")

// warming is how often a strand is done before it is measured.
const warming = 12

// compare does a strand on both sides by turns, and tells the medians.
func compare(t *testing.T, b *bench, sides [2]*side, x strand) {
	t.Helper()
	runtime.GC()
	var took [2][]time.Duration
	for i := range x.times + warming {
		for turn := range sides {
			which := (turn + i) % 2 // none is always the first
			s := sides[which]
			s.turn = i
			if x.ready != nil {
				if err := x.ready(s); errors.Is(err, errOver) {
					continue
				} else if err != nil {
					t.Fatalf("%s, with %d: %v", x.what, s.closed, err)
				}
			}
			began := time.Now()
			if err := x.do(s); err != nil {
				t.Fatalf("%s, with %d: %v", x.what, s.closed, err)
			}
			if i >= min(warming, x.times/4) {
				took[which] = append(took[which], time.Since(began))
			}
		}
	}
	few, many := median(took[0]), median(took[1])
	ratio := float64(many) / float64(few)
	b.add(figure{
		what: x.what, got: fmt.Sprint(many.Round(time.Microsecond)), against: fmt.Sprint(few.Round(time.Microsecond)), ratio: fmt.Sprintf("%.2f", ratio),
		goal: fmt.Sprintf("≤ %g", mostSlower), met: atMost(ratio, mostSlower),
	})
}

// inTx runs something in a transaction of its own.
func (x *side) inTx(fn func(tx ledger.Tx) error) error { return x.ledger.InTx(x.ctx, fn) }
