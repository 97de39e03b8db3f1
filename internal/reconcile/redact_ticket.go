package reconcile

import (
	"context"
	"fmt"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// redactTicket keeps a confidential change's ticket from others: it is put under
// the configured security level, or says the number and no more. Jira keeps
// older descriptions in a ticket's history; that is for its administrators to
// remove. Of a ticket that somebody else made, only our own comments are ours to
// rewrite.
func (d *Deliverer) redactTicket(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	switch {
	case d.Tickets == nil:
		return result{cancel: noJira}, nil
	case c.Ticket == nil || c.InTicket():
		return result{cancel: "there is no ticket that says too much"}, nil
	case c.Ticket.ID == "" || !c.Ticket.Checked:
		return result{cancel: "nothing was written to the ticket yet"}, nil
	}
	id := c.Ticket.ID
	if c.Ticket.Ours && d.Project.SecurityLevel != "" {
		err := d.Tickets.Secure(ctx, id, d.Project.SecurityLevel)
		switch outcome := change.OutcomeOf(err); {
		case err == nil:
			_, err := d.Workflow.Do(ctx, c.Number, change.TicketSecured{ID: id}, change.Itself("jira"))
			return result{external: id}, err
		case outcome != change.Refused && outcome != change.Missing:
			return result{}, err
		}
		d.Log.WarnContext(ctx, "Jira does not take the configured security level; the ticket says the number only", "change", c.Number.String(), "error", err)
	}
	if c.Ticket.Ours {
		draft := d.ticketDraft(ctx, &c, labelOf(&c, row, ""), "")
		if err := d.Tickets.Rewrite(ctx, id, draft.Summary, draft.Description); err != nil {
			return result{}, err
		}
	}
	if err := d.redactComments(ctx, &c); err != nil {
		return result{}, err
	}
	for _, m := range c.MergeRequests {
		if err := d.Tickets.RemoveRemoteLink(ctx, id, mergeRequestLinkID(&c, m.Item)); err != nil {
			return result{}, err
		}
	}
	if row.ExternalID == "" { // a comment may have been under way just then
		return result{external: id, again: d.Now().Add(lease)}, nil
	}
	return result{}, nil
}

// mergeRequestLinkID names the link from the ticket to a merge request.
func mergeRequestLinkID(c *change.Change, item int) string {
	return fmt.Sprintf("breakglass-%s-merge-request-%d", strings.ToLower(c.Number.String()), item)
}

// redactComments rewrites our comments on the change's ticket.
func (d *Deliverer) redactComments(ctx context.Context, c *change.Change) error {
	self, err := d.Tickets.Identity(ctx)
	if err != nil {
		return err
	}
	all, err := d.Tickets.Comments(ctx, c.Ticket.ID)
	if err != nil {
		return err
	}
	for _, comment := range all {
		marker := markerIn(comment.Body)
		if comment.Author != self || !strings.HasPrefix(marker, "breakglass "+c.Number.String()+"/") || strings.HasPrefix(comment.Body, stub(c)) {
			continue
		}
		say := []change.TicketSection{{Text: stub(c) + ": what stood here was taken out when it became confidential."}}
		if err := d.Tickets.EditComment(ctx, c.Ticket.ID, comment.ID, marker, say); err != nil && change.OutcomeOf(err) != change.Missing {
			return err
		}
	}
	return nil
}
