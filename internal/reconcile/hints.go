package reconcile

import (
	"context"
	"strconv"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// TicketHint looks at a ticket's comments at once, because Jira says that there
// are news. Nothing else of the hint is believed; a lost one costs only time.
func (d *Deliverer) TicketHint(ctx context.Context, issueID, key string) {
	changes, err := d.Ledger.ChangesByTicket(ctx, issueID)
	if err != nil {
		d.Log.WarnContext(ctx, "a hint of Jira was lost", "ticket", key, "error", err)
		return
	}
	for _, n := range changes {
		if err := d.Ledger.Hasten(ctx, n, change.DeliverComments, d.Now()); err != nil {
			d.Log.WarnContext(ctx, "a hint of Jira was lost", "ticket", key, "change", n.String(), "error", err)
		}
	}
}

// IncidentHint looks at an incident at once, because incident.io says that there
// are news. An error means that the hint was not taken.
func (d *Deliverer) IncidentHint(ctx context.Context, incidentID string) error {
	changes, err := d.Ledger.ChangesByIncident(ctx, incidentID)
	if err != nil {
		return err
	}
	now := d.Now()
	for _, n := range changes {
		c, err := d.Ledger.Change(ctx, n)
		if err != nil {
			return err
		}
		if c.Phase.Final() {
			continue
		}
		look := change.Delivery{Number: n, Kind: change.DeliverIncident, Key: "hint/" + strconv.FormatInt(now.UnixMilli(), 10), Mode: change.Once}
		if err := d.Ledger.Put(ctx, []change.Delivery{look}, c.Version, now); err != nil {
			return err
		}
	}
	return nil
}
