package reconcile

import (
	"context"
	"slices"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// approval says who gave what ask asked for. A self-approval is called what it
// is, with whoever said that they were on the call.
func (d *Deliverer) approval(ctx context.Context, c *change.Change, a change.Ask) string {
	if !slices.ContainsFunc(a.Decisions, func(dec change.Decision) bool { return dec.Rule == change.SelfRule }) {
		return d.names(ctx, approvers(a))
	}
	s := d.name(ctx, c.Requester) + " (self-approved"
	if c.Self != nil && len(c.Self.Confirmed) > 0 {
		var witnesses []change.PersonID
		for _, w := range c.Self.Confirmed {
			witnesses = append(witnesses, w.By)
		}
		s += " on the emergency call; confirmed by " + d.names(ctx, witnesses)
	}
	return s + ")"
}

// inSpite says who approved the change although records were overdue, and why;
// empty where nobody had to.
func (d *Deliverer) inSpite(ctx context.Context, c *change.Change) string {
	var lines []string
	for _, a := range c.Asks {
		for _, dec := range a.Decisions {
			if a.For != change.ForChange || !dec.Approved || len(dec.Overdue) == 0 {
				continue
			}
			var records []string
			for _, n := range dec.Overdue {
				records = append(records, n.String())
			}
			lines = append(lines, "The record of "+strings.Join(records, ", ")+" was overdue. "+d.name(ctx, dec.By)+" approved all the same: "+dec.Reason)
		}
	}
	return strings.Join(lines, "\n")
}

// incidentLine names a change's incident for the ticket.
func incidentLine(i *change.IncidentLink) string {
	switch {
	case i.BeingOpened():
		return i.Now.Name + " (being opened)"
	case i.Now.ID == "":
		return i.Now.Name + " (could not be opened)"
	}
	return i.Now.Reference + ": " + i.Now.Name + " (" + i.Now.Status + ")"
}
