package reconcile

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// note brings a person's note, a sign-off that was made in Slack, or how a
// request ended to where the record is. It waits in silence while there is no
// ticket yet.
func (d *Deliverer) note(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	event, err := d.Ledger.Event(ctx, c.Number, row.Ref.Seq)
	if err != nil {
		return result{}, err
	}
	var e entry
	switch event.Type {
	case change.EventNoted:
		e = d.noteEntry(ctx, &c, event)
	case change.EventSignedOff:
		if event.Fact("way") != string(change.SignOffInSlack) {
			return result{cancel: "the signer's own comment stands there already"}, nil
		}
		e = d.signOffEntry(ctx, &c, event)
	default:
		var ok bool
		if e, ok = d.eventEntry(ctx, &c, event); !ok {
			return result{cancel: "the record is not told of this"}, nil
		}
	}
	id, _, wait, err := d.enter(ctx, c, row, e, event.Type == change.EventNoted && !c.Confidential)
	if err != nil || id == "" {
		return wait, err
	}
	return result{external: id}, nil
}

// enter writes an entry where the record is: into the incident, or a comment of
// the ticket, also where the incident takes no more notes. With ask, a ticket is
// asked for in that case. It answers no id, and when to go on, while there is
// nowhere to write to.
func (d *Deliverer) enter(ctx context.Context, c change.Change, row *ledger.Delivery, e entry, ask bool) (string, change.RecordPlace, result, error) {
	inIncident := c.Record.In == change.RecordInIncident
	if inIncident && d.takesNotes(&c) {
		id, after, err := d.noteDown(ctx, c, row, e, false)
		if err != nil || id != "" {
			return id, change.RecordInIncident, result{}, err
		}
		c = after
		inIncident = c.Record.In == change.RecordInIncident
	}
	switch {
	case d.Tickets == nil:
		return "", "", result{cancel: noJira}, nil
	case c.Ticket == nil && c.Phase.Final():
		return "", "", result{cancel: "the change is over, and has no ticket"}, nil
	case c.Ticket == nil && inIncident && !ask:
		return "", "", result{cancel: d.noMore(&c)}, nil
	case c.Ticket == nil && !inIncident:
		return "", "", result{later: d.Now().Add(ticketWait)}, nil
	}
	id, wait, err := d.inTicket(ctx, c, row, e)
	return id, change.RecordInJira, wait, err
}

// review brings the review to the record.
func (d *Deliverer) review(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	if c.Review.Mirrored {
		return result{cancel: "the record holds the review already"}, nil
	}
	if c.Record.In == change.RecordInJira && c.Ticket == nil && d.Tickets != nil {
		return result{later: d.Now().Add(ticketWait)}, d.wantTicket(ctx, &c)
	}
	id, in, wait, err := d.enter(ctx, c, row, d.reviewEntry(ctx, &c), true)
	if err != nil || id == "" {
		return wait, err
	}
	_, err = d.Workflow.Do(ctx, c.Number, change.ReviewMirrored{In: in, Ref: id}, change.Itself(string(in)))
	return result{external: id}, err
}
