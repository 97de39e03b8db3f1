package change

import (
	"strconv"
	"time"
)

// EventType says what happened.
type EventType string

// The events of a change, in the rough order of a life.
const (
	EventRequested               EventType = "requested"
	EventReported                EventType = "reported"
	EventPersonFound             EventType = "aws_person_found"
	EventPersonRefused           EventType = "aws_person_refused"
	EventAsked                   EventType = "asked"
	EventEscalated               EventType = "escalated"
	EventDurationChanged         EventType = "duration_changed"
	EventApprovalGiven           EventType = "approval_given"
	EventApproved                EventType = "approved"
	EventDenied                  EventType = "denied"
	EventLapsed                  EventType = "lapsed"
	EventWithdrawn               EventType = "withdrawn"
	EventAccessIntended          EventType = "access_intended"
	EventAccessTrouble           EventType = "access_trouble"
	EventAccessVerified          EventType = "access_verified"
	EventAccessGivenUp           EventType = "access_given_up"
	EventAccessGone              EventType = "access_gone"
	EventAccessLate              EventType = "access_late"
	EventAccessBack              EventType = "access_back"
	EventStandingKept            EventType = "standing_kept"  // an approver marked access that was there before as standing
	EventStandingEnded           EventType = "standing_ended" // an approver had such access ended
	EventActivated               EventType = "activated"
	EventFailed                  EventType = "failed"
	EventEndWarned               EventType = "end_warned"
	EventExtensionAsked          EventType = "extension_asked"
	EventExtensionApproved       EventType = "extension_approved"
	EventExtensionDenied         EventType = "extension_denied"
	EventExtensionLapsed         EventType = "extension_lapsed"
	EventEnded                   EventType = "ended"
	EventNoted                   EventType = "noted"
	EventLinked                  EventType = "linked"
	EventSelfApprovalRefused     EventType = "self_approval_refused" // the approvers are asked instead
	EventCallConfirmed           EventType = "call_confirmed"
	EventSelfApproved            EventType = "self_approved"
	EventApprovedOverdue         EventType = "approved_overdue" // in spite of an overdue record, with a reason
	EventApproverAway            EventType = "approver_away"
	EventCoordinated             EventType = "coordinated"
	EventWaived                  EventType = "waived"
	EventMadeConfidential        EventType = "made_confidential" // what was shown of it before is taken back
	EventTicketSecured           EventType = "ticket_secured"    // the ticket is under the configured security level
	EventMergeRequestLinked      EventType = "merge_request_linked"
	EventMergeRequestSeen        EventType = "merge_request_seen"
	EventMergeRequestRefused     EventType = "merge_request_refused"
	EventMergeRequestConfirmed   EventType = "merge_request_confirmed"
	EventIndependentReviewUndone EventType = "independent_review_undone"
	EventIncidentDoubted         EventType = "incident_doubted" // looked at late, it was none that the kind demands
	EventStatusSeen              EventType = "status_seen"
	EventIncidentLinked          EventType = "incident_linked"
	EventIncidentSeen            EventType = "incident_seen"
	EventIncidentRefused         EventType = "incident_refused"
	EventTicketLinked            EventType = "ticket_linked"
	EventTicketRefused           EventType = "ticket_refused"
	EventRecordWritten           EventType = "record_written"
	EventRecordMirrored          EventType = "record_mirrored"
	EventSignedOff               EventType = "signed_off"
	EventSignOffDoubted          EventType = "sign_off_doubted"
	EventSignOffUndone           EventType = "sign_off_undone"
	EventReviewDrafted           EventType = "review_drafted"
	EventReviewSubmitted         EventType = "review_submitted"
	EventReviewMirrored          EventType = "review_mirrored"
	EventActionRecorded          EventType = "action_recorded"
	EventOwed                    EventType = "owed"
	EventDone                    EventType = "done"
	EventReminded                EventType = "reminded"
	EventSnoozed                 EventType = "snoozed"
	EventBreached                EventType = "breached"
	EventOwnerChanged            EventType = "owner_changed"
	EventUndelivered             EventType = "undelivered"
	EventClosed                  EventType = "closed"
	EventRefused                 EventType = "refused"
)

// Facts are what an event states. Values are strings, integers, booleans or
// lists of strings, never free text or personal data.
type Facts map[string]any

// Event is something that happened to a change.
type Event struct {
	Seq   int64 // from 1 within its chain; given by the ledger
	Type  EventType
	At    time.Time
	Actor PersonID // empty: breakglass itself
	Via   string
	Phase Phase // of the change after the event
	Facts Facts
	Texts map[string]string // free text, kept beside the chain so that it can be erased
}

// Fact gives a fact as text; empty when it is absent.
func (e Event) Fact(name string) string {
	switch v := e.Facts[name].(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64: // as JSON gives integers back
		return strconv.FormatInt(int64(v), 10)
	}
	return ""
}

// stamp writes a time as events and proofs hold it: RFC 3339, UTC.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// The events that belong to no change.
const (
	EventTurnedAway   EventType = "turned_away"   // a guest, a bot, a stranger, or somebody deactivated
	EventForged       EventType = "forged"        // a click that no message of ours could have made
	EventStandardPath EventType = "standard_path" // somebody was sent to the release process
	EventDigestPosted EventType = "digest_posted" // a month's figures stand in the audit channel
	EventSealPosted   EventType = "seal_posted"   // a day's seal stands in the audit channel
)
