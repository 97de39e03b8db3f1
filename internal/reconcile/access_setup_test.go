package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

const (
	region   = "eu-west-1"
	instance = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
	storeID  = "d-0123456789"
	account  = "111122223333"
	setARN   = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef"
	ada      = "93d4a8e2-1111-2222-3333-444455556666"

	createCall = "CreateAccountAssignment"
	deleteCall = "DeleteAccountAssignment"
	listCall   = "ListAccountAssignments"
)

var (
	start    = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	adaAdmin = sandbox.Key{InstanceARN: instance, AccountID: account, PermissionSetARN: setARN, UserID: ada}
)

type accessClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *accessClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *accessClock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.at) {
		c.at = at
	}
}

// waker wakes nobody: the tests look for what is due. When it is told to, it
// fails the transaction.
type waker struct{ fail func() error }

func (w *waker) Wake(context.Context, pgx.Tx, workflow.Wake) error {
	if w.fail != nil {
		return w.fail()
	}
	return nil
}

type accessBundle struct {
	testing.TB
	ctx      context.Context //nolint:containedctx // it is the test's own
	clock    *accessClock
	aws      *sandbox.Server
	client   *identitycenter.Client
	pool     *pgxpool.Pool
	ledger   *ledger.Ledger
	workflow *workflow.Workflow
	waker    *waker
	access   *reconcile.Access
	tick     *reconcile.Clock
	failed   func(error) // what Work answered; nil: the test fails
}

func accessRules() change.Rules {
	return change.Rules{
		InstanceARN: instance,
		Reasons:     []change.Reason{{ID: "down", Label: "It is down"}},
		Kinds: []change.Kind{{
			ID: "access", Name: "Work on production", Requesters: []change.GroupID{"all"}, Access: change.NeedRequired, Incident: change.NeedOptional,
			Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}},
		}},
		Targets:  targets(),
		Roles:    change.Roles{CTO: []change.GroupID{"cto"}},
		Approval: change.ApprovalRules{EscalateAfter: time.Hour, LapseAfter: 2 * time.Hour},
		Record: change.RecordRules{
			Within: 24 * time.Hour, DuringIncident: change.RecordInIncident, Otherwise: change.RecordInJira,
			SignOff: change.SignOffRules{From: []change.GroupID{"cto"}, Within: 24 * time.Hour},
		},
		Review: change.ReviewRules{Within: 48 * time.Hour},
		Access: change.AccessRules{
			Durations: []time.Duration{15 * time.Minute, time.Hour}, GrantWithin: 30 * time.Minute,
			NoneEndsAfter: 24 * time.Hour, WarnBeforeEnd: 5 * time.Minute, MaxTotal: 12 * time.Hour,
		},
	}
}

var groups = change.GroupView{"all": {Known: true, Everyone: true}, "cto": {Known: true, People: []change.PersonID{"UCTO"}}}

var (
	asker    = change.Actor{ID: "UADA", Standing: change.Member, Groups: groups}
	ctoActor = change.Actor{ID: "UCTO", Standing: change.Member, Groups: groups}
)

func accessSetup(t testing.TB, alter ...func(*sandbox.Options)) *accessBundle {
	t.Helper()
	c := &accessClock{at: start}
	opt := sandbox.Options{
		Now: c.now, Region: region, InstanceARN: instance, IdentityStoreID: storeID,
		CallsPerSecond: -1, SettleAfter: 3 * time.Second,
	}
	for _, f := range alter {
		f(&opt)
	}
	b := &accessBundle{TB: t, ctx: t.Context(), clock: c, aws: sandbox.New(opt), pool: databases.Pool(t), waker: &waker{}}
	b.aws.AddUser(sandbox.User{ID: ada, UserName: "ada", Email: "ada@example.com"})
	for _, x := range targets() {
		b.aws.AddAccount(x.AccountID)
	}
	b.aws.AddPermissionSet(sandbox.PermissionSet{ARN: setARN, Name: "Admin", SessionDuration: "PT2H"})
	server := httptest.NewServer(b.aws)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := identitycenter.New(b.ctx, identitycenter.Options{
		Region: region, InstanceARN: instance, IdentityStoreID: storeID, EndpointURL: server.URL, ReadAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", ""), HTTPClient: &http.Client{Transport: transport},
	})
	b.ok(err)
	b.client = client
	b.ledger = ledger.New(b.pool)
	log := slog.New(slog.DiscardHandler)
	b.workflow = &workflow.Workflow{Ledger: b.ledger, Rules: accessRules(), Waker: b.waker, Now: c.now, Log: log}
	b.access = b.reconciler(client)
	b.tick = &reconcile.Clock{Ledger: b.ledger, Workflow: b.workflow, Now: c.now, Log: log}
	return b
}

