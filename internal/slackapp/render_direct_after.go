package slackapp

import (
	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// extendIfAccess is absent where there is no access that could last longer.
func extendIfAccess(c *change.Change) *slack.ButtonBlockElement {
	if c.Access == nil {
		return nil
	}
	return button(actionExtend, "Extend", buttonKey{Number: c.Number})
}

// extensionMessage tells what came of asking for more time.
func extensionMessage(c *change.Change, e change.Event, which change.Message) *message {
	topic, line := "extended", "Extended by "+seconds(e, "seconds")+": it ends at "+moment(c.Window.Until)+"."
	switch which { //nolint:exhaustive // the ends of asking for more time
	case change.MessageExtensionDenied:
		topic, line = "more time was denied", by(e)+" denied more time. It ends at "+moment(c.Window.Until)+"."
	case change.MessageExtensionLapsed:
		topic, line = "more time was not decided about", "Nobody decided about more time. It ends at "+moment(c.Window.Until)+"."
	}
	m := heading(c, topic)
	m.say(line)
	m.quote("Why", e.Texts["reason"], roomForText)
	m.about(c)
	if c.Phase == change.Active {
		m.buttons(button(actionFinish, "Finish", buttonKey{Number: c.Number}))
	}
	m.notify(c, line)
	return m
}

// signOffMessage tells signers and the change's people of a sign-off.
func signOffMessage(c *change.Change, e change.Event, d change.Delivery) *message {
	why := oneLine(e.Fact("why"), 200)
	topic, line := "signed off", signedLine(e)
	switch d.Ref.Message { //nolint:exhaustive // the messages about a sign-off
	case change.MessageSignOffDoubted:
		topic, line = "your comment does not sign off", "Your comment does not count as a sign-off: "+why+"."
	case change.MessageSignOffUndone:
		topic, line = "sign-off undone", "The sign-off by "+person(change.PersonID(e.Fact("by")))+" counts no more: "+why+"."
		if o := c.Owes(change.OweSignOff, 0); o != nil && o.State == change.Owed {
			line += " It is owed again."
		}
	}
	m := heading(c, topic)
	m.say(line)
	m.about(c)
	m.say(links(c)...)
	if d.Ref.Message == change.MessageSignOffDoubted {
		m.small(howToSign(c))
		m.buttons(signButton(c))
	}
	m.notify(c, line)
	return m
}

// breachMessage tells whoever stands for the CTO of a missed deadline, with the
// button that waives what is owed where they may.
func breachMessage(p change.Posting) *message {
	c, e, d := &p.Change, p.Event, p.Delivery
	m := heading(c, auditTopic(e))
	line := owedLine(c, e)
	m.say(line)
	if o := c.Owes(d.Ref.Obligation, d.Ref.Item); o != nil {
		m.say("*Owed by:* " + ownerWords(*o))
	}
	m.say("*Who:* " + whoWords(c))
	m.about(c)
	m.say(links(c)...)
	m.buttons(button(actionShow, "Show", buttonKey{Number: c.Number}), waiveButton(p))
	m.notify(c, line+" The change by "+mention(c.Implementer)+": "+oneLine(c.What, roomInText))
	return m
}

// accessLateMessage tells whoever stands for the CTO that access has outlived
// its window.
func accessLateMessage(c *change.Change, e change.Event) *message {
	show := button(actionShow, "Show", buttonKey{Number: c.Number})
	m := heading(c, auditTopic(e))
	line := accessLine(c, e)
	m.say(line, "*Who:* "+whoWords(c))
	m.about(c)
	m.buttons(show)
	m.notify(c, line)
	return m
}

func ticketRefusedMessage(c *change.Change, e change.Event) *message {
	m := heading(c, "the ticket was not taken")
	line := "Ticket " + oneLine(e.Fact("ticket"), 60) + " was not taken: " + said(e)
	if kept := ticketKept(e); kept != "" {
		line += kept
		m.say(line)
	} else {
		m.say(line, "Link another one, or let breakglass open one with the record.")
	}
	m.about(c)
	m.buttons(button(actionLinkRecord, "Link record", buttonKey{Number: c.Number}))
	m.notify(c, line)
	return m
}
