package change

import "slices"

// AltersQuestions tells whether events alter what the messages of approvers and
// signers show. Those are edited then, and left alone otherwise: Slack allows
// few edits.
func AltersQuestions(events []Event) bool {
	return slices.ContainsFunc(events, func(e Event) bool {
		switch e.Type {
		case EventDurationChanged, EventApprovalGiven, EventApproved, EventDenied, EventLapsed, EventWithdrawn, EventFailed,
			EventActivated, EventEnded, EventClosed, EventExtensionApproved, EventExtensionDenied, EventExtensionLapsed,
			EventSignedOff, EventSignOffUndone, EventTicketLinked, EventRecordWritten, EventPersonRefused,
			EventIncidentLinked, EventIncidentRefused, EventIncidentSeen, EventIncidentDoubted, EventStatusSeen,
			EventMergeRequestLinked, EventMergeRequestSeen, EventMergeRequestRefused,
			EventSelfApprovalRefused, EventCallConfirmed, EventSelfApproved, EventAsked, EventCoordinated,
			EventWaived, EventMadeConfidential:
			return true
		default: // the others show in no question
			return false
		}
	})
}
