package reconcile

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

type (
	Tickets   interface{}
	Incidents interface{}
	Project   struct{}
)

func (d *Deliverer) ticket(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) ticketLook(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) remoteLink(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) record(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) note(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) timeline(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) review(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) action(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) comments(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
func (d *Deliverer) incident(context.Context, change.Change, *ledger.Delivery) (result, error) {
	return result{}, nil
}
