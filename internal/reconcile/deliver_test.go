package reconcile_test

import (
	"context"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// slowMessenger posts only when it is let.
type slowMessenger struct {
	messenger
	write func(ctx context.Context) error
}

func (m *slowMessenger) Write(ctx context.Context, p change.Posting) (string, error) {
	if err := m.write(ctx); err != nil {
		return "", err
	}
	return m.messenger.Write(ctx, p)
}

func (b *recordBundle) card(t *testing.T, n change.Number) ledger.Delivery {
	t.Helper()
	d, err := b.Ledger.DeliveryOf(t.Context(), n, change.DeliverCard, "card")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Beyond the lease somebody else does the same, so nothing may be sent any more.
func TestADeliveryEndsBeforeItsLeaseDoes(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Within = 2 * time.Second // enough to come to the messenger, on a slow machine too
	b.Messenger = &slowMessenger{write: func(ctx context.Context) error {
		<-ctx.Done()
		return &change.OutsideError{System: change.SystemSlack, Outcome: change.Unknown, Say: "Slack is slow.", Err: ctx.Err()}
	}}
	c := b.request(t)
	if err := b.Work(t.Context(), ledger.Work{Number: c.Number, System: change.SystemSlack}); err != nil {
		t.Fatal(err)
	}
	if d := b.card(t, c.Number); d.LastError != "Slack is slow." {
		t.Errorf("it waits for %q, after %d attempts", d.LastError, d.Attempts)
	}
}

func TestWhatWasPostedIsWrittenDownThoughTheProgramStops(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	ctx, stop := context.WithCancel(t.Context())
	b.Messenger = &slowMessenger{write: func(context.Context) error {
		stop()
		return nil
	}}
	if err := b.Work(ctx, ledger.Work{Number: c.Number, System: change.SystemSlack}); err == nil {
		t.Error("it went on")
	}
	if d := b.card(t, c.Number); d.ExternalID == "" || d.State != ledger.DeliveryDone {
		t.Errorf("the card is %s at %q", d.State, d.ExternalID)
	}
}

// Whoever had the card in hand may have died, and its lease lasts for two minutes.
// Meanwhile the replies look for it less and less often, and go on soon after.
func TestRepliesWaitForACardThatADeadProgramHadInHand(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	lease := b.clock.now().Add(2 * time.Minute)
	b.exec(t, `UPDATE deliveries SET lease_until = '`+lease.Format(time.RFC3339Nano)+`', claim = 'of the dead' WHERE kind = 'card'`)
	const posted = `SELECT bool_and(external_id <> ''), coalesce(min(greatest(next_try, lease_until)) FILTER (WHERE next_try IS NOT NULL), $2)
		FROM deliveries WHERE number = $1 AND kind IN ('thread', 'card')`
	looks := 0
	for there := false; !there; looks++ {
		b.work(t)
		var next time.Time
		if err := b.Ledger.InTx(t.Context(), func(tx ledger.Tx) error {
			return tx.QueryRow(t.Context(), posted, int64(c.Number), lease).Scan(&there, &next)
		}); err != nil {
			t.Fatal(err)
		}
		if late := b.clock.now().Sub(lease); late > 6*time.Second {
			t.Fatalf("not posted %s after the lease", late)
		}
		if !there {
			b.clock.forward(next.Sub(b.clock.now()) + time.Millisecond)
		}
	}
	if looks > 45 {
		t.Errorf("looked %d times", looks)
	}
}

// What gives way holds nothing meanwhile: another replica may take it.
func TestBeforeEachDeliveryWayIsGivenWithNothingInHand(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	posted, gaveWay := 0, 0
	b.Messenger = &slowMessenger{write: func(context.Context) error {
		if posted++; posted > gaveWay {
			t.Errorf("message %d gave way to nothing", posted)
		}
		return nil
	}}
	b.GiveWay = func(ctx context.Context) {
		gaveWay++
		var held int
		if err := b.Ledger.InTx(ctx, func(tx ledger.Tx) error {
			return tx.QueryRow(ctx, `SELECT count(*) FROM deliveries WHERE claim <> ''`).Scan(&held)
		}); err != nil {
			t.Error(err)
		}
		if held > 0 {
			t.Errorf("%d deliveries are held while it gives way", held)
		}
	}
	if err := b.Work(t.Context(), ledger.Work{Number: c.Number, System: change.SystemSlack}); err != nil {
		t.Fatal(err)
	}
	if posted < 2 {
		t.Errorf("only %d messages were posted", posted)
	}
}
