package slackapp

import (
	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// card is the message that a change has in the channel, kept current by
// editing. Where the channel has no place for it, its people get it directly.
func card(p change.Posting) *message {
	c := &p.Change
	m := heading(c, clip(c.KindName, 120))
	m.notify(c, oneLine(c.KindName, roomForName)+", "+mention(c.Implementer)+": "+oneLine(c.What, roomInText)+" – "+phaseWords(c))
	m.say("*State:* "+stateWords(c), "*Next:* "+nextWords(c))
	m.say(facts(c)...)
	m.say(selfLines(c)...)
	m.say(inSpiteLines(c)...)
	m.say(incidentChecks(c)...)
	m.say(uncheckedApproval(c)...)
	m.texts(c, roomForCard)
	if c.Phase != change.Requested && !c.Phase.Final() {
		m.say("*Recorded* " + recordWords(c))
	}
	m.say(accessLines(c)...)
	m.say(headed("Still owed", owing(c))...)
	m.say(headed("Waiting for", waiting(p))...)
	m.say(links(c)...)
	m.buttons(cardButtons(c)...)
	return m
}

// cardButtons are those of the card, by state. They hold a number only: who may
// press them is looked up at the click.
func cardButtons(c *change.Change) []*slack.ButtonBlockElement {
	key := buttonKey{Number: c.Number}
	show := button(actionShow, "Show", key)
	withdraw := button(actionWithdraw, "Withdraw", key)
	note := button(actionAddNote, "Add note", key)
	switch c.Phase {
	case change.Requested:
		return []*slack.ButtonBlockElement{withdraw, missingLink(c)}
	case change.Approved:
		return []*slack.ButtonBlockElement{withdraw, endNow(c)}
	case change.Active:
		return []*slack.ButtonBlockElement{button(actionFinish, "Finish", key), extendIfAccess(c), note, cardLink(c), endNow(c)}
	case change.Ended:
		return []*slack.ButtonBlockElement{note, button(actionLinkRecord, "Link record", key), cardLink(c)}
	case change.Closed, change.Denied, change.Withdrawn, change.Lapsed, change.Failed:
		return []*slack.ButtonBlockElement{show}
	}
	return []*slack.ButtonBlockElement{show}
}

func endNow(c *change.Change) *slack.ButtonBlockElement {
	return danger(button(actionEndNow, "End now", buttonKey{Number: c.Number}))
}