var nonces = struct {
	sync.Mutex
	n int
}{}

func nonce() string {
	nonces.Lock()
	defer nonces.Unlock()
	nonces.n++
	return fmt.Sprint("claim ", nonces.n)
}

func (b *accessBundle) reconciler(aws reconcile.AWS) *reconcile.Access {
	return &reconcile.Access{Ledger: b.ledger, Workflow: b.workflow, AWS: aws, Now: b.clock.now, Nonce: nonce, Log: slog.New(slog.DiscardHandler)}
}

func (b *accessBundle) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// ask is a request for an hour in production, for the user given.
func accessAsk(user string) change.Request {
	return change.Request{
		Kind: "access", Reason: "down", What: "Restart it", Why: "It is down", Target: "prod", PermissionSet: "admin",
		Duration: time.Hour, Choice: change.TicketLater, AWSUser: &change.AWSUser{ID: user},
	}
}

// approved has access approved: for ada, or the user given.
func (b *accessBundle) approved(user ...string) change.Number {
	b.Helper()
	req := accessAsk(ada)
	if len(user) > 0 {
		req = accessAsk(user[0])
	}
	return b.approve(req)
}

// approvedIn has access for ada approved in the i-th of the other accounts. AWS
// does one thing at a time in each.
func (b *accessBundle) approvedIn(i int) change.Number {
	b.Helper()
	req := accessAsk(ada)
	req.Target = target(i)
	return b.approve(req)
}

func (b *accessBundle) approve(req change.Request) change.Number {
	b.Helper()
	c, err := b.workflow.Submit(b.ctx, req, asker)
	b.ok(err)
	b.do(c.Number, change.Approve{Ask: 1}, ctoActor)
	return c.Number
}

const otherAccounts = 20

func target(i int) change.TargetID { return change.TargetID(fmt.Sprint("other", i)) }

func targets() []change.Target {
	sets := []change.PermissionSet{{ID: "admin", Name: "Admin", ARN: setARN, MaxDuration: 4 * time.Hour}}
	all := []change.Target{{ID: "prod", Name: "Production", AccountID: account, PermissionSets: sets}}
	for i := range otherAccounts {
		all = append(all, change.Target{ID: target(i), Name: string(target(i)), AccountID: fmt.Sprintf("2222%08d", i), PermissionSets: sets})
	}
	return all
}

func (b *accessBundle) do(n change.Number, cmd change.Command, by change.Actor) {
	b.Helper()
	_, err := b.workflow.Do(b.ctx, n, cmd, by)
	b.ok(err)
}

func (b *accessBundle) change(n change.Number) change.Change {
	b.Helper()
	c, err := b.ledger.Change(b.ctx, n)
	b.ok(err)
	return c
}

func (b *accessBundle) wantPhase(n change.Number, want change.Phase) change.Change {
	b.Helper()
	c := b.change(n)
	if c.Phase != want {
		b.Fatalf("%s is %s, want %s; events %v; calls %+v", n, c.Phase, want, b.events(n), b.aws.History())
	}
	return c
}

func (b *accessBundle) wantHas(want bool) {
	b.Helper()
	if got := b.aws.Has(adaAdmin); got != want {
		b.Fatalf("at %s AWS has the access: %v, want %v; calls %+v", b.clock.now().Sub(start), got, want, b.aws.History())
	}
}

func (b *accessBundle) events(n change.Number) []change.EventType {
	b.Helper()
	all, err := b.ledger.Events(b.ctx, n, 0, 1000)
	b.ok(err)
	var types []change.EventType
	for _, e := range all {
		types = append(types, e.Type)
	}
	return types
}

func (b *accessBundle) count(n change.Number, t change.EventType) int {
	b.Helper()
	count := 0
	for _, e := range b.events(n) {
		if e == t {
			count++
		}
	}
	return count
}

