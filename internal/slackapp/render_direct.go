package slackapp

import (
	"github.com/breakglass-bot/breakglass/internal/change"
)

// direct is a message to one person about something that has happened. It is
// sent once, and written from how things stand at that moment.
func (w Words) direct(p change.Posting) *message {
	c, e := &p.Change, p.Event
	switch p.Delivery.Ref.Message {
	case change.MessageApproved:
		return approvedMessage(c)
	case change.MessageActive:
		return w.activeMessage(c)
	case change.MessageEndWarned:
		return endWarnedMessage(c)
	case change.MessageEnded:
		return endedMessage(c, e)
	case change.MessageDenied, change.MessageLapsed, change.MessageFailed, change.MessageWithdrawn:
		return overMessage(c, e, p.Delivery)
	case change.MessageExtended, change.MessageExtensionDenied, change.MessageExtensionLapsed:
		return extensionMessage(c, e, p.Delivery.Ref.Message)
	case change.MessageSignOffDoubted, change.MessageSignOffUndone, change.MessageSignedOff:
		return signOffMessage(c, e, p.Delivery)
	case change.MessageBreach:
		return breachMessage(p)
	case change.MessageAccessLate:
		return accessLateMessage(c, e)
	case change.MessageTicketRefused:
		return ticketRefusedMessage(c, e)
	case change.MessageClosed:
		return closedMessage(c)
	case change.MessageStanding:
		return standingMessage(c)
	case change.MessageMergeRequestRefused:
		return mergeRequestRefusedMessage(c, e)
	case change.MessageIndependentReviewUndone:
		return independentReviewUndoneMessage(c, e)
	case change.MessageWaived:
		return waivedMessage(c, e)
	case change.MessageApproverAway:
		return approverAwayMessage(c, e)
	case change.MessageCoordinate:
		return coordinateMessage(c, p.Delivery)
	case change.MessageWitness: // it stands on a question, which is kept current: see ask
	case change.MessageSelfApproved:
		return selfApprovedMessage(c)
	case change.MessageSelfRefused:
		return selfRefusedMessage(c, e)
	case change.MessageIncidentDoubted:
		return incidentDoubtedMessage(c, e, p.Delivery)
	case change.MessageIncidentNotOpened:
		return notOpenedMessage(c, e)
	}
	return nil
}

// about reminds the reader which change a message is about.
func (m *message) about(c *change.Change) {
	m.say("*Change:* "+oneLine(c.What, roomForCard), "*Where:* "+accessWords(c))
}

// approvedMessage tells that the access is on its way.
func approvedMessage(c *change.Change) *message {
	m := heading(c, "approved")
	line := "Approved"
	if by := approvedByWords(c); by != "" {
		line += " by " + by
	}
	if c.Access == nil {
		line += ". No access is given through breakglass; you may begin."
	} else {
		line += ", for " + lengthWords(c) + ". The access is on its way; you will be told when it is there."
	}
	m.say(line)
	m.about(c)
	m.notify(c, line)
	return m
}

// activeMessage tells how to use the access, and when it ends.
func (w Words) activeMessage(c *change.Change) *message {
	m := heading(c, "active")
	line := "You may make the change now, until " + moment(c.Window.Until) + "."
	if c.Access != nil {
		line = "You have " + accessWords(c) + " until " + moment(c.Window.Until) + "."
	}
	m.say(line, "*Change:* "+oneLine(c.What, roomForCard), "When you are done, press *Finish*.")
	m.say(w.howToEnter(c)...)
	m.say(accessLines(c)...)
	m.buttons(primary(button(actionFinish, "Finish", buttonKey{Number: c.Number})), extendIfAccess(c))
	m.notify(c, line)
	return m
}

