package reconcile

import (
	"context"
	"fmt"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// action makes the ticket of a preventive action, or a follow-up of the incident
// where there is no Jira or where the incident is private.
func (d *Deliverer) action(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	i := row.Ref.Item
	if i < 1 || i > len(c.Review.Text.Actions) {
		return result{cancel: "the review names no such action"}, nil
	}
	if row.ExternalID != "" {
		return d.joinActions(ctx, c, row)
	}
	var ref change.TicketRef
	switch {
	case d.Incidents != nil && c.Incident != nil && (d.Tickets == nil || (c.Incident.Now.Private && c.Incident.Refused == "")):
		id, err := d.followUp(ctx, &c, row)
		if err != nil {
			return result{}, err
		}
		ref = change.TicketRef{ID: id, Key: "follow-up", URL: c.Incident.Now.URL}
	case d.Tickets != nil:
		made, wait, err := d.makeTicket(ctx, row, d.actionDraft(ctx, &c, row, d.Project.SecurityLevel), d.actionDraft(ctx, &c, row, ""))
		if err != nil || len(made.refs) == 0 {
			return wait, err
		}
		ref = made.refs[0]
	default:
		return result{cancel: noJira}, nil
	}
	if _, err := d.Workflow.Do(ctx, c.Number, change.ActionRecorded{Item: i, Ticket: ref}, change.Itself("jira")); err != nil {
		return result{}, err
	}
	r := result{external: ref.ID}
	if d.Tickets != nil && ref.Key != "follow-up" {
		r.again = d.Now().Add(sweeps[0])
	}
	return r, nil
}

// joinActions says on accidental twins of an action's ticket which one is kept.
func (d *Deliverer) joinActions(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	ticket := c.Review.Text.Actions[row.Ref.Item-1].Ticket
	if d.Tickets == nil || ticket == nil {
		return result{}, nil
	}
	made, err := d.Tickets.FindByLabel(ctx, labelOf(&c, row, ""))
	if err != nil {
		return result{}, err
	}
	return result{}, d.join(ctx, c.Number, *ticket, row, made)
}

func (d *Deliverer) followUp(ctx context.Context, c *change.Change, row *ledger.Delivery) (string, error) {
	a := c.Review.Text.Actions[row.Ref.Item-1]
	f := change.IncidentFollowUp{IncidentID: c.Incident.Now.ID, Assignee: a.Owner, Marker: labelOf(c, row, c.Incident.Now.ID)}
	if c.Confidential && !c.Incident.Now.Private {
		f.Title = fmt.Sprintf("%s: preventive action %d", stub(c), row.Ref.Item)
	} else {
		f.Title, f.Markdown = a.What, d.markdown(d.actionText(ctx, c, a))
	}
	if err := d.Ledger.Intend(ctx, row, d.Now()); err != nil {
		return "", err
	}
	return d.Incidents.CreateFollowUp(ctx, f)
}
