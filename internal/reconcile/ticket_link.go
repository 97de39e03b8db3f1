package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// ticketLook sees whether a linked ticket is there and may be linked. Only a
// definite no unlinks it.
func (d *Deliverer) ticketLook(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	if d.Tickets == nil {
		return result{cancel: noJira}, nil
	}
	key, _, _ := strings.Cut(row.Key, "/")
	if c.Ticket == nil || c.Ticket.Checked || c.Ticket.Key != key {
		return result{cancel: "the ticket has been seen, or another was linked"}, nil
	}
	found, err := d.Tickets.Ticket(ctx, key)
	answer := change.TicketChecked{Asked: key, Ticket: found.Ref}
	if err != nil {
		outcome := change.OutcomeOf(err)
		if outcome != change.Refused && outcome != change.Missing {
			return result{}, err
		}
		// Jira answers so too when it does not let breakglass in, which says
		// nothing about the ticket.
		if _, shut := d.Tickets.Identity(ctx); shut != nil {
			return result{}, shut
		}
		answer.Refused = change.SayOf(err, "Jira has no such ticket.")
	}
	if _, err := d.Workflow.Do(ctx, c.Number, answer, change.Itself("jira")); err != nil {
		return result{}, err
	}
	return result{external: found.Ref.ID}, d.hastenRecord(ctx, c.Number)
}

// cardWait is how long a link waits for the card that it leads to.
const cardWait = time.Minute

// remoteLink links the ticket back to the card.
func (d *Deliverer) remoteLink(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	switch {
	case d.Tickets == nil:
		return result{cancel: noJira}, nil
	case d.Links == nil:
		return result{cancel: "messages have no addresses here"}, nil
	case c.Ticket == nil || "link/"+c.Ticket.Key != row.Key:
		return result{cancel: "another ticket was linked"}, nil
	case !c.Ticket.Checked || c.Ticket.ID == "":
		return result{}, nil // asked for again once it has been seen
	}
	link, err := d.cardLink(ctx, c.Number)
	if err != nil {
		return result{}, err
	}
	if link == "" {
		if c.Phase.Final() {
			return result{cancel: "there is no card to link to"}, nil
		}
		return result{later: d.Now().Add(cardWait)}, nil
	}
	title := c.Number.String()
	if !c.Confidential {
		title += ": " + c.KindName
	}
	id := "breakglass-" + strings.ToLower(c.Number.String())
	return result{external: id}, d.Tickets.UpsertRemoteLink(ctx, c.Ticket.ID, id, link, title)
}

// cardLink gives the address of the card in the channel; empty while there is none.
func (d *Deliverer) cardLink(ctx context.Context, n change.Number) (string, error) {
	if d.Links == nil {
		return "", nil
	}
	card, err := d.Ledger.DeliveryOf(ctx, n, change.DeliverCard, "card")
	if errors.Is(err, ledger.ErrNotFound) || (err == nil && card.ExternalID == "") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return d.Links.Permalink(ctx, card.ExternalID)
}
