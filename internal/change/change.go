package change

import (
	"slices"
	"time"
)

// Change is one emergency change as it stands now. The ledger's row holds
// exactly this; the events tell how it came to be.
type Change struct {
	Number       Number     `json:"number"`
	Version      int64      `json:"version"` // counts the transactions that altered it, from 1
	Phase        Phase      `json:"phase"`
	Kind         KindID     `json:"kind"`
	KindName     string     `json:"kind_name"`
	Reason       ReasonID   `json:"reason"`
	ReasonLabel  string     `json:"reason_label"`
	Confidential bool       `json:"confidential,omitempty"`
	Requester    PersonID   `json:"requester"`
	Implementer  PersonID   `json:"implementer"`
	Witnesses    []PersonID `json:"witnesses,omitempty"`    // named by the requester as being on the call
	Coordinators []PersonID `json:"coordinators,omitempty"` // told, so that they coordinate it with its approvers
	Again        Number     `json:"again,omitempty"`        // the change that this one asks for once more

	What    string   `json:"what"` // what is changed, as typed
	Why     string   `json:"why"`  // why it is needed now, as typed
	Answers []Answer `json:"answers,omitempty"`

	RequestedAt time.Time `json:"requested_at"`
	Report      *Report   `json:"report,omitempty"` // set when the change had been made already
	Plan        Plan      `json:"plan"`

	Access *Access       `json:"access,omitempty"` // nil: no access through breakglass
	Asks   []Ask         `json:"asks,omitempty"`   // what approvers were asked; the last is the one that counts
	Self   *SelfApproved `json:"self,omitempty"`   // nil: the requester did not ask to approve it themselves
	Window Window        `json:"window"`
	Reply  string        `json:"reply,omitempty"` // why it was denied, or why it failed

	Incident      *IncidentLink        `json:"incident,omitempty"`
	Ticket        *TicketLink          `json:"ticket,omitempty"`
	Links         []string             `json:"links,omitempty"`          // other addresses that people linked
	MergeRequests []LinkedMergeRequest `json:"merge_requests,omitempty"` // in the order of their items
	Status        *StatusSnapshot      `json:"status,omitempty"`         // of GitHub, at the request
	Notes         []Note               `json:"notes,omitempty"`
	Record        Record               `json:"record"`
	Review        Review               `json:"review"`
	Doubted       []string             `json:"doubted,omitempty"` // comments whose signer was told that they do not count: id:hash

	Obligations []Obligation `json:"obligations,omitempty"`
}

// Answer is an answer to a kind's own question.
type Answer struct {
	Question QuestionID `json:"question"`
	Label    string     `json:"label"`
	Text     string     `json:"text"`
}

// Report tells of a change that was made before breakglass heard of it.
type Report struct {
	MadeAt  time.Time `json:"made_at"`            // all deadlines count from it
	GivenBy PersonID  `json:"given_by,omitempty"` // who gave the access
}

// Window is the time in which the change is made.
type Window struct {
	Start   time.Time `json:"start,omitzero"`     // zero: not open yet
	Until   time.Time `json:"until,omitzero"`     // when it ends by itself
	Ended   time.Time `json:"ended,omitzero"`     // when it ended
	EndedBy PersonID  `json:"ended_by,omitempty"` // empty: it ended by itself
	Warned  time.Time `json:"warned,omitzero"`    // the Until that the implementer was warned of
}

