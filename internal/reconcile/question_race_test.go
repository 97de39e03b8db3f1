package reconcile_test

import (
	"context"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// A command touches the questions that there are, and commits a moment later. One
// that is put in between must not be left as it was before the command.
func TestAQuestionThatIsPutWhileItsChangeAltersShowsTheAlteration(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t)
	meanwhile := workflow.Also(func(ledger.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // it may have to wait for the command
		defer cancel()
		_ = b.Work(ctx, ledger.Work{Number: c.Number, System: change.SystemSlack}) // and then it is tried again
		return nil
	})
	linked := change.LinkTicket{Ticket: change.TicketRef{Key: "OPS-7"}}
	if _, err := b.Workflow.Do(t.Context(), c.Number, linked, b.as(engineer), meanwhile); err != nil {
		t.Fatal(err)
	}
	b.work(t)
	asked := b.slack.last(chief, change.DeliverAsk)
	if asked == nil || asked.Change.Ticket == nil {
		t.Errorf("the CTO's question stands as %+v", asked)
	}
}

// last is how the newest message of a kind to somebody reads now.
func (m *messenger) last(to change.PersonID, kind change.DeliveryKind) *change.Posting {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.written) - 1; i >= 0; i-- {
		if p := m.written[i]; p.Delivery.To == to && p.Delivery.Kind == kind {
			return &p
		}
	}
	return nil
}
