package reconcile

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// StatusPage reads GitHub's status page.
type StatusPage interface {
	// Status takes a snapshot. Its errors are *change.OutsideError.
	Status(ctx context.Context) (change.StatusSnapshot, error)
}

// statusPage keeps what GitHub's status page says, once, as evidence of why the
// release process could not be used. It gates nothing; one that is read late says
// when it was.
func (d *Deliverer) statusPage(ctx context.Context, c change.Change, _ *ledger.Delivery) (result, error) {
	switch {
	case d.StatusPage == nil:
		return result{cancel: "no status page is configured"}, nil
	case c.Status != nil:
		return result{cancel: "a snapshot is kept already"}, nil
	case c.Phase.Final():
		return result{cancel: "the change is over"}, nil
	}
	snapshot, err := d.StatusPage.Status(ctx)
	if err != nil {
		return result{}, err
	}
	_, err = d.Workflow.Do(ctx, c.Number, change.StatusSeen{Snapshot: snapshot}, change.Itself("GitHub"))
	return result{external: snapshot.Indicator}, err
}
