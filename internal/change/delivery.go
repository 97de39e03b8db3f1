package change

import "time"

// DeliveryKind says what a delivery brings, and so which reconciler acts.
type DeliveryKind string

// The deliveries. The ledger is the truth; these bring copies of it to others.
const (
	DeliverCard             DeliveryKind = "card"               // the message in the channel, kept current
	DeliverThread           DeliveryKind = "thread"             // an event, as a reply to the card
	DeliverAskOut           DeliveryKind = "ask_out"            // finds whom to ask, and makes DeliverAsk of it
	DeliverAsk              DeliveryKind = "ask"                // an approver's message, kept current
	DeliverDirect           DeliveryKind = "direct"             // a message to one person
	DeliverRemindOut        DeliveryKind = "remind_out"         // finds whom to remind, and makes DeliverReminder of it
	DeliverReminder         DeliveryKind = "reminder"           // a reminder to one person
	DeliverSignOffOut       DeliveryKind = "sign_off_out"       // finds who may sign off, and makes DeliverSignOff of it
	DeliverSignOff          DeliveryKind = "sign_off"           // a signer's message, kept current
	DeliverAudit            DeliveryKind = "audit"              // an event, told to the audit channel
	DeliverCTO              DeliveryKind = "cto_out"            // finds roles.cto, and makes DeliverDirect of it
	DeliverTicket           DeliveryKind = "ticket"             // the Jira ticket exists
	DeliverTicketLook       DeliveryKind = "ticket_look"        // a linked ticket is seen in Jira
	DeliverRemoteLink       DeliveryKind = "remote_link"        // the ticket links back to the card
	DeliverRecord           DeliveryKind = "record"             // a revision of the record, where it belongs
	DeliverNote             DeliveryKind = "note"               // a note, where the record is
	DeliverTimeline         DeliveryKind = "timeline"           // an event, on the incident's timeline
	DeliverReview           DeliveryKind = "review"             // the review, where the record is
	DeliverAction           DeliveryKind = "action"             // a preventive action's ticket or follow-up
	DeliverComments         DeliveryKind = "comments"           // the ticket's comments are looked at until the change closes
	DeliverIncident         DeliveryKind = "incident"           // the incident's state is looked at
	DeliverPerson           DeliveryKind = "person"             // the requester's AWS user is found
	DeliverMergeRequest     DeliveryKind = "merge_request"      // a linked merge request is looked at until nothing more is owed for it
	DeliverMergeRequestLink DeliveryKind = "merge_request_link" // the incident or the ticket refers to a merge request
	DeliverStatus           DeliveryKind = "status_page"        // GitHub's status page is looked at, once
	DeliverOpenIncident     DeliveryKind = "open_incident"      // the incident that was asked for exists
	DeliverCoordinateOut    DeliveryKind = "coordinate_out"     // finds who coordinates the change
	DeliverRedact           DeliveryKind = "redact"             // what Slack was told before the change became confidential is taken back
	DeliverRedactTicket     DeliveryKind = "redact_ticket"      // the ticket is put under its security level, or holds the number and no more
	DeliverDigest           DeliveryKind = "digest"             // a month's figures, told to the audit channel; belongs to no change
	DeliverSeal             DeliveryKind = "seal"               // a day's seal, told to the audit channel; belongs to no change
)

// System gives the system that deliveries of a kind need unless they say
// otherwise.
func (k DeliveryKind) System() System {
	switch k {
	case DeliverTicket, DeliverTicketLook, DeliverRemoteLink, DeliverRecord, DeliverNote, DeliverReview, DeliverAction, DeliverComments, DeliverMergeRequestLink, DeliverRedactTicket:
		return SystemJira
	case DeliverTimeline, DeliverIncident, DeliverOpenIncident:
		return SystemIncident
	case DeliverMergeRequest, DeliverStatus:
		return SystemForge
	case DeliverPerson:
		return SystemAWS
	case DeliverCard, DeliverThread, DeliverAskOut, DeliverAsk, DeliverDirect, DeliverRemindOut, DeliverReminder,
		DeliverSignOffOut, DeliverSignOff, DeliverAudit, DeliverCTO, DeliverDigest, DeliverCoordinateOut, DeliverRedact,
		DeliverFinding, DeliverFindingNews, DeliverSeal:
		return SystemSlack
	}
	return SystemSlack
}

// Mode says when a delivery is done.
type Mode string

// The modes.
const (
	Converge Mode = "converge" // agrees with the newest version, again and again
	Once     Mode = "once"     // sent a single time, or cancelled
)

// Message names the text of a direct message.
type Message string

// The direct messages.
const (
	MessageApproved                Message = "approved"
	MessageActive                  Message = "active"
	MessageEndWarned               Message = "end_warned"
	MessageEnded                   Message = "ended"
	MessageDenied                  Message = "denied"
	MessageLapsed                  Message = "lapsed"
	MessageFailed                  Message = "failed"
	MessageWithdrawn               Message = "withdrawn"
	MessageExtended                Message = "extended"
	MessageExtensionDenied         Message = "extension_denied"
	MessageExtensionLapsed         Message = "extension_lapsed"
	MessageSignOffDoubted          Message = "sign_off_doubted"
	MessageSignOffUndone           Message = "sign_off_undone"
	MessageSignedOff               Message = "signed_off"
	MessageBreach                  Message = "breach"
	MessageTicketRefused           Message = "ticket_refused"
	MessageClosed                  Message = "closed"
	MessageStanding                Message = "standing"
	MessageAccessLate              Message = "access_late"
	MessageWitness                 Message = "witness"       // of a DeliverAsk: to a named witness, not to an approver
	MessageSelfApproved            Message = "self_approved" // to roles.cto
	MessageSelfRefused             Message = "self_approval_refused"
	MessageApproverAway            Message = "approver_away"
	MessageCoordinate              Message = "coordinate"
	MessageWaived                  Message = "waived"
	MessageMergeRequestRefused     Message = "merge_request_refused"
	MessageIndependentReviewUndone Message = "independent_review_undone"
	MessageIncidentDoubted         Message = "incident_doubted"
	MessageIncidentNotOpened       Message = "incident_not_opened"
)

// Ref says what a delivery is about.
type Ref struct {
	Seq        int64          `json:"seq,omitempty"` // the event that caused it
	Ask        int            `json:"ask,omitempty"`
	Fallback   bool           `json:"fallback,omitempty"` // of an ask: to the fallback groups
	Message    Message        `json:"message,omitempty"`
	Obligation ObligationName `json:"obligation,omitempty"`
	Item       int            `json:"item,omitempty"`
	Rung       string         `json:"rung,omitempty"`
	Revision   int            `json:"revision,omitempty"`
	Moment     Moment         `json:"moment,omitempty"` // of a look at the incident: what it is evidence of
}

// Delivery is something that another system is to hold a copy of. (Number,
// Kind, Key) is unique: what is wanted twice is delivered once.
type Delivery struct {
	Number Number
	Kind   DeliveryKind
	Key    string
	Mode   Mode
	To     PersonID // of a direct message, an ask or a reminder; empty: the channel
	Ref    Ref
	Due    time.Time // not before; zero: at once
	Via    System    // the system that it needs, where its kind alone does not say; else empty
}

// System gives the system that the delivery needs, so that one that is down
// holds up nothing of another, and is named rightly while it is waited for.
func (d Delivery) System() System {
	if d.Via != "" {
		return d.Via
	}
	return d.Kind.System()
}