// howToEnter says how the access is used.
func (w Words) howToEnter(c *change.Change) []string {
	a := c.Access
	if a == nil {
		return nil
	}
	var lines []string
	if w.PortalURL != "" {
		lines = append(lines, "*In the browser:* "+reference(w.PortalURL, "AWS access portal"))
	}
	return append(lines,
		"*On the command line:* `aws sso login`",
		"*Account:* "+escaped(a.Key.AccountID)+" ("+oneLine(a.TargetName, roomForName)+")",
		"*Permission set:* "+oneLine(a.PermissionSetName, roomForName))
}

// endWarnedMessage tells that the time is nearly over.
func endWarnedMessage(c *change.Change) *message {
	m := heading(c, "ends soon")
	line := "It ends " + moment(c.Window.Until) + ", and the access with it."
	m.say(line)
	m.about(c)
	m.buttons(extendIfAccess(c), button(actionFinish, "Finish", buttonKey{Number: c.Number}))
	m.notify(c, line)
	return m
}

// endedMessage tells what is owed now.
func endedMessage(c *change.Change, e change.Event) *message {
	topic, line := "ended", "It has ended"
	switch {
	case c.Report != nil:
		topic, line = "reported", "It is recorded as reported"
	case e.Fact("how") == "evidence":
		line += ": " + evidenceWords(c)
	case c.Window.EndedBy != "":
		line += ", by " + mention(c.Window.EndedBy)
	}
	line += "."
	m := heading(c, topic)
	m.say(line)
	m.say(accessLines(c)...)
	m.about(c)
	m.say("*Recorded* " + recordWords(c))
	m.say(mergeRequestLines(c, shownMergeRequests)...)
	m.say(headed("Still owed", owing(c))...)
	m.buttons(dutyButtons(c)...)
	m.notify(c, line+" What is owed now: "+owedShort(c)+".")
	return m
}

// owedShort lists what is owed, for a notification.
func owedShort(c *change.Change) string {
	s := ""
	for _, o := range c.Owing() {
		if s != "" {
			s += ", "
		}
		s += obligationWords(o)
		if !o.Due.IsZero() {
			s += " by " + moment(o.Due)
		}
	}
	if s == "" {
		return "nothing"
	}
	return s
}

// overMessage tells why nothing comes of a request, and lets its people ask again.
func overMessage(c *change.Change, e change.Event, d change.Delivery) *message {
	topic, line := "withdrawn", by(e)+" ended it before any access was given."
	if c.Own(e.Actor) {
		line = by(e) + " withdrew it; no access was given."
	}
	switch d.Ref.Message { //nolint:exhaustive // the ends of a request
	case change.MessageDenied:
		topic, line = "denied", by(e)+" denied it."
	case change.MessageLapsed:
		topic, line = "lapsed", "Nobody decided in time, so the request has lapsed."
	case change.MessageFailed:
		topic, line = "failed", "No access was given: "+oneLine(c.Reply, 500)
	}
	m := heading(c, topic)
	m.say(line)
	text := line
	if d.Ref.Message == change.MessageDenied {
		m.quote("Why", c.Reply, roomForText)
		text += " Why: " + oneLine(c.Reply, roomInText)
	}
	m.about(c)
	if c.Own(d.To) {
		m.buttons(button(actionAskAgain, "Ask again", buttonKey{Number: c.Number}))
	}
	m.notify(c, text)
	return m
}

func closedMessage(c *change.Change) *message {
	m := heading(c, "closed")
	line := "Everything is done: the access is gone and nothing is owed any more."
	m.say(line)
	m.say(links(c)...)
	m.buttons(button(actionShow, "Show", buttonKey{Number: c.Number}))
	m.notify(c, line)
	return m
}

// standingMessage tells the approver that the access had been there before.
func standingMessage(c *change.Change) *message {
	m := heading(c, "standing access found")
	line := mention(c.Requester) + " had " + accessWords(c) + " before this change. It is left alone, and the end of the change removes nothing."
	m.say(line)
	key := buttonKey{Number: c.Number}
	m.buttons(button(actionMarkStanding, "Mark as standing", key), danger(button(actionEndAccess, "End access", key)), button(actionShow, "Show", key))
	m.notify(c, line)
	return m
}
