package reconcile

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Tickets is Jira. Its errors are *change.OutsideError.
type Tickets interface {
	TicketMaker
	TicketComments
	// Ticket looks at a ticket by key or id.
	Ticket(ctx context.Context, keyOrID string) (change.Ticket, error)
	// UpsertRemoteLink shows a link on a ticket, or alters the one of that global id.
	UpsertRemoteLink(ctx context.Context, id, globalID, link, title string) error
	TicketGuard
	// Identity asks as whom breakglass is signed in: whether it is let in at all.
	Identity(ctx context.Context) (string, error)
}

// TicketMaker makes tickets.
type TicketMaker interface {
	// Create makes a ticket, and is never repeated by itself.
	Create(ctx context.Context, d change.TicketDraft) (change.TicketRef, error)
	// FindByLabel finds the tickets that were made with a first label, oldest
	// first. It lags by minutes.
	FindByLabel(ctx context.Context, label string) ([]change.TicketRef, error)
}

// TicketGuard keeps what a ticket holds from others.
type TicketGuard interface {
	// Secure puts a ticket under a security level. The outcome is Refused where
	// Jira does not have it for the ticket.
	Secure(ctx context.Context, id, level string) error
	// Rewrite replaces the summary and the description.
	Rewrite(ctx context.Context, id, summary string, sections []change.TicketSection) error
	// EditComment replaces one of our own that ends with a marker.
	EditComment(ctx context.Context, id, commentID, marker string, sections []change.TicketSection) error
	// RemoveRemoteLink takes a link off. One that is not there is no error.
	RemoveRemoteLink(ctx context.Context, id, globalID string) error
}

// TicketComments reads and writes a ticket's comments.
type TicketComments interface {
	// Comments lists the newest thousand.
	Comments(ctx context.Context, id string) ([]change.TicketComment, error)
	// Comment looks at one. The outcome is Missing when it was deleted.
	Comment(ctx context.Context, id, commentID string) (change.TicketComment, error)
	// AddComment writes one that ends with a marker, and is never repeated by itself.
	AddComment(ctx context.Context, id, marker string, sections []change.TicketSection) (change.TicketComment, error)
	// FindComment finds our own that ends with a marker.
	FindComment(ctx context.Context, id, marker string) (comment change.TicketComment, found bool, err error)
}

// Incidents is incident.io. Its errors are *change.OutsideError.
type Incidents interface {
	// Incident looks at one incident by its id.
	Incident(ctx context.Context, id string) (change.Incident, error)
	// Open opens an incident, once for each key, and answers it as it is.
	Open(ctx context.Context, d change.IncidentDraft) (change.Incident, error)
	// AddNote writes into an incident's timeline, once for each key.
	AddNote(ctx context.Context, n change.IncidentNote) (externalID string, err error)
	// CreateFollowUp keeps a preventive action, once for each marker.
	CreateFollowUp(ctx context.Context, f change.IncidentFollowUp) (externalID string, err error)
}

// Links gives the addresses of messages.
type Links interface {
	// Permalink gives the address of a message of ours.
	Permalink(ctx context.Context, external string) (string, error)
}

// Project says how records are kept in Jira and incident.io.
type Project struct {
	Key            string // of the Jira project that takes new tickets
	IssueType      string
	PreventionType string                   // issue type of preventive actions
	SecurityLevel  string                   // of confidential changes' tickets: its id or name; empty: they say the number only
	EscapeMarkdown func(text string) string // makes people's words safe in incident.io's markdown; needed with Incidents
}
