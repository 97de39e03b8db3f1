package reconcile

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// ticketWait is how long something waits for a ticket to be made or seen. It is
// hastened when there is one.
const ticketWait = time.Minute

// record brings a revision of the record to where it belongs.
func (d *Deliverer) record(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	n := row.Ref.Revision
	if n != c.Record.Revision {
		return result{cancel: "it was written anew before it could be delivered"}, nil
	}
	if c.Record.Mirrored >= n {
		return result{cancel: "the record holds it already"}, nil
	}
	if c.Record.In == change.RecordInJira && !strings.HasPrefix(row.Key, "moved/") {
		_, err := d.Ledger.DeliveryOf(ctx, c.Number, change.DeliverRecord, "moved/"+strconv.Itoa(n))
		if !errors.Is(err, ledger.ErrNotFound) {
			return result{cancel: "the record has moved to Jira"}, err
		}
	}
	e := d.recordEntry(ctx, &c)
	var id string
	var wait result
	var err error
	if c.Record.In == change.RecordInIncident {
		id, wait, err = d.recordInIncident(ctx, c, row, e)
	} else {
		id, wait, err = d.inTicket(ctx, c, row, e)
	}
	if err != nil || id == "" {
		return wait, err
	}
	mirrored := change.RecordMirrored{Revision: n, In: c.Record.In, Ref: id}
	_, err = d.Workflow.Do(ctx, c.Number, mirrored, change.Itself(string(c.Record.In)))
	return result{external: id}, err
}

// recordInIncident writes the record into the incident's timeline. The incident
// is looked at first: one that was declined or merged meanwhile might still take
// the note, and it would stand in the wrong place.
func (d *Deliverer) recordInIncident(ctx context.Context, c change.Change, row *ledger.Delivery, e entry) (string, result, error) {
	if c.Incident == nil {
		return "", result{later: d.Now().Add(ticketWait), waitsFor: "The record belongs to an incident, and none is linked."}, nil
	}
	var err error
	var after change.Change
	switch {
	case d.Incidents == nil && d.Tickets == nil:
		return "", result{cancel: noIncidents}, nil
	case d.Incidents == nil, c.Incident.Refused != "":
		after, err = d.refuseAgain(ctx, c)
	default:
		if after, err = d.look(ctx, c); err == nil && d.takesNotes(&after) {
			var id string
			id, after, err = d.noteDown(ctx, after, row, e, true)
			if err == nil && id != "" {
				return id, result{}, nil
			}
		}
	}
	if err != nil {
		return "", result{}, err
	}
	return "", result{cancel: "the record goes to Jira: " + d.noMore(&after)}, nil
}

// refuseAgain moves a record to Jira whose incident had been refused before, or
// cannot be asked at all.
func (d *Deliverer) refuseAgain(ctx context.Context, c change.Change) (change.Change, error) {
	say := c.Incident.Refused
	if say == "" {
		say = "breakglass is not connected to incident.io any more."
	}
	return d.Workflow.Do(ctx, c.Number, change.IncidentRefused{Say: say}, change.Itself("incident.io"))
}

// inTicket writes an entry as a comment of the change's ticket. It answers no id,
// and when to go on, while there is no ticket: one is asked for.
func (d *Deliverer) inTicket(ctx context.Context, c change.Change, row *ledger.Delivery, e entry) (string, result, error) {
	if d.Tickets == nil {
		return "", result{cancel: noJira}, nil
	}
	if c.Ticket == nil {
		return "", result{later: d.Now().Add(ticketWait)}, d.wantTicket(ctx, &c)
	}
	if !c.Ticket.Checked || c.Ticket.ID == "" {
		return "", result{later: d.Now().Add(ticketWait)}, nil
	}
	id, err := d.comment(ctx, row, c.Ticket.ID, forJira(&c, e))
	return id, result{}, err
}
