package reconcile_test

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// The CTO asks, so that nobody of the first groups may decide: whoever would be
// asked is looked for in vain, and that is the end of it.
func TestAskingNobodyIsDone(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c, err := b.Workflow.Submit(t.Context(), change.Request{
		Kind: "production", Reason: "down", What: typedWhat, Why: typedWhy, Choice: change.TicketLater,
		Answers: map[change.QuestionID]string{"rollback": "undo the lemur"},
	}, b.as(chief))
	if err != nil {
		t.Fatal(err)
	}
	b.work(t)
	out, err := b.Ledger.DeliveryOf(t.Context(), c.Number, change.DeliverAskOut, "1")
	if err != nil || out.State != ledger.DeliveryDone {
		t.Errorf("looking for approvers is %s: %v", out.State, err)
	}
	if ask, err := b.Ledger.DeliveryOf(t.Context(), c.Number, change.DeliverAsk, "1/"+string(deputy)); err != nil {
		t.Errorf("the deputy is not asked: %v, %+v", err, ask)
	}
}
