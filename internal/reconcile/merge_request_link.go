package reconcile

import (
	"context"
	"fmt"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Attachments attaches addresses to incidents. Its errors are *change.OutsideError.
type Attachments interface {
	// AttachTicket attaches an address, unless it is attached already.
	AttachTicket(ctx context.Context, incidentID, address string) (externalID string, err error)
}

// mergeRequestLink makes the record refer to a merge request: it is attached to
// the incident, or linked from the ticket. Of a confidential change nothing is
// said where others could read it.
func (d *Deliverer) mergeRequestLink(ctx context.Context, c change.Change, row *ledger.Delivery) (result, error) {
	m := c.MergeRequest(row.Ref.Item)
	switch {
	case m == nil || m.Refused != "":
		return result{cancel: "the merge request counts for nothing any more"}, nil
	case c.Phase.Final() && c.Window.Start.IsZero():
		return result{cancel: "nothing was changed"}, nil
	}
	to, rest, _ := strings.Cut(row.Key, "/")
	place := rest[:max(0, strings.LastIndexByte(rest, '/'))]
	if to == "incident" {
		return d.attachToIncident(ctx, c, row, m, place)
	}
	return d.linkFromTicket(ctx, c, m, place)
}

// attachToIncident attaches a merge request to the incident, or notes it there
// where incident.io takes no such attachment.
func (d *Deliverer) attachToIncident(ctx context.Context, c change.Change, row *ledger.Delivery, m *change.LinkedMergeRequest, incident string) (result, error) {
	switch {
	case !d.takesNotes(&c) || d.Attachments == nil:
		return result{cancel: "there is no incident that takes attachments"}, nil
	case c.Incident.Now.ID != incident:
		return result{cancel: "the change belongs to another incident now"}, nil
	case c.Confidential && !c.Incident.Now.Private:
		return result{cancel: "the change is confidential, and the incident is not"}, nil
	}
	id, err := d.Attachments.AttachTicket(ctx, incident, m.Ref.URL)
	outcome := change.OutcomeOf(err)
	if err == nil || (outcome != change.Refused && outcome != change.Missing) {
		return result{external: id}, err
	}
	p := paper{mergeRequestSection(m, "")}
	e := entry{title: c.Number.String() + ": a merge request belongs to this change", at: m.LinkedAt, sections: p, stub: stub(&c) + "."}
	id, after, err := d.noteDown(ctx, c, row, e, false)
	if err == nil && id == "" {
		return result{cancel: d.noMore(&after)}, nil
	}
	return result{external: id}, err
}

// linkFromTicket shows a merge request on the ticket.
func (d *Deliverer) linkFromTicket(ctx context.Context, c change.Change, m *change.LinkedMergeRequest, key string) (result, error) {
	switch {
	case d.Tickets == nil:
		return result{cancel: noJira}, nil
	case c.Ticket == nil || c.Ticket.Key != key:
		return result{cancel: "another ticket was linked"}, nil
	case !c.InTicket() && (c.Phase.Final() || !c.Ticket.Ours || d.Project.SecurityLevel == ""):
		return result{cancel: "the change is confidential, and the ticket is not"}, nil
	case !c.InTicket(), !c.Ticket.Checked, c.Ticket.ID == "": // a ticket of ours is being put under its security level
		return result{later: d.Now().Add(ticketWait)}, nil
	}
	id := mergeRequestLinkID(&c, m.Item)
	title := fmt.Sprintf("%s: %s %s", c.Number, strings.ToLower(mergeRequestHeading(m)), m.Ref)
	return result{external: id}, d.Tickets.UpsertRemoteLink(ctx, c.Ticket.ID, id, m.Ref.URL, title)
}
