package reconcile

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// noIncidents says why nothing goes to incident.io.
const noIncidents = "no incident.io is configured"

// mergesFollowed bounds how many merges are followed at one look.
const mergesFollowed = 5

// incident looks at the change's incident, so that its state at the request, at
// the approval and at the end is kept, and a merge or a decline noticed.
func (d *Deliverer) incident(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	switch {
	case d.Incidents == nil:
		return result{cancel: noIncidents}, nil
	case c.Incident == nil || c.Incident.Refused != "":
		return result{cancel: "the incident is no longer the change's"}, nil
	case c.Phase.Final():
		return result{cancel: "the change is over"}, nil
	}
	after, err := d.lookAt(ctx, c, row.Ref.Moment)
	if err != nil {
		return result{}, err
	}
	return result{external: after.Incident.Now.ID}, nil
}

// look brings what is known of the incident up to date and answers the change
// after it. A merged incident is followed. One that was declined, canceled, or
// is not shown any more is refused: its record moves to Jira.
func (d *Deliverer) look(ctx context.Context, c change.Change) (change.Change, error) {
	return d.lookAt(ctx, c, "")
}

// lookAt is look, as evidence of a moment; empty: of none. A merged incident
// says nothing: the one that it went into stands for it.
func (d *Deliverer) lookAt(ctx context.Context, c change.Change, moment change.Moment) (change.Change, error) {
	for range mergesFollowed {
		id := c.Incident.Now.ID
		found, err := d.Incidents.Incident(ctx, id)
		if err != nil {
			return d.unseen(ctx, c, err)
		}
		of := moment
		if found.Category == change.IncidentMerged && found.MergedInto != "" {
			of = ""
		}
		if c, err = d.Workflow.Do(ctx, c.Number, change.IncidentSeen{Incident: found, Of: of}, change.Itself("incident.io")); err != nil {
			return c, err
		}
		if c.Incident == nil || c.Incident.Now.ID != id { // somebody linked another meanwhile
			continue
		}
		switch found.Category {
		case change.IncidentDeclined, change.IncidentCanceled:
			return d.giveUp(ctx, c, false)
		case change.IncidentMerged:
		default:
			return c, nil
		}
		if found.MergedInto == "" {
			return d.giveUp(ctx, c, false)
		}
		target, err := d.Incidents.Incident(ctx, found.MergedInto)
		if err != nil {
			return d.unseen(ctx, c, err)
		}
		if c, err = d.Workflow.Do(ctx, c.Number, change.IncidentMoved{From: id, Incident: target}, change.Itself("incident.io")); err != nil {
			return c, err
		}
		if c.Phase.Final() { // nothing moves any more
			return c, nil
		}
	}
	return d.giveUp(ctx, c, false)
}

// unseen decides what a failed look means. Only an incident that is definitely
// not shown is given up: it may have become private, and counts as such.
func (d *Deliverer) unseen(ctx context.Context, c change.Change, err error) (change.Change, error) {
	if change.OutcomeOf(err) != change.Missing {
		return c, err
	}
	return d.giveUp(ctx, c, true)
}

// giveUp lets the incident take no notes any more. Without a Jira to go to, the
// record stays where it was, and the trouble is shown.
func (d *Deliverer) giveUp(ctx context.Context, c change.Change, hidden bool) (change.Change, error) {
	say := refusedSay(&c, hidden)
	if d.Tickets == nil {
		return c, &change.OutsideError{System: change.SystemIncident, Call: "look at the incident", Outcome: change.Refused, Say: say}
	}
	return d.Workflow.Do(ctx, c.Number, change.IncidentRefused{Say: say, Private: hidden}, change.Itself("incident.io"))
}

// refusedSay says why an incident takes no notes. A private one is not named:
// the sentence is read in public.
func refusedSay(c *change.Change, hidden bool) string {
	name := c.Incident.Now.Reference
	if c.Confidential || hidden || name == "" {
		name = "The incident"
	}
	if hidden {
		return name + " is no longer shown to breakglass by incident.io, so it takes no notes."
	}
	switch c.Incident.Now.Category { //nolint:exhaustive // any other is live, or new to us
	case change.IncidentClosed:
		return name + " has been closed, and takes no more notes."
	case change.IncidentDeclined:
		return name + " has been declined, so nothing is recorded there."
	case change.IncidentCanceled:
		return name + " has been canceled, so nothing is recorded there."
	case change.IncidentMerged:
		return name + " has been merged, and takes no more notes."
	}
	return name + " takes no notes from breakglass."
}

// noteDown writes into the timeline of the change's incident, following merges.
// It answers the change after it, in which the incident is refused when it takes
// no notes; the id is empty then. With insist, a live incident that refuses
// counts as one that takes none; else that is an error, and is tried again.
func (d *Deliverer) noteDown(ctx context.Context, c change.Change, row *ledger.Delivery, e entry, insist bool) (string, change.Change, error) {
	if err := d.Ledger.Intend(ctx, row, d.Now()); err != nil {
		return "", c, err
	}
	for range mergesFollowed {
		id, err := d.Incidents.AddNote(ctx, d.incidentNote(ctx, &c, row, e))
		outcome := change.OutcomeOf(err)
		if err == nil || (outcome != change.Refused && outcome != change.Missing) {
			return id, c, err
		}
		before := c.Incident.Now.ID
		after, lookErr := d.look(ctx, c)
		switch {
		case lookErr != nil:
			return "", c, lookErr
		case after.Incident == nil || after.Incident.Refused != "" || after.Phase.Final():
			return "", after, nil
		case after.Incident.Now.ID != before:
			c = after
			continue
		case after.Incident.Now.Category == change.IncidentLive && !insist:
			return "", after, err
		}
		after, err = d.giveUp(ctx, after, false)
		return "", after, err
	}
	return "", c, &change.OutsideError{System: change.SystemIncident, Call: "create timeline item", Outcome: change.NotNow, Say: "The incident is being merged."}
}

// incidentNote is an entry as incident.io takes it. A public incident hears
// nothing of a confidential change but its number.
func (d *Deliverer) incidentNote(ctx context.Context, c *change.Change, row *ledger.Delivery, e entry) change.IncidentNote {
	n := change.IncidentNote{IncidentID: c.Incident.Now.ID, At: e.at, Title: e.title, Key: labelOf(c, row, c.Incident.Now.ID)}
	if c.Confidential && !c.Incident.Now.Private {
		n.Title = stub(c)
		n.Markdown = d.Project.EscapeMarkdown(e.stub)
		return n
	}
	n.Markdown = d.markdown(e.sections)
	if link, err := d.cardLink(ctx, c.Number); err == nil && !c.Confidential {
		n.URL = link // it only helps to find more; a note does not wait for it
	}
	return n
}

// takesNotes tells whether the incident is there to be written to.
func (d *Deliverer) takesNotes(c *change.Change) bool {
	return d.Incidents != nil && c.Incident != nil && c.Incident.Now.ID != "" && c.Incident.Refused == ""
}
