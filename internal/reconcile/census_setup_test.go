package reconcile_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

const (
	zoe         = "93d4a8e2-2222-2222-3333-444455556666"
	censusEvery = 6 * time.Hour
)

var zoeAdmin = sandbox.Key{InstanceARN: instance, AccountID: account, PermissionSetARN: setARN, UserID: zoe}

// paced is Identity Center over the wire, and writes down when each page of a
// list is asked for, and of what.
type paced struct {
	reconcile.CensusAWS
	clock *accessClock
	mu    sync.Mutex
	at    []time.Time
	pairs []ledger.CensusPair
	after func() // a list was read
}

func (p *paced) AssignedUsers(ctx context.Context, accountID, set string, pace func(context.Context) error) ([]string, int, error) {
	users, groups, err := p.CensusAWS.AssignedUsers(ctx, accountID, set, func(ctx context.Context) error {
		if err := pace(ctx); err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.at, p.pairs = append(p.at, p.clock.now()), append(p.pairs, ledger.CensusPair{AccountID: accountID, PermissionSetARN: set})
		return nil
	})
	if p.after != nil {
		p.after()
	}
	return users, groups, err
}

func (p *paced) calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.at)
}

// censusBundle is an accessBundle with a census, and with what tells of it.
type censusBundle struct {
	*accessBundle
	lists   *paced
	census  *reconcile.Census
	slack   *messenger
	deliver *reconcile.Deliverer
}

func censusSetup(t testing.TB, alter ...func(*sandbox.Options)) *censusBundle {
	t.Helper()
	b := &censusBundle{accessBundle: accessSetup(t, alter...), slack: &messenger{}}
	b.aws.AddUser(sandbox.User{ID: zoe, UserName: "zoe", Email: "zoe@example.com"})
	b.lists = &paced{CensusAWS: b.client, clock: b.clock}
	b.census = b.newCensus()
	b.deliver = &reconcile.Deliverer{
		Ledger: b.ledger, Workflow: b.workflow, Directory: &directory{}, Messenger: b.slack, Links: b.slack,
		Now: b.clock.now, Nonce: nonce, Log: slog.New(slog.DiscardHandler),
	}
	return b
}

// newCensus is the census of a process that has just started. It sleeps by moving
// the clock.
func (b *censusBundle) newCensus() *reconcile.Census {
	return &reconcile.Census{
		Ledger: b.ledger, Workflow: b.workflow, AWS: b.lists, Every: censusEvery, Now: b.clock.now, Nonce: nonce, Log: slog.New(slog.DiscardHandler),
		Sleep: func(ctx context.Context, d time.Duration) error {
			b.clock.set(b.clock.now().Add(d))
			return ctx.Err()
		},
	}
}

// due is when the census is due; ok is false while somebody works on it.
func (b *censusBundle) due() (at time.Time) {
	b.Helper()
	var next *time.Time
	b.ok(b.pool.QueryRow(b.ctx, `SELECT max(GREATEST(next_try, lease_until)) FROM census`).Scan(&next))
	if next == nil {
		return b.clock.now()
	}
	return next.UTC()
}

// walk lets time pass for everything: the access reconciler, the clock, the census
// and the messages. It ends early when there is what is waited for.
func (b *censusBundle) walk(d time.Duration, there ...func() bool) bool {
	b.Helper()
	target := b.clock.now().Add(d)
	for {
		b.drain()
		b.ok(b.census.Work(b.ctx))
		b.drain() // what it has woken
		b.ok(b.deliver.Work(b.ctx, ledger.WorkOf(0, string(change.SystemSlack))))
		if len(there) > 0 && there[0]() {
			return true
		}
		next := b.due()
		if at := b.next(); !at.IsZero() && at.Before(next) {
			next = at
		}
		now := b.clock.now()
		if !next.After(now) && !now.After(target) {
			continue
		}
		if next.After(target) {
			b.clock.set(target)
			return false
		}
		b.clock.set(next)
	}
}

// findings are those that were told, by kind.
func (b *censusBundle) findings(kind change.FindingKind) []ledger.CensusRow {
	b.Helper()
	all, err := b.ledger.CensusFindings(b.ctx, time.Time{}, 1000)
	b.ok(err)
	var of []ledger.CensusRow
	for _, f := range all {
		if f.Kind == kind {
			of = append(of, f)
		}
	}
	return of
}

// one demands that exactly one finding of a kind was told, and answers it.
func (b *censusBundle) one(kind change.FindingKind, state change.FindingState) ledger.CensusRow {
	b.Helper()
	all, err := b.ledger.CensusFindings(b.ctx, time.Time{}, 1000)
	b.ok(err)
	if len(all) != 1 || all[0].Kind != kind || all[0].State != state {
		b.Fatalf("at %s the findings are %+v; want one %s, %s", b.clock.now().Sub(start), all, kind, state)
	}
	return all[0]
}

func (b *censusBundle) none() {
	b.Helper()
	if all, err := b.ledger.CensusFindings(b.ctx, time.Time{}, 1000); err != nil || len(all) != 0 {
		b.Fatalf("at %s the findings are %+v, %v; want none", b.clock.now().Sub(start), all, err)
	}
	if got := b.chain(); len(got) != 0 {
		b.Fatalf("the system chain holds %v", got)
	}
}

// chain lists the types of the events of the system chain, which must hold.
func (b *censusBundle) chain() []change.EventType {
	b.Helper()
	events, err := b.ledger.SystemEvents(b.ctx, 0, 1000)
	b.ok(err)
	var types []change.EventType
	for _, e := range events {
		types = append(types, e.Type)
	}
	if _, err := b.ledger.Verify(b.ctx, func(f ledger.Finding) { b.Errorf("the trail: %s", f) }); err != nil {
		b.Fatal(err)
	}
	return types
}

// posted counts the messages that Slack was given to post, and not to edit.
func (b *censusBundle) posted(kind change.DeliveryKind) int {
	b.slack.mu.Lock()
	defer b.slack.mu.Unlock()
	n := 0
	for _, p := range b.slack.written {
		if p.Delivery.Kind == kind && p.External == "" {
			n++
		}
	}
	return n
}

// shown is what Slack shows of findings by now.
func (b *censusBundle) shown() *change.CensusNotice {
	b.Helper()
	b.slack.mu.Lock()
	defer b.slack.mu.Unlock()
	for i := len(b.slack.written) - 1; i >= 0; i-- {
		if p := b.slack.written[i]; p.Delivery.Kind == change.DeliverFinding {
			return p.Finding
		}
	}
	b.Fatal("nothing is shown")
	return nil
}

func (b *censusBundle) decide(id int64, end bool) {
	b.Helper()
	b.ok(b.workflow.DecideFinding(b.ctx, workflow.FindingDecision{Finding: id, End: end}, ctoActor))
}
