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

// ConfirmationsSettled lists the merge requests for which an event ends the question
// to other people, whether they confirm its review. c is the change after it.
func ConfirmationsSettled(c *Change, e Event) (items []int) {
	switch e.Type { //nolint:exhaustive // the others end no such question
	case EventMergeRequestConfirmed, EventMergeRequestRefused:
		return []int{e.int("item")}
	case EventClosed, EventDenied, EventWithdrawn, EventLapsed, EventFailed:
		for _, m := range c.MergeRequests {
			if m.Confirmed == "" && m.Refused == "" {
				items = append(items, m.Item)
			}
		}
	}
	return items
}
