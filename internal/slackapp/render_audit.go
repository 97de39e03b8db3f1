package slackapp

import (
	"github.com/breakglass-bot/breakglass/internal/change"
)

// audit is an event as the audit channel hears of it.
func audit(c *change.Change, e change.Event) *message {
	topic := auditTopic(e)
	m := heading(c, topic)
	if c.Confidential {
		m = heading(c, "confidential · "+topic)
	} else {
		line := threadLine(c, e)
		m.notify(c, line)
		m.say(line, "*Change:* "+oneLine(c.KindName, roomForName)+", "+whoWords(c), "*Where:* "+accessWords(c), "*State:* "+phaseWords(c))
	}
	key := buttonKey{Number: c.Number}
	show := button(actionShow, "Show", key)
	if e.Type == change.EventAccessVerified && e.Fact("standing") == "true" {
		m.buttons(button(actionMarkStanding, "Mark as standing", key), danger(button(actionEndAccess, "End access", key)), show)
	} else {
		m.buttons(show)
	}
	return m
}

// auditTopic is what happened, in words that give nothing of the change away.
func auditTopic(e change.Event) string {
	switch e.Type { //nolint:exhaustive // the others have one topic
	case change.EventBreached:
		if e.Fact("delivery") == "true" {
			return "late delivery"
		}
		return "overdue"
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
	case change.EventAccessVerified:
		if e.Fact("standing") == "true" {
			return "standing access found"
		}
	}
	return "for the record"
}