// Access is what was asked of AWS for a change.
type Access struct {
	Target            TargetID        `json:"target"`
	TargetName        string          `json:"target_name"`
	PermissionSet     PermissionSetID `json:"permission_set"`
	PermissionSetName string          `json:"permission_set_name"`
	Key               AssignmentKey   `json:"key"` // its UserID is empty until the person was found
	Asked             time.Duration   `json:"asked"`
	Approved          time.Duration   `json:"approved,omitempty"`      // extensions included
	MaxPeriod         time.Duration   `json:"max_period"`              // of each approved period
	AlreadyThere      *bool           `json:"already_there,omitempty"` // at the request; nil: AWS did not say

	GrantBy       time.Time `json:"grant_by,omitzero"`        // after it nothing more is created
	IntendedAt    time.Time `json:"intended_at,omitzero"`     // from when on a create may have been sent
	RevokeBy      time.Time `json:"revoke_by,omitzero"`       // when its time is over, whatever becomes of the change
	VerifiedAt    time.Time `json:"verified_at,omitzero"`     // seen in AWS
	Standing      bool      `json:"standing,omitempty"`       // it was there before, and is not ours to remove
	GivenUp       bool      `json:"given_up,omitempty"`       // no longer wanted though never seen
	GoneAt        time.Time `json:"gone_at,omitzero"`         // verified gone, or left alone for good
	LateAt        time.Time `json:"late_at,omitzero"`         // people were told that the removal is late
	SessionsEndBy time.Time `json:"sessions_end_by,omitzero"` // live sessions may last until then
	Trouble       string    `json:"trouble,omitempty"`        // what AWS last refused, in a sentence
}

// Wanted tells whether the change wants its access to exist, as far as it has been
// told: its time may be over since.
func (c *Change) Wanted() bool {
	return c.Access != nil && !c.Access.GivenUp && (c.Phase == Approved || c.Phase == Active)
}

// AccessUntil is when the access ends by itself, whether or not the change has been
// told so yet; zero where that is not known, or it is not wanted.
func (c *Change) AccessUntil() time.Time {
	if !c.Wanted() || c.Phase != Active {
		return time.Time{}
	}
	return c.Window.Until
}

// AccessEnd is when the access of a change that has ended was to go: at its end, or
// when its time was over, if nobody was there to end it then. Zero before the end.
func (c *Change) AccessEnd() time.Time {
	if c.Access == nil || c.Window.Ended.IsZero() {
		return c.Window.Ended
	}
	return earliest(c.Window.Ended, c.Access.RevokeBy)
}

// WantedAt tells whether the change wants its access to exist at a moment.
func (c *Change) WantedAt(now time.Time) bool {
	return c.Wanted() && !due(c.AccessUntil(), now)
}

