package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
)

// digestBundle is a Deliverer with a clock that asks for digests.
type digestBundle struct {
	*recordBundle
	asked []string // the periods that were computed
	mu    sync.Mutex
}

// setupDigest begins with one change of October, and October nearly over.
func setupDigest(t *testing.T) *digestBundle {
	t.Helper()
	b := &digestBundle{recordBundle: setupRecords(t)}
	b.Digest = func(_ context.Context, from, to time.Time) ([]string, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.asked = append(b.asked, from.Format(time.RFC3339)+" "+to.Format(time.RFC3339))
		return []string{"1 emergency change."}, nil
	}
	b.setClock("2026-10-31T12:00:00Z")
	b.request(t)
	b.work(t)
	return b
}

func (b *digestBundle) setClock(s string) {
	at, err := time.Parse(time.RFC3339, s)
	must(err)
	b.clock.at.Store(&at)
}

// newClock is the clock of a process that has just started.
func (b *digestBundle) newClock() *reconcile.Clock {
	return &reconcile.Clock{Ledger: b.Ledger, Workflow: b.Workflow, Now: b.clock.now, Digests: true, Log: slog.New(slog.DiscardHandler)}
}

// tick lets clocks tick, and the deliveries follow.
func (b *digestBundle) tick(t *testing.T, clocks ...*reconcile.Clock) {
	t.Helper()
	for _, k := range clocks {
		if _, err := k.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.work(t)
}

// posted lists the months whose digests were posted, by what Slack and the
// system chain hold.
func (b *digestBundle) posted(t *testing.T) (slack, chain []string) {
	t.Helper()
	b.slack.mu.Lock()
	defer b.slack.mu.Unlock()
	for _, p := range b.slack.written {
		if p.Delivery.Kind == change.DeliverDigest {
			slack = append(slack, p.Delivery.Key)
		}
	}
	events, err := b.Ledger.SystemEvents(t.Context(), 0, 100)
	must(err)
	for _, e := range events {
		if e.Type == change.EventDigestPosted {
			chain = append(chain, e.Fact("month"))
		}
	}
	return slack, chain
}

func (b *digestBundle) want(t *testing.T, months ...string) {
	t.Helper()
	slack, chain := b.posted(t)
	if fmt.Sprint(slack) != fmt.Sprint(months) || fmt.Sprint(chain) != fmt.Sprint(months) {
		t.Errorf("at %s Slack was told of %v and the chain of %v, want %v", b.clock.now(), slack, chain, months)
	}
}

func TestADigestIsPostedOnceOnTheFirstOfTheMonth(t *testing.T) {
	t.Parallel()
	b := setupDigest(t)
	k := b.newClock()
	b.tick(t, k)
	b.setClock("2026-11-01T08:59:59Z")
	b.tick(t, k)
	b.want(t)
	b.setClock("2026-11-01T09:00:00Z")
	b.tick(t, k, k)
	b.want(t, "2026-10")
	b.tick(t, b.newClock(), b.newClock()) // after a restart, and in another replica
	b.setClock("2026-11-30T23:59:59Z")
	b.tick(t, k, b.newClock())
	b.want(t, "2026-10")
	b.setClock("2026-12-01T09:00:00Z")
	b.tick(t, k, b.newClock())
	b.want(t, "2026-10", "2026-11")
	if want := "[2026-10-01T00:00:00Z 2026-11-01T00:00:00Z 2026-11-01T00:00:00Z 2026-12-01T00:00:00Z]"; fmt.Sprint(b.asked) != want {
		t.Errorf("computed of %v, want %s", b.asked, want)
	}
	var findings []ledger.Finding
	_, err := b.Ledger.Verify(t.Context(), func(f ledger.Finding) { findings = append(findings, f) })
	if err != nil || len(findings) > 0 {
		t.Errorf("the trail: %v, %v", findings, err)
	}
}

func TestReplicasThatRacePostADigestOnce(t *testing.T) {
	t.Parallel()
	b := setupDigest(t)
	b.setClock("2026-11-01T09:00:00Z")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := b.newClock().Tick(t.Context()); err != nil {
				t.Error(err)
			}
			if err := b.Work(t.Context(), ledger.WorkOf(0, string(change.SystemSlack))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	b.work(t)
	b.want(t, "2026-10")
}

func TestOfMissedMonthsOnlyTheNewestIsPosted(t *testing.T) {
	t.Parallel()
	b := setupDigest(t)
	b.setClock("2026-11-01T09:00:00Z")
	if _, err := b.newClock().Tick(t.Context()); err != nil { // asked for, and then down for months
		t.Fatal(err)
	}
	b.setClock("2027-02-14T03:00:00Z")
	b.tick(t, b.newClock())
	b.want(t, "2027-01")
}

func TestWithoutAnAuditChannelThereIsNoDigest(t *testing.T) {
	t.Parallel()
	b := setupDigest(t)
	b.setClock("2026-11-01T09:00:00Z")
	k := b.newClock()
	k.Digests = false
	b.tick(t, k)
	b.want(t)
	if rows, err := b.Ledger.Deliveries(t.Context(), 0); err != nil || len(rows) != 0 {
		t.Errorf("asked for %v, %v", rows, err)
	}
}

func TestADigestOfATimeBeforeBreakglassIsNotPosted(t *testing.T) {
	t.Parallel()
	b := setupDigest(t)
	b.setClock("2026-10-31T13:00:00Z") // September's would be due
	b.tick(t, b.newClock())
	b.want(t)
}

func TestADigestThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{
		"Slack is down":        &change.OutsideError{System: change.SystemSlack, Outcome: change.Unknown},
		"the channel is gone":  &change.OutsideError{System: change.SystemSlack, Outcome: change.Refused, Err: change.ErrNoPlace},
		"the figures are gone": errors.New("no figures"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupDigest(t)
			compute := b.Digest
			b.Digest = func(context.Context, time.Time, time.Time) ([]string, error) { return nil, cause }
			b.setClock("2026-11-01T09:00:00Z")
			k := b.newClock()
			b.tick(t, k)
			b.want(t)
			b.Digest = compute
			b.clock.forward(10 * time.Minute)
			b.tick(t, k)
			b.want(t, "2026-10")
		})
	}
}
