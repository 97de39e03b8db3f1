package audit_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/audit"
	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/migrations"
)

var databases = pgtest.New(migrations.Up)

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

// start is when the period of the tests begins. It lasts ten days.
var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const (
	requester change.PersonID = "U0REQUESTER"
	cto       change.PersonID = "U0CTO"
)

// What is typed about the confidential change, so that leaks are found.
const secret = "the walrus leaks"

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
	pool := databases.Pool(t)
	return &stand{Ledger: ledger.New(pool), t: t, ctx: t.Context(), pool: pool, now: start}
}

func (s *stand) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stand) submit(alter func(*change.Request)) (n change.Number) {
	s.t.Helper()
	req := change.Request{
		Kind: "access", Reason: "down", What: "=Restart the \"queue\", <all> of it\r\nat once", Why: "Orders are stuck", Choice: change.TicketLater,
		Target: "production", PermissionSet: "admin", Duration: time.Hour, AWSUser: &change.AWSUser{ID: "aws-1"},
	}
	if alter != nil {
		alter(&req)
	}
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) (err error) {
		if n, err = tx.NextNumber(s.ctx); err != nil {
			return err
		}
		c, events, err := change.Submit(rules(), req, member(requester), n, s.now)
		if err != nil {
			return err
		}
		_, err = tx.Insert(s.ctx, &c, events)
		return err
	}))
	return n
}

func (s *stand) do(n change.Number, cmd change.Command, actor change.Actor) {
	s.t.Helper()
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		head, err := tx.Lock(s.ctx, n)
		if err != nil {
			return err
		}
		c, events, err := change.Decide(rules(), head.Change, cmd, actor, s.now)
		if err != nil || len(events) == 0 {
			return err
		}
		_, err = tx.Update(s.ctx, head, &c, events)
		return err
	}))
}

// next goes on to a time of the period, and seals the days before it.
func (s *stand) next(day, hour int) {
	s.t.Helper()
	s.now = start.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
	s.must(s.Seal(s.ctx, change.SealDay(s.now), s.now, true))
}

func (s *stand) system(kind change.EventType, who change.PersonID) {
	s.t.Helper()
	_, err := s.SystemEvent(s.ctx, change.Event{Type: kind, At: s.now, Actor: who, Via: "slack", Texts: map[string]string{"name": "Mallory"}}, s.now, 9)
	s.must(err)
}

// posted tells that a seal stands in the audit channel.
func (s *stand) posted(number int64) {
	s.t.Helper()
	seal, err := s.SealNumbered(s.ctx, number)
	s.must(err)
	_, err = s.SystemEvent(s.ctx, change.Event{Type: change.EventSealPosted, At: s.now, Via: "clock", Facts: change.Facts{"seal": number, "hash": seal.Hash}}, s.now, 9)
	s.must(err)
}

// story is a ledger of nine changes, seven of them in the period: EC-2 lapsed,
// EC-3 with access, extended, recorded late, EC-4 confidential and denied, EC-5
// reported, EC-6 withdrawn, EC-7 failed, EC-8 with access that was there before.
func story(t *testing.T) *stand {
	t.Helper()
	s := open(t)
	s.next(-1, 9)
	s.submit(nil)
	s.system(change.EventTurnedAway, "U1")
	s.next(0, 0)
	n := s.submit(nil)
	s.next(0, 3)
	s.do(n, change.Tick{}, itself)
	n = s.submit(nil)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.IntendAccess{}, itself)
	s.do(n, change.AccessVerified{}, itself)
	s.do(n, change.LinkURL{URL: "https://example.com/<a>"}, member(requester))
	s.do(n, change.Extend{Duration: time.Hour, Why: "It takes longer"}, member(requester))
	s.do(n, change.Approve{Ask: 2}, member(cto))
	s.do(n, change.Finish{}, member(requester))
	s.system(change.EventForged, "U2")
	s.next(0, 4)
	s.do(n, change.AccessGone{}, itself)
	s.next(2, 9)
	s.do(n, change.Tick{}, itself)
	s.do(n, change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	s.do(n, change.WriteRecord{Done: "Restarted", Why: "Stuck"}, member(requester))
	s.do(n, change.RecordMirrored{Revision: 1, In: change.RecordInJira, Ref: "c1"}, itself)
	n = s.submit(func(r *change.Request) {
		r.What, r.Why = secret, secret
		r.Incident = &change.Incident{ID: "i1", Reference: "INC-1", Name: secret, Status: "Investigating", Category: change.IncidentLive, Private: true}
	})
	s.do(n, change.LinkURL{URL: "https://example.com/walrus"}, member(requester))
	s.do(n, change.Deny{Ask: 1, Reason: secret}, member(cto))
	s.next(3, 9)
	s.submit(func(r *change.Request) {
		r.Reported, r.MadeAt, r.Implementer = true, s.now.Add(-3*time.Hour), "U0OTHER"
	})
	s.do(s.submit(nil), change.Withdraw{}, member(requester))
	n = s.submit(nil)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.AccessFailed{Say: "AWS refused"}, itself)
	s.posted(3)
	s.next(5, 9)
	n = s.submit(nil)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.AccessVerified{Standing: true}, itself)
	s.next(10, 1)
	s.submit(nil)
	s.posted(5)
	s.system(change.EventTurnedAway, "U4")
	s.next(11, 1)
	return s
}

func options() audit.Options {
	return audit.Options{Since: start, Until: start.AddDate(0, 0, 10), At: start.AddDate(0, 0, 12), Version: "test"}
}

// export writes an export of a ledger into a new folder.
func (s *stand) export(opts audit.Options) (string, audit.Result) {
	s.t.Helper()
	folder := filepath.Join(s.t.TempDir(), "export")
	result, err := audit.Export(s.ctx, s.Ledger, folder, opts)
	s.must(err)
	return folder, result
}

// verified gives what Verify finds.
func verified(t *testing.T, folder string) ([]string, audit.Summary) {
	t.Helper()
	var found []string
	sum, err := audit.Verify(t.Context(), folder, func(f audit.Finding) { found = append(found, f.String()) })
	if err != nil {
		t.Fatal(err)
	}
	return found, sum
}