// calls counts creates or deletes that reached AWS and were accepted.
func (b *accessBundle) calls(operation string) int {
	count := 0
	for _, c := range b.aws.History() {
		if c.Operation == operation && c.Refused == "" {
			count++
		}
	}
	return count
}

// drain does everything that is due now.
func (b *accessBundle) drain() {
	b.Helper()
	for range 50 {
		ticked, err := b.tick.Tick(b.ctx)
		b.worked(err)
		ids, err := b.access.Due(b.ctx, 100)
		b.ok(err)
		if len(ids) == 0 && ticked == 0 {
			return
		}
		for _, id := range ids {
			b.worked(b.work(id))
		}
	}
	b.Fatalf("at %s there is always something due", b.clock.now().Sub(start))
}

// work is Work; that a test kills it on the way is an error.
func (b *accessBundle) work(id int64) (err error) {
	defer func() {
		if r := recover(); r == any(errCrash) {
			err = errCrash
		} else if r != nil {
			panic(r)
		}
	}()
	return b.access.Work(b.ctx, id)
}

func (b *accessBundle) worked(err error) {
	b.Helper()
	if err == nil {
		return
	}
	if b.failed == nil {
		b.Fatal(err)
	}
	b.failed(err)
}

// forward lets time pass and does everything when it comes due.
func (b *accessBundle) forward(d time.Duration) {
	b.Helper()
	b.until(d, func() bool { return false })
}

// until is forward, but stops as soon as there is what is waited for. It tells
// whether there is.
func (b *accessBundle) until(d time.Duration, there func() bool) bool {
	b.Helper()
	target := b.clock.now().Add(d)
	for {
		b.drain()
		if there() {
			return true
		}
		next := b.next()
		if next.IsZero() || next.After(target) {
			break
		}
		b.clock.set(next)
	}
	b.clock.set(target)
	b.drain()
	return there()
}

// next is when something comes due by itself.
func (b *accessBundle) next() time.Time {
	b.Helper()
	var at *time.Time
	b.ok(b.pool.QueryRow(b.ctx, `SELECT min(at) FROM (
		SELECT next_at AS at FROM changes UNION ALL
		SELECT CASE WHEN next_try IS NULL THEN NULL ELSE GREATEST(next_try, lease_until) END FROM assignments) x WHERE at > $1`, b.clock.now()).Scan(&at))
	if at == nil {
		return time.Time{}
	}
	return at.UTC()
}

// active forwards until the change is active.
func (b *accessBundle) active(n change.Number) change.Change {
	b.Helper()
	b.until(2*time.Minute, func() bool { return b.change(n).Phase == change.Active })
	return b.wantPhase(n, change.Active)
}

// gone forwards until the change's access is verifiably gone.
func (b *accessBundle) gone(n change.Number, within time.Duration) change.Change {
	b.Helper()
	if !b.until(within, func() bool { return !b.change(n).Access.GoneAt.IsZero() }) {
		b.Fatalf("the access of %s is not told to be gone within %s: %v; calls %+v", n, within, b.events(n), b.aws.History())
	}
	return b.change(n)
}

// quiet demands that nothing is left to do, and that no careful caller would
// have done otherwise.
func (b *accessBundle) quiet() {
	b.Helper()
	var left int
	b.ok(b.pool.QueryRow(b.ctx, `SELECT count(*) FROM assignments WHERE next_try IS NOT NULL OR operation <> '' OR claim <> ''`).Scan(&left))
	if left != 0 {
		b.Fatalf("%d assignments are still worked on", left)
	}
	b.careful()
}

func (b *accessBundle) careful() {
	b.Helper()
	if v := b.aws.Violations(); len(v) > 0 {
		b.Fatalf("violations: %v", v)
	}
}

// ownIntervals are the accesses that were ours.
func (b *accessBundle) ownIntervals() []sandbox.Interval {
	return slices.DeleteFunc(b.aws.Intervals(), func(i sandbox.Interval) bool { return i.Standing })
}

var errCrash = errors.New("crashed")

// last is the newest event of a type.
func (b *accessBundle) last(n change.Number, want change.EventType) change.Event {
	b.Helper()
	all, err := b.ledger.Events(b.ctx, n, 0, 1000)
	b.ok(err)
	for _, e := range slices.Backward(all) {
		if e.Type == want {
			return e
		}
	}
	b.Fatalf("%s has no event %s: %v", n, want, b.events(n))
	return change.Event{}
}
