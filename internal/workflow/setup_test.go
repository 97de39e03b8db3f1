package workflow_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
	"github.com/breakglass-bot/breakglass/migrations"
)

var databases = pgtest.New(migrations.Up)

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

var start = time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.UTC)

const (
	requester change.PersonID = "U0REQUESTER"
	cto       change.PersonID = "U0CTO"
	second    change.PersonID = "U0SECOND" // of the same group as the CTO
	stranger  change.PersonID = "U0COLLEAGUE"
)

var itself = change.Itself("test")

func rules() change.Rules {
	return change.Rules{
		Reasons: []change.Reason{{ID: "down", Label: "The pipeline is down"}},
		Kinds: []change.Kind{{
			ID: "access", Name: "Access", Requesters: []change.GroupID{"engineers"}, Access: change.NeedRequired, Incident: change.NeedOptional,
			Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}},
		}},
		Targets: []change.Target{{ID: "production", Name: "Production", AccountID: "111122223333", PermissionSets: []change.PermissionSet{
			{ID: "admin", Name: "Admin", ARN: "arn:ps-1", MaxDuration: 4 * time.Hour},
		}}},
		Approval: change.ApprovalRules{EscalateAfter: 10 * time.Minute, LapseAfter: 2 * time.Hour}, InstanceARN: "arn:instance",
		Record: change.RecordRules{
			Within: 24 * time.Hour, DuringIncident: change.RecordInIncident, Otherwise: change.RecordInJira,
			SignOff: change.SignOffRules{From: []change.GroupID{"cto"}, Within: 24 * time.Hour, Accept: []change.SignOffWay{change.SignOffInSlack}},
		},
		Review: change.ReviewRules{Within: 120 * time.Hour},
		Access: change.AccessRules{
			Durations: []time.Duration{time.Hour}, GrantWithin: 30 * time.Minute, NoneEndsAfter: 8 * time.Hour, WarnBeforeEnd: 10 * time.Minute, MaxTotal: 6 * time.Hour,
		},
	}
}

func member(id change.PersonID) change.Actor {
	return change.Actor{ID: id, Standing: change.Member, Via: "slack", Groups: change.GroupView{
		"cto": {Known: true, People: []change.PersonID{cto, second}}, "engineers": {Known: true, Everyone: true},
	}}
}

func request() change.Request {
	return change.Request{
		Kind: "access", Reason: "down", What: "Restart the queue", Why: "Orders are stuck", Choice: change.TicketNow,
		Target: "production", PermissionSet: "admin", Duration: time.Hour, AWSUser: &change.AWSUser{ID: "aws-1"},
	}
}

// waker remembers what was woken. It fails when it is told to.
type waker struct {
	mu    sync.Mutex
	woken []workflow.Wake
	fail  error
}

func (w *waker) Wake(_ context.Context, _ pgx.Tx, wake workflow.Wake) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woken = append(w.woken, wake)
	return w.fail
}

// stand is a workflow on a database of its own.
type stand struct {
	*workflow.Workflow
	t     *testing.T
	pool  *pgxpool.Pool
	waker *waker
}

func open(t *testing.T) *stand {
	t.Helper()
	t.Parallel()
	pool := databases.Pool(t)
	s := &stand{t: t, pool: pool, waker: &waker{}}
	s.Workflow = &workflow.Workflow{
		Ledger: ledger.New(pool), Rules: rules(), Waker: s.waker,
		Now: func() time.Time { return start }, Log: slog.New(slog.DiscardHandler),
	}
	return s
}

func (s *stand) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stand) submit(opts ...workflow.Option) change.Number {
	s.t.Helper()
	c, err := s.Submit(s.t.Context(), request(), member(requester), opts...)
	s.must(err)
	return c.Number
}

func (s *stand) do(n change.Number, cmd change.Command, actor change.Actor, opts ...workflow.Option) change.Change {
	s.t.Helper()
	c, err := s.Do(s.t.Context(), n, cmd, actor, opts...)
	s.must(err)
	return c
}

func (s *stand) refused(n change.Number, cmd change.Command, actor change.Actor, want change.RefusalCode) change.Refusal {
	s.t.Helper()
	_, err := s.Do(s.t.Context(), n, cmd, actor)
	r, ok := errors.AsType[*change.Refusal](err)
	if !ok || r.Code != want {
		s.t.Fatalf("%T by %s answers %v; want %s", cmd, actor.ID, err, want)
	}
	return *r
}

// count counts the events of a type in a chain.
func (s *stand) count(n change.Number, kind change.EventType) (count int) {
	s.t.Helper()
	s.must(s.pool.QueryRow(s.t.Context(), `SELECT count(*) FROM events WHERE chain = $1 AND type = $2`, n, kind).Scan(&count))
	return count
}

// holds demands that the trail can be verified.
func (s *stand) holds() {
	s.t.Helper()
	_, err := s.Ledger.Verify(s.t.Context(), func(f ledger.Finding) { s.t.Error(f.Say) })
	s.must(err)
}