// Note is a line that somebody added to the record.
type Note struct {
	By   PersonID  `json:"by"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// IncidentLink is the incident that a change belongs to, and what it was when
// it was looked at: at the request and lately.
type IncidentLink struct {
	AtRequest  *Incident        `json:"at_request,omitempty"` // nil: linked later, or not yet known
	AtApproval *Incident        `json:"at_approval,omitempty"`
	AtEnd      *Incident        `json:"at_end,omitempty"`
	AtRecord   *Incident        `json:"at_record,omitempty"` // when the record was first written
	Opening    *IncidentOpening `json:"opening,omitempty"`   // breakglass opens it, or has opened it
	Now        Incident         `json:"now"`                 // its ID is empty while it is being opened
	LinkedAt   time.Time        `json:"linked_at"`
	Refused    string           `json:"refused,omitempty"` // why its record takes no notes, in a sentence
}

// TicketLink is a change's Jira ticket.
type TicketLink struct {
	TicketRef
	Ours     bool      `json:"ours,omitempty"`    // breakglass opened it
	LinkedAt time.Time `json:"linked_at"`         // comments before that sign nothing off
	Checked  bool      `json:"checked"`           // seen in Jira
	Secured  bool      `json:"secured,omitempty"` // under the configured security level, so that it may hold a confidential change's text

	Before *TicketLink `json:"before,omitempty"` // until it is checked: what it took the place of, and gives it back to if Jira has no such ticket
}

// Record is what was done and why, and whether it stands where it belongs.
type Record struct {
	In             RecordPlace  `json:"in"`
	Choice         TicketChoice `json:"choice,omitempty"`
	Revision       int          `json:"revision,omitempty"` // 0: not written yet
	Done           string       `json:"done,omitempty"`     // what was done, as typed
	Why            string       `json:"why,omitempty"`      // why, as typed
	NothingChanged bool         `json:"nothing_changed,omitempty"`
	By             PersonID     `json:"by,omitempty"`
	At             time.Time    `json:"at,omitzero"`
	Mirrored       int          `json:"mirrored,omitempty"` // the revision that is held by the incident or ticket
	Moved          string       `json:"moved,omitempty"`    // why it went from incident.io to Jira
}

// TicketChoice is what the requester chose to do about the ticket.
type TicketChoice string

// The choices, as the form has them.
const (
	TicketNow      TicketChoice = "now"
	TicketExisting TicketChoice = "existing"
	TicketLater    TicketChoice = "later"
)

// Review is the post-incident review.
type Review struct {
	Draft     ReviewText `json:"draft"`
	Text      ReviewText `json:"text"`
	Submitted time.Time  `json:"submitted,omitzero"`
	By        PersonID   `json:"by,omitempty"`
	Mirrored  bool       `json:"mirrored,omitempty"`
}

// ReviewText is what a review says.
type ReviewText struct {
	What      string   `json:"what,omitempty"`
	Standard  string   `json:"standard,omitempty"` // why the standard process could not be used
	Prevent   string   `json:"prevent,omitempty"`
	Actions   []Action `json:"actions,omitempty"`
	NoAction  string   `json:"no_action,omitempty"`  // why no action is needed
	RootCause string   `json:"root_cause,omitempty"` // the root-cause analysis, where the kind asks for one
}

// Action is a preventive action.
type Action struct {
	What   string     `json:"what"`
	Owner  PersonID   `json:"owner"`
	Due    time.Time  `json:"due,omitzero"`
	Ticket *TicketRef `json:"ticket,omitempty"` // set once it exists; its ID is a follow-up's where there is no Jira
}

// clone copies c deeply enough that Decide can alter the copy alone.
func (c Change) clone() Change {
	c.Witnesses = slices.Clone(c.Witnesses)
	c.Answers = slices.Clone(c.Answers)
	c.Links = slices.Clone(c.Links)
	c.Doubted = slices.Clone(c.Doubted)
	c.Notes = slices.Clone(c.Notes)
	c.Asks = slices.Clone(c.Asks)
	for i := range c.Asks {
		c.Asks[i].Decisions = slices.Clone(c.Asks[i].Decisions)
		c.Asks[i].Away = slices.Clone(c.Asks[i].Away)
	}
	c.Obligations = slices.Clone(c.Obligations)
	c.Review.Draft.Actions = slices.Clone(c.Review.Draft.Actions)
	c.Review.Text.Actions = slices.Clone(c.Review.Text.Actions)
	c.Coordinators = slices.Clone(c.Coordinators)
	c.MergeRequests = slices.Clone(c.MergeRequests)
	for i := range c.MergeRequests {
		c.MergeRequests[i].Seen = copied(c.MergeRequests[i].Seen)
	}
	if c.Self = copied(c.Self); c.Self != nil {
		c.Self.Confirmed = slices.Clone(c.Self.Confirmed)
	}
	c.Report = copied(c.Report)
	c.Access = copied(c.Access)
	c.Incident = copied(c.Incident)
	c.Ticket = copied(c.Ticket)
	return c
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// Own tells whether p asked for the change or makes it: whoever does decides
// nothing about it.
func (c *Change) Own(p PersonID) bool { return p == c.Requester || p == c.Implementer }

// ask gives the question that counts now, or nil.
func (c *Change) ask() *Ask {
	if len(c.Asks) == 0 {
		return nil
	}
	return &c.Asks[len(c.Asks)-1]
}

// OpenAsk gives the question that approvers have yet to answer, or nil.
func (c *Change) OpenAsk() *Ask {
	if a := c.ask(); a != nil && a.Open() {
		return a
	}
	return nil
}
