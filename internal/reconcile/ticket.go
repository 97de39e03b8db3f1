package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// noJira says why nothing goes to Jira.
const noJira = "no Jira is configured"

// The times after a ticket was made at which twins are looked for: a create
// whose reply was lost may show up late.
var sweeps = []time.Duration{10 * time.Minute, time.Hour}

// ticket makes the change's ticket, once, and links it.
func (d *Deliverer) ticket(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	switch {
	case d.Tickets == nil:
		return result{cancel: noJira}, nil
	case row.ExternalID != "":
		return d.sweep(ctx, c, row)
	case row.IntendedAt.IsZero() && c.Ticket != nil:
		return result{cancel: "a ticket was linked instead"}, nil
	case row.IntendedAt.IsZero() && c.Phase.Final() && c.Window.Start.IsZero():
		return result{cancel: "the change was over before its ticket could be opened"}, nil
	}
	label := labelOf(&c, row, "")
	made, wait, err := d.makeTicket(ctx, row, d.ticketDraft(ctx, &c, label, d.Project.SecurityLevel), d.ticketDraft(ctx, &c, label, ""))
	if err != nil || len(made.refs) == 0 {
		return wait, err
	}
	if err := d.Ledger.Keep(ctx, row, made.refs[0].ID); err != nil {
		return result{}, err
	}
	return d.link(ctx, c, row, made)
}

// link makes the first of the tickets the change's, unless somebody has linked
// another meanwhile, and joins the rest.
func (d *Deliverer) link(ctx context.Context, c change.Change, row *ledger.Delivery, made madeTickets) (result, error) {
	if c.Ticket == nil {
		var err error
		if c, err = d.Workflow.Do(ctx, c.Number, change.LinkTicket{Ticket: made.refs[0], Ours: true, Secured: made.secured}, change.Itself("jira")); err != nil {
			return result{}, err
		}
		if err := d.hastenRecord(ctx, c.Number); err != nil {
			return result{}, err
		}
	}
	if err := d.join(ctx, c.Number, c.Ticket.TicketRef, row, made.refs); err != nil {
		return result{}, err
	}
	r := result{external: row.ExternalID}
	for _, after := range sweeps {
		if at := c.Ticket.LinkedAt.Add(after); d.Now().Before(at) {
			r.again = at
			break
		}
	}
	return r, nil
}

// hastenRecord lets what waited for a ticket go on at once.
func (d *Deliverer) hastenRecord(ctx context.Context, n change.Number) error {
	var failures []error
	for _, kind := range []change.DeliveryKind{change.DeliverRecord, change.DeliverNote, change.DeliverReview, change.DeliverRemoteLink, change.DeliverMergeRequestLink} {
		failures = append(failures, d.Ledger.Hasten(ctx, n, kind, d.Now()))
	}
	return errors.Join(failures...)
}

// sweep looks for twins of the ticket, and links the ticket anew when the one
// that was linked in its stead turned out not to be there.
func (d *Deliverer) sweep(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	made, err := d.Tickets.FindByLabel(ctx, labelOf(&c, row, ""))
	if err != nil {
		return result{}, err
	}
	if c.Ticket == nil || !same(c.Ticket.TicketRef, change.TicketRef{ID: row.ExternalID}) {
		ours, err := d.Tickets.Ticket(ctx, row.ExternalID)
		switch {
		case err == nil:
			made = append([]change.TicketRef{ours.Ref}, made...)
		case change.OutcomeOf(err) != change.Missing:
			return result{}, err
		case c.Ticket == nil: // somebody deleted it: another has to be made
			if err := d.Ledger.Keep(ctx, row, ""); err != nil {
				return result{}, err
			}
			return result{later: d.Now()}, d.Ledger.Unintend(ctx, row)
		}
	}
	if c.Ticket == nil && c.Phase.Final() {
		return result{external: row.ExternalID}, nil
	}
	return d.link(ctx, c, row, madeTickets{refs: made})
}

// same tells whether two references are of one ticket. One that was linked
// unseen has no id yet.
func same(a, b change.TicketRef) bool {
	return (a.ID != "" && a.ID == b.ID) || (a.Key != "" && a.Key == b.Key)
}

// join says on every ticket of a delivery's that is not the one that is kept
// which one is.
func (d *Deliverer) join(ctx context.Context, n change.Number, keep change.TicketRef, row *ledger.Delivery, made []change.TicketRef) error {
	for _, twin := range made {
		if same(keep, twin) {
			continue
		}
		_, told, err := d.Tickets.FindComment(ctx, twin.ID, markerOf(row))
		if err != nil {
			return err
		}
		if told {
			continue
		}
		say := []change.TicketSection{{Text: "This ticket is a duplicate of " + keep.Key + ", which is kept for " + n.String() + ".", URL: keep.URL}}
		if _, err := d.Tickets.AddComment(ctx, twin.ID, markerOf(row), say); err != nil {
			return err
		}
	}
	return nil
}

// wantTicket sees to it that the change gets a ticket, where one is needed that
// nobody has asked for yet, or that went missing.
func (d *Deliverer) wantTicket(ctx context.Context, c *change.Change) error {
	row, err := d.Ledger.DeliveryOf(ctx, c.Number, change.DeliverTicket, "ticket")
	if errors.Is(err, ledger.ErrNotFound) {
		want := change.Delivery{Number: c.Number, Kind: change.DeliverTicket, Key: "ticket", Mode: change.Once}
		return d.Ledger.Put(ctx, []change.Delivery{want}, c.Version, d.Now())
	}
	if err != nil {
		return err
	}
	return d.Ledger.Reopen(ctx, row.ID, false, d.Now())
}
