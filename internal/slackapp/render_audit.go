package slackapp

import (
	"github.com/breakglass-bot/breakglass/internal/change"
)

// audit is an event as the audit channel hears of it.
func audit(c *change.Change, e change.Event) *message {
	m := heading(c, auditTopic(e))
	line := threadLine(c, e)
	m.notify(c, line)
	m.say(line)
	for _, field := range threadTexts(e.Type) {
		m.quote(field.label, e.Texts[field.name], roomForCard)
	}
	m.say("*Change:* "+oneLine(c.KindName, roomForName)+", "+whoWords(c), "*Where:* "+accessWords(c), "*State:* "+phaseWords(c))
	key := buttonKey{Number: c.Number}
	show := button(actionShow, "Show", key)
	if e.Type == change.EventAccessVerified && e.Fact("standing") == "true" {
		m.buttons(button(actionMarkStanding, "Mark as standing", key), danger(button(actionEndAccess, "End access", key)), show)
	} else {
		m.buttons(show)
	}
	return m
}

// auditTopic is what happened, in a few words.
func auditTopic(e change.Event) string {
	switch e.Type { //nolint:exhaustive // the others have one topic
	case change.EventBreached:
		if e.Fact("delivery") == "true" {
			return "late delivery"
		}
		return "overdue"
	case change.EventWaived:
		return "waived"
	case change.EventSignOffUndone:
		return "sign-off undone"
	case change.EventIndependentReviewUndone:
		return "independent review undone"
	case change.EventSignedOff:
		return "signed off"
	case change.EventStandingKept, change.EventStandingEnded:
		return "decided about standing access"
	case change.EventAccessLate:
		return "access is late to go"
	case change.EventAccessBack:
		return "access is back"
	case change.EventUndelivered:
		return "message not delivered"
	case change.EventIncidentRefused:
		return "incident takes no notes"
	case change.EventSelfApproved:
		return "self-approved"
	case change.EventApprovedOverdue:
		return "approved although a record is overdue"
	case change.EventIncidentDoubted:
		return "the incident does not fit"
	case change.EventAccessVerified:
		if e.Fact("standing") == "true" {
			return "standing access found"
		}
	}
	return "for the record"
}
