package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// nowhere is a Slack whose channel takes no message.
func nowhere() *slowMessenger {
	return &slowMessenger{write: func(context.Context) error {
		return &change.OutsideError{System: change.SystemSlack, Outcome: change.Refused, Say: "It is archived.", Err: change.ErrNoPlace}
	}}
}

// failingWaker fails when it is told to: whatever is in the transaction with it
// is undone, as when the program dies there.
type failingWaker struct{ fail bool }

func (w *failingWaker) Wake(context.Context, pgx.Tx, workflow.Wake) error {
	if w.fail {
		return errors.New("the connection was lost")
	}
	return nil
}

func (b *recordBundle) exec(t *testing.T, statements ...string) {
	t.Helper()
	err := b.Ledger.InTx(t.Context(), func(tx ledger.Tx) error {
		for _, sql := range statements {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestACardWithoutAPlaceIsToldOnceWhateverIsLostInBetween(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	b.Messenger = nowhere()
	work := ledger.Work{Number: c.Number, System: change.SystemSlack}
	// The first try ends before its people are shown the card directly.
	b.exec(t, `CREATE FUNCTION die() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'killed'; END $$`,
		`CREATE TRIGGER die BEFORE INSERT ON deliveries FOR EACH ROW WHEN (NEW.key LIKE 'card/%') EXECUTE FUNCTION die()`)
	if err := b.Work(t.Context(), work); err == nil {
		t.Fatal("nothing failed")
	}
	b.exec(t, `DROP TRIGGER die ON deliveries`)
	b.clock.forward(3 * time.Minute)
	if err := b.Work(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	if n := b.events(t, c.Number, change.EventUndelivered); n != 1 {
		t.Errorf("it was told %d times", n)
	}
	if d := b.card(t, c.Number); d.LastError != "It is archived." {
		t.Errorf("the card waits for %q", d.LastError)
	}
	if _, err := b.Ledger.DeliveryOf(t.Context(), c.Number, change.DeliverCard, "card/"+string(engineer)); err != nil {
		t.Errorf("nobody is shown the card directly: %v", err)
	}
}

// A channel that is archived for good is not asked for ever, for each change that there was.
func TestACardWithoutAPlaceIsGivenUpWhenItsChangeIsLongOver(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	b.Messenger = nowhere()
	const week = 7 * 24 * 6
	tried := func(attempts int) map[string]int {
		t.Helper()
		b.exec(t, fmt.Sprintf(`UPDATE deliveries SET attempts = %d WHERE kind = 'card' AND next_try IS NOT NULL`, attempts))
		b.clock.forward(11 * time.Minute)
		b.work(t)
		states := map[string]int{}
		for _, key := range []string{"card", "card/" + string(engineer)} {
			d, err := b.Ledger.DeliveryOf(t.Context(), c.Number, change.DeliverCard, key)
			if err != nil {
				t.Fatal(err)
			}
			states[string(d.State)]++
		}
		return states
	}
	b.work(t)
	if got := tried(2 * week); got["open"] != 2 {
		t.Errorf("of a change that is not over: %v", got)
	}
	b.do(t, c.Number, engineer, change.Withdraw{})
	if got := tried(week - 2); got["open"] != 2 {
		t.Errorf("before a week was over: %v", got)
	}
	if got := tried(week); got["cancelled"] != 2 {
		t.Errorf("after a week: %v", got)
	}
	b.Messenger = &slowMessenger{write: func(context.Context) error { return nil }}
	b.clock.forward(time.Hour)
	b.work(t)
	if d := b.card(t, c.Number); d.ExternalID != "" {
		t.Error("it was tried again")
	}
}

func TestWhenTheLedgerFailsAClaimIsGivenBack(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	b.Messenger = nowhere()
	b.Workflow.Waker = &failingWaker{fail: true}
	work := ledger.Work{Number: c.Number, System: change.SystemSlack}
	if err := b.Work(t.Context(), work); err == nil {
		t.Fatal("nothing failed")
	}
	b.Workflow.Waker = &failingWaker{}
	b.clock.forward(2 * time.Second) // and not the two minutes of a lease
	if err := b.Work(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	if d := b.card(t, c.Number); d.LastError != "It is archived." {
		t.Errorf("the card was not looked at again; it waits for %q", d.LastError)
	}
}

func TestADeliveryThatANewerReplicaAskedForIsLeftToIt(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	b.work(t)
	unknown := change.Delivery{Number: c.Number, Kind: "hologram", Key: "hologram", Mode: change.Once, Via: change.SystemSlack}
	if err := b.Ledger.Put(t.Context(), []change.Delivery{unknown}, 1, b.clock.now()); err != nil {
		t.Fatal(err)
	}
	b.work(t)
	d, err := b.Ledger.DeliveryOf(t.Context(), c.Number, "hologram", "hologram")
	if err != nil || d.State != ledger.DeliveryOpen || d.LastError != "" {
		t.Errorf("it is %s, %q: %v", d.State, d.LastError, err)
	}
}

func TestChangesThatCannotBeMovedOnHoldUpNoOther(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	const broken = 200 // as many as one look takes up
	for range broken {
		b.request(t)
	}
	b.clock.forward(time.Second)
	b.request(t)
	last := change.Number(broken + 1)
	poisoned := &poison{sound: last}
	b.Workflow.Waker = poisoned
	clock := &reconcile.Clock{Ledger: b.Ledger, Workflow: b.Workflow, Now: b.clock.now, Log: slog.New(slog.DiscardHandler)}
	b.clock.forward(2 * time.Hour) // all lapse, and those that cannot are due first
	if _, err := clock.Tick(t.Context()); err == nil {
		t.Fatal("nothing failed")
	}
	if _, err := clock.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := b.Ledger.Change(t.Context(), last)
	if err != nil || c.Phase != change.Lapsed {
		t.Errorf("the last is %s: %v", c.Phase, err)
	}
	poisoned.cured = true
	b.clock.forward(time.Minute)
	for range 2 {
		if _, err := clock.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := b.Ledger.Change(t.Context(), 1); err != nil || c.Phase != change.Lapsed {
		t.Errorf("the first was not taken up again: %s, %v", c.Phase, err)
	}
}

// poison lets every command fail but those of one change.
type poison struct {
	sound change.Number
	cured bool
}

func (p *poison) Wake(_ context.Context, _ pgx.Tx, w workflow.Wake) error {
	for _, work := range w.Work {
		if p.cured || work.Number == p.sound {
			return nil
		}
	}
	return errors.New("poisoned")
}
