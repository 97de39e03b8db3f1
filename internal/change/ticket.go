package change

import (
	"errors"
	"time"
)

// TicketRef is a Jira ticket. The id stays when a ticket moves between
// projects; the key does not.
type TicketRef struct {
	ID  string `json:"id"`
	Key string `json:"key"`
	URL string `json:"url"`
}

// Ticket is a Jira ticket as it was when it was looked at.
type Ticket struct {
	Ref     TicketRef
	Project string // key of the project it is in now; tickets move
	Summary string
	Status  string // as people see it
	Done    bool   // its status is of the category done
	Creator string // accountId
	Labels  []string
	Created time.Time
}

// TicketDraft is a ticket to be made. Summary and Description are plain text:
// the adapter truncates and escapes them for Jira.
type TicketDraft struct {
	Project     string
	IssueType   string
	Summary     string
	Description []TicketSection
	Labels      []string // the first is unique to the intent; it finds a ticket whose reply was lost
	Assignee    string   // accountId; empty for nobody
	Due         time.Time
	Security    string // security level, by id or name; empty: none
}

// ErrNoSecurityLevel says that Jira does not take the security level of a draft.
// It comes wrapped in an *OutsideError.
var ErrNoSecurityLevel = errors.New("the security level is not taken")

// TicketSection is a headed paragraph of a ticket's description or comment.
type TicketSection struct {
	Heading string
	Text    string // plain text, as people typed it
	URL     string // optional: shown as a link after the text; only ever one of our own making
}

// TicketComment is a comment as Jira holds it.
type TicketComment struct {
	ID      string
	Author  string // accountId
	Editor  string // accountId of whoever edited it last; empty, or the author, when nobody else did
	Created time.Time
	Updated time.Time
	Body    string
}
