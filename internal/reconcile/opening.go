package reconcile

import (
	"context"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// openingPause is how long what belongs into an incident waits for it to be
// opened. It is hastened when it is there.
const openingPause = 30 * time.Second

// awaitsIncident tells whether a delivery writes to the change's incident, or
// looks at it, while that is still being opened.
func (d *Deliverer) awaitsIncident(c *change.Change, row *ledger.Delivery) bool {
	if d.Incidents == nil || !c.Incident.BeingOpened() || row.Kind == change.DeliverOpenIncident || c.Phase.Final() {
		return false
	}
	return row.System() == change.SystemIncident || (row.Kind == change.DeliverAction && d.Tickets == nil)
}

func incidentComing(now time.Time) result {
	return result{later: now.Add(openingPause), waitsFor: "The incident is being opened."}
}

// openIncident opens the incident that was asked for, once: its key is the same
// at every try, so that one whose reply was lost is answered and not opened
// again. incident.io's definite no moves the record to Jira.
func (d *Deliverer) openIncident(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	switch {
	case !c.Incident.BeingOpened():
		return result{cancel: "the incident is there, or no longer wanted"}, nil
	case d.Incidents == nil:
		return result{cancel: noIncidents}, nil
	case c.Phase.Final() && row.IntendedAt.IsZero(): // else it may be there, and its people learn what became of the change
		return result{cancel: "the change was over before the incident was opened"}, nil
	}
	if err := d.Ledger.Intend(ctx, row, d.Now()); err != nil {
		return result{}, err
	}
	opened, err := d.Incidents.Open(ctx, incidentDraft(&c, row))
	if err != nil {
		return d.notOpened(ctx, &c, row, err)
	}
	if _, err := d.Workflow.Do(ctx, c.Number, change.IncidentOpened{Incident: opened}, change.Itself("incident.io")); err != nil {
		return result{}, err
	}
	return result{external: opened.ID}, d.hastenIncident(ctx, c.Number)
}

// notOpened decides what a failed try means. Only a definite no gives up.
func (d *Deliverer) notOpened(ctx context.Context, c *change.Change, row *ledger.Delivery, err error) (result, error) {
	outcome := change.OutcomeOf(err)
	if outcome == change.Unknown {
		return result{}, err
	}
	if lost := d.Ledger.Unintend(ctx, row); lost != nil {
		return result{}, lost
	}
	if outcome == change.NotNow || d.Tickets == nil { // without a Jira there is nowhere else to go
		return result{}, err
	}
	say := "The incident could not be opened: " + change.SayOf(err, "incident.io refused it.")
	if _, err := d.Workflow.Do(ctx, c.Number, change.IncidentRefused{Say: say}, change.Itself("incident.io")); err != nil {
		return result{}, err
	}
	return result{cancel: say}, d.hastenIncident(ctx, c.Number)
}

// hastenIncident lets everything go on that has waited for the incident.
func (d *Deliverer) hastenIncident(ctx context.Context, n change.Number) error {
	for _, kind := range []change.DeliveryKind{
		change.DeliverTimeline, change.DeliverIncident, change.DeliverRecord, change.DeliverNote, change.DeliverReview, change.DeliverAction, change.DeliverMergeRequestLink,
	} {
		if err := d.Ledger.Hasten(ctx, n, kind, d.Now()); err != nil {
			return err
		}
	}
	return nil
}

// incidentDraft is the incident that was asked for. That of a confidential
// change is private, and its summary says no more than the number. It is the
// same at every try, as its key is.
func incidentDraft(c *change.Change, row *ledger.Delivery) change.IncidentDraft {
	o := c.Incident.Opening
	draft := change.IncidentDraft{
		Name: o.Name, SeverityID: o.SeverityID, Private: c.Confidential, Key: labelOf(c, row, ""),
		Summary: "Opened by breakglass for the emergency change " + c.Number.String() + ": " + c.Why,
	}
	if c.Confidential {
		draft.Summary = "Opened by breakglass for " + stub(c) + "."
	}
	return draft
}
