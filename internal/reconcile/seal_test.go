package reconcile_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
)

// newSealer is the sealer of a process that has just started.
func (b *digestBundle) newSealer() *reconcile.Sealer {
	return &reconcile.Sealer{Ledger: b.Ledger, Now: b.clock.now, Post: true}
}

// seal lets sealers look, and the deliveries follow.
func (b *digestBundle) seal(t *testing.T, sealers ...*reconcile.Sealer) {
	t.Helper()
	for _, s := range sealers {
		if err := s.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.work(t)
}

// wantSeals demands that these days were posted, each once, and that the chain
// tells of the same seals.
func (b *digestBundle) wantSeals(t *testing.T, days ...string) {
	t.Helper()
	b.slack.mu.Lock()
	defer b.slack.mu.Unlock()
	var slack, hashes, chain []string
	for _, p := range b.slack.written {
		if p.Delivery.Kind == change.DeliverSeal {
			slack, hashes = append(slack, p.Seal.Day.String()), append(hashes, fmt.Sprint(p.Seal.Number, " ", p.Seal.Hash))
		}
	}
	events, err := b.Ledger.SystemEvents(t.Context(), 0, 100)
	must(err)
	for _, e := range events {
		if e.Type == change.EventSealPosted {
			chain = append(chain, e.Fact("seal")+" "+e.Fact("hash"))
		}
	}
	if fmt.Sprint(slack) != fmt.Sprint(days) || fmt.Sprint(chain) != fmt.Sprint(hashes) {
		t.Errorf("at %s Slack was told of %v, with %v; the chain of %v; want %v", b.clock.now(), slack, hashes, chain, days)
	}
	var findings []ledger.Finding
	if _, err := b.Ledger.Verify(t.Context(), func(f ledger.Finding) { findings = append(findings, f) }); err != nil || len(findings) > 0 {
		t.Errorf("the trail: %v, %v", findings, err)
	}
}

func TestADayIsSealedAndPostedOnceWhenItIsOver(t *testing.T) {
	t.Parallel()
	b := setupDigest(t) // a change of 31 October
	s := b.newSealer()
	b.seal(t, s)
	b.setClock("2026-10-31T23:59:59Z")
	b.seal(t, s)
	b.wantSeals(t)
	b.setClock("2026-11-01T00:00:00Z")
	b.seal(t, s, s)
	b.wantSeals(t, "2026-10-31")
	b.seal(t, b.newSealer(), b.newSealer()) // after a restart, and in another replica
	b.setClock("2026-11-01T23:59:59Z")
	b.seal(t, s, b.newSealer())
	b.wantSeals(t, "2026-10-31")
	b.setClock("2026-11-05T11:00:00Z") // down for days
	b.seal(t, b.newSealer(), s)
	b.wantSeals(t, "2026-10-31", "2026-11-04")
}

func TestReplicasThatRacePostASealOnce(t *testing.T) {
	t.Parallel()
	b := setupDigest(t)
	b.setClock("2026-11-01T00:00:01Z")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := b.newSealer().Seal(t.Context()); err != nil {
				t.Error(err)
			}
			if err := b.Work(t.Context(), ledger.WorkOf(0, string(change.SystemSlack))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	b.work(t)
	b.wantSeals(t, "2026-10-31")
}

func TestEverySealIsPostedHoweverOld(t *testing.T) {
	t.Parallel()
	b := setupDigest(t)
	for _, at := range []string{"2026-11-01T01:00:00Z", "2026-11-02T01:00:00Z", "2026-11-20T01:00:00Z"} { // Slack is down meanwhile
		b.setClock(at)
		if err := b.newSealer().Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.clock.forward(time.Hour)
	b.work(t)
	b.wantSeals(t, "2026-10-31", "2026-11-01", "2026-11-19")
}
