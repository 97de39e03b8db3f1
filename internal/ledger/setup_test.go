package ledger_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/migrations"
)

var databases = pgtest.New(migrations.Up)

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

// start is when every test begins.
var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	requester change.PersonID = "U0REQUESTER"
	cto       change.PersonID = "U0CTO"
)

var (
	itself = change.Itself("test")
	ticket = change.TicketRef{ID: "10001", Key: "OPS-1"}
)

func rules() change.Rules {
	return change.Rules{
		Reasons: []change.Reason{{ID: "down", Label: "The pipeline is down"}},
		Kinds: []change.Kind{{
			ID: "access", Name: "Access", Requesters: []change.GroupID{"engineers"}, Access: change.NeedOptional, Incident: change.NeedOptional,
			Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}},
		}},
		Targets: []change.Target{{ID: "production", Name: "Production", AccountID: "111122223333", PermissionSets: []change.PermissionSet{
			{ID: "admin", Name: "Admin", ARN: "arn:ps-1", MaxDuration: 4 * time.Hour},
		}}},
		Approval:    change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: 2 * time.Hour},
		InstanceARN: "arn:instance",
		Record: change.RecordRules{
			Within: 24 * time.Hour, DuringIncident: change.RecordInIncident, Otherwise: change.RecordInJira, Remind: []time.Duration{2 * time.Hour},
			SignOff: change.SignOffRules{From: []change.GroupID{"cto"}, Within: 24 * time.Hour, Accept: []change.SignOffWay{change.SignOffInSlack}},
		},
		Review: change.ReviewRules{Within: 120 * time.Hour},
		Access: change.AccessRules{
			Durations: []time.Duration{time.Hour, 2 * time.Hour}, GrantWithin: 30 * time.Minute, NoneEndsAfter: 8 * time.Hour,
			WarnBeforeEnd: 10 * time.Minute, MaxTotal: 6 * time.Hour,
		},
	}
}

func member(id change.PersonID) change.Actor {
	return change.Actor{ID: id, Standing: change.Member, Via: "slack", Groups: change.GroupView{
		"cto": {Known: true, People: []change.PersonID{cto}}, "engineers": {Known: true, Everyone: true},
	}}
}

// stand is a ledger on a database of its own, with a clock that the test moves.
type stand struct {
	*ledger.Ledger
	t    *testing.T
	ctx  context.Context //nolint:containedctx // it is the test's own
	pool *pgxpool.Pool
	now  time.Time
}

func open(t *testing.T) *stand {
	t.Helper()
	t.Parallel()
	pool := databases.Pool(t)
	return &stand{Ledger: ledger.New(pool), t: t, ctx: t.Context(), pool: pool, now: start}
}

func (s *stand) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// exec runs a statement as whoever owns the database.
func (s *stand) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.pool.Exec(s.ctx, sql, args...); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// tamper runs statements with every trigger and foreign key silenced, as only a
// superuser can.
func (s *stand) tamper(statements ...string) {
	s.t.Helper()
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		for _, sql := range append([]string{`SET LOCAL session_replication_role = replica`}, statements...) {
			if _, err := tx.Exec(s.ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	}))
}

func one[T any](s *stand, sql string, args ...any) T {
	s.t.Helper()
	rows, err := s.pool.Query(s.ctx, sql, args...)
	s.must(err)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	s.must(err)
	return v
}

// submit asks for a change with access, or without.
func (s *stand) submit(access bool) change.Number {
	s.t.Helper()
	n, err := s.trySubmit(access, nil)
	s.must(err)
	return n
}

func (s *stand) trySubmit(access bool, fail error) (n change.Number, err error) {
	req := change.Request{Kind: "access", Reason: "down", What: "Restart the queue", Why: "Orders are stuck", Choice: change.TicketLater}
	if access {
		req.Target, req.PermissionSet, req.Duration, req.AWSUser = "production", "admin", time.Hour, &change.AWSUser{ID: "aws-1"}
	}
	err = s.InTx(s.ctx, func(tx ledger.Tx) error {
		if n, err = tx.NextNumber(s.ctx); err != nil {
			return err
		}
		c, events, err := change.Submit(rules(), req, member(requester), n, s.now)
		if err != nil {
			return err
		}
		if _, err = tx.Insert(s.ctx, &c, events); err != nil {
			return err
		}
		return fail
	})
	return n, err
}

// do carries a command out and answers the change after it.
func (s *stand) do(n change.Number, cmd change.Command, actor change.Actor) change.Change {
	s.t.Helper()
	var after change.Change
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		head, err := tx.Lock(s.ctx, n)
		if err != nil {
			return err
		}
		c, events, err := change.Decide(rules(), head.Change, cmd, actor, s.now)
		if err != nil || len(events) == 0 {
			return err
		}
		if _, err := tx.Update(s.ctx, head, &c, events); err != nil {
			return err
		}
		after = c
		_, err = tx.SyncGrant(s.ctx, &c, s.now)
		return err
	}))
	return after
}

// activate brings a change with access to its window.
func (s *stand) activate(n change.Number) {
	s.t.Helper()
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.IntendAccess{}, itself)
	s.do(n, change.AccessVerified{}, itself)
}

// whole brings a change with access to its close.
func (s *stand) whole() change.Number {
	s.t.Helper()
	n := s.submit(true)
	s.activate(n)
	s.now = s.now.Add(time.Minute)
	s.do(n, change.AddNote{Text: "Half way"}, member(requester))
	s.do(n, change.Finish{}, member(requester))
	s.do(n, change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	s.do(n, change.WriteRecord{Done: "Restarted", Why: "Stuck"}, member(requester))
	s.do(n, change.RecordMirrored{Revision: 1, In: change.RecordInJira, Ref: "c1"}, itself)
	return n
}
