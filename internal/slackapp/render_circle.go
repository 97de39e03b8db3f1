package slackapp

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// coordinatorWords names who coordinates a change with its approvers; empty
// where its kind asks for nobody.
func coordinatorWords(c *change.Change) string {
	switch {
	case len(c.Plan.CoordinateWith) == 0:
		return ""
	case len(c.Coordinators) == 0 && (c.Phase == change.Requested || c.Phase == change.Approved || c.Phase == change.Active):
		return names(c.Plan.CoordinateWith) + " (nobody was found there yet; looked up again)"
	case len(c.Coordinators) == 0:
		return names(c.Plan.CoordinateWith) + " (nobody was found there)"
	}
	return mentions(c.Coordinators) + " (" + names(c.Plan.CoordinateWith) + ")"
}

func coordinatedLine(c *change.Change) string {
	return mentions(c.Coordinators) + " coordinates it with the approvers."
}

// coordinateMessage tells somebody that they coordinate a change: what, who asks
// for it, and who approves it.
func coordinateMessage(c *change.Change, d change.Delivery) *message {
	m := heading(c, "you coordinate this change")
	with := approversWords(c)
	if c.OpenAsk() == nil {
		with = "the approvers"
		if by := c.Approver(); by != "" {
			with = mention(by) + ", who approved it"
		}
	}
	line := "You coordinate this with " + with + "."
	if others := without(c.Coordinators, d.To); len(others) > 0 {
		line += " So does " + mentions(others) + "."
	}
	m.say(line, "*State:* "+stateWords(c), "*Who:* "+whoWords(c), "*Why not the release process:* "+oneLine(c.ReasonLabel, roomForName), "*Where:* "+accessWords(c))
	m.texts(c, roomForText)
	m.say(links(c)...)
	m.buttons(button(actionShow, "Show", buttonKey{Number: c.Number}))
	m.notify(c, "you coordinate this. "+mention(c.Requester)+" asks: "+oneLine(c.What, roomInText))
	return m
}

func without(all []change.PersonID, p change.PersonID) []change.PersonID {
	var rest []change.PersonID
	for _, x := range all {
		if x != p {
			rest = append(rest, x)
		}
	}
	return rest
}

// pausedWords says until when somebody's notifications are paused, in the time
// zone of whoever reads it.
func pausedWords(p change.PersonID, until time.Time) string {
	return mention(p) + " has notifications paused until " + moment(until)
}

func awayLine(e change.Event) string {
	return person(change.PersonID(e.Fact("person"))) + " was asked and has notifications paused until " + stamped(e, "until") + "."
}

// approverAwayMessage tells the requester that somebody who was asked will not
// notice for some time.
func approverAwayMessage(c *change.Change, e change.Event) *message {
	m := heading(c, "an approver has notifications paused")
	line := awayLine(e)
	m.say(line)
	if a := c.OpenAsk(); a != nil {
		m.say("*Asked:* " + approversWords(c) + ".")
	}
	m.about(c)
	m.buttons(button(actionShow, "Show", buttonKey{Number: c.Number}))
	m.notify(c, line)
	return m
}
