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
	b.Within = 20 * time.Millisecond
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
