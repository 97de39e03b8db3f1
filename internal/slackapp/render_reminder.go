package slackapp

import (
	"slices"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// reminder reminds one person of what they owe, with the button that does it.
func reminder(p change.Posting) *message {
	c := &p.Change
	o := c.Owes(p.Delivery.Ref.Obligation, p.Delivery.Ref.Item)
	if o == nil || o.State != change.Owed || !o.Part.IsZero() {
		m := heading(c, "nothing is owed here any more")
		m.say("What this reminder was about has been done.")
		return m
	}
	name := obligationWords(*o)
	topic, line := "your "+name+" is owed", "Your "+name+" is owed"
	if !o.Breached.IsZero() {
		topic, line = "your "+name+" is overdue", "Your "+name+" is overdue: it was owed"
	}
	if !o.Due.IsZero() {
		line += " by " + moment(o.Due)
	}
	line += "."
	m := heading(c, topic)
	m.say(line, duty(c, o))
	m.say("*Who:* "+whoWords(c), "*Where:* "+accessWords(c))
	m.quote("What", c.What, roomForCard)
	m.say(links(c)...)
	var later *slack.ButtonBlockElement
	if o.Breached.IsZero() && !o.Due.IsZero() {
		later = button(actionRemindLater, "Remind me later", buttonKey{Number: c.Number, Obligation: o.Name, Item: o.Item})
	}
	m.buttons(dutyButton(c, o.Name), later)
	m.notify(c, line+" The change: "+oneLine(c.What, roomInText))
	return m
}

// duty says what is to be done for an obligation.
func duty(c *change.Change, o *change.Obligation) string {
	switch o.Name {
	case change.OweRecord:
		return "Write down what was done and why; it is recorded " + recordWords(c) + "."
	case change.OweReview:
		return "Write what happened, why the standard process could not be used, and what would prevent it."
	case change.OweSignOff:
		return howToSign(c)
	case change.OweMergeRequest:
		return "Link the merge request that the change was made by."
	case change.OweIndependentReview:
		return howToReview(c)
	case change.OwePermanentFix:
		return "Link the merge request that fixes it for good. It is done once that one is merged."
	case change.OweAction:
		return "Its ticket does not exist yet."
	}
	return ""
}

// dutyButton is the button that meets an obligation; nil where none does.
func dutyButton(c *change.Change, name change.ObligationName) *slack.ButtonBlockElement {
	key := buttonKey{Number: c.Number}
	switch name {
	case change.OweRecord:
		return primary(button(actionWriteRecord, "Write record", key))
	case change.OweReview:
		return primary(button(actionWriteReview, "Write review", key))
	case change.OweSignOff:
		return signButton(c)
	case change.OweMergeRequest, change.OweIndependentReview, change.OwePermanentFix:
		return linkMergeRequestButton(c)
	case change.OweAction:
		return nil
	}
	return nil
}

// dutyButtons are those for all that somebody still has to do on a change
// themselves.
func dutyButtons(c *change.Change) []*slack.ButtonBlockElement {
	var all []*slack.ButtonBlockElement
	for _, name := range []change.ObligationName{change.OweRecord, change.OweReview} {
		if o := c.Owes(name, 0); o != nil && o.State == change.Owed && o.Part.IsZero() {
			all = append(all, dutyButton(c, name))
		}
	}
	if slices.ContainsFunc(c.Owing(), func(o change.Obligation) bool { return owesMergeRequest(o.Name) }) {
		all = append(all, linkMergeRequestButton(c))
	}
	return all
}
