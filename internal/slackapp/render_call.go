package slackapp

import (
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// witness asks somebody who was named whether they were on the emergency call.
// It is edited once they have said so, or once it no longer matters.
func witness(c *change.Change, to change.PersonID, askID int) *message {
	asked := c.OpenAsk()
	awaited := asked != nil && asked.ID == askID && c.AwaitsWitness(to)
	topic := "were you on the emergency call?"
	if !awaited {
		topic = "the emergency call"
	}
	m := heading(c, topic)
	by := mention(c.Requester)
	line := by + " says that you are on the emergency call with them, and wants to approve this change themselves."
	m.say(line)
	m.say("*Where:* "+accessWords(c), "*Why not the release process:* "+oneLine(c.ReasonLabel, roomForName))
	m.texts(c, roomForText)
	m.say(links(c)...)
	if awaited {
		m.say("*Say so only if you were on the call.* You confirm that, and nothing else; "+neededWords(c), callCount(c))
		key := buttonKey{Number: c.Number, Ask: askID}
		m.buttons(primary(button(actionOnCall, "I was on the call", key)), button(actionShow, "Show", key))
		m.notify(c, by+" names you as being on the emergency call for: "+oneLine(c.What, roomInText)+". Say so only if you were.")
		return m
	}
	m.say(selfLines(c)...)
	m.say("*State now:* " + stateWords(c))
	m.notify(c, "nothing is asked of you any more: "+phaseWords(c))
	return m
}

// neededWords says how many witnesses a self-approval needs.
func neededWords(c *change.Change) string {
	if n := c.Plan.SelfApproval.Witnesses; n != 1 {
		return "the word of " + strconv.Itoa(n) + " people is needed."
	}
	return "the word of one person is needed."
}

// callCount says who has confirmed and who has not yet.
func callCount(c *change.Change) string {
	var confirmed []change.PersonID
	for _, w := range c.Self.Confirmed {
		confirmed = append(confirmed, w.By)
	}
	var missing []change.PersonID
	for _, p := range c.Witnesses {
		if !slices.Contains(confirmed, p) {
			missing = append(missing, p)
		}
	}
	var parts []string
	if len(confirmed) > 0 {
		parts = append(parts, "*On the call, by their own word:* "+mentions(confirmed))
	}
	if len(missing) > 0 {
		parts = append(parts, "*Named, and not confirmed:* "+mentions(missing))
	}
	return strings.Join(parts, "\n")
}

// selfLines show a self-approval as what it is; nothing where none was asked for.
func selfLines(c *change.Change) []string {
	if c.Self == nil {
		return nil
	}
	ask := c.OpenAsk()
	line := "asked for, and never confirmed."
	switch {
	case !c.Self.At.IsZero():
		line = mention(c.Requester) + " approved this themselves" + onTheCall(c) + ", " + moment(c.Self.At) + "."
	case c.Self.Refused != "":
		line = oneLine(c.Self.Refused, 500)
	case ask != nil && ask.Quiet:
		line = mention(c.Requester) + " approves this themselves once the people on the call have confirmed it; " + neededWords(c)
		if !ask.EscalateAt.IsZero() {
			line += " The approvers are asked " + moment(ask.EscalateAt) + "."
		}
	case ask != nil && ask.For == change.ForChange:
		line = "not confirmed in time, so the approvers are asked as well."
	}
	return []string{"*Self-approval:* " + line, callCount(c)}
}

// onTheCall says that it was on the call, where somebody had to confirm that.
func onTheCall(c *change.Change) string {
	if len(c.Self.Confirmed) == 0 {
		return ""
	}
	return " on the emergency call"
}

// selfGiven tells whether a question was answered by the requester's own yes.
func selfGiven(a *change.Ask) bool {
	return slices.ContainsFunc(a.Decisions, func(d change.Decision) bool { return d.Rule == change.SelfRule })
}

// givenBy names who approved a question. The requester's own yes is called that.
func givenBy(c *change.Change, a *change.Ask) string {
	if !selfGiven(a) || c.Self == nil {
		return mentions(approvedBy(a))
	}
	s := mention(c.Requester) + " themselves" + onTheCall(c)
	if n := len(c.Self.Confirmed); n > 0 {
		var witnesses []change.PersonID
		for _, w := range c.Self.Confirmed {
			witnesses = append(witnesses, w.By)
		}
		s += ", confirmed by " + mentions(witnesses)
	}
	return s
}

// approvedByWords names who approved the change; empty where nobody did.
func approvedByWords(c *change.Change) string {
	for _, a := range c.Asks {
		if a.For == change.ForChange && selfGiven(&a) {
			return givenBy(c, &a)
		}
	}
	if by := c.Approver(); by != "" {
		return mention(by)
	}
	return ""
}

// selfApprovedMessage tells whoever stands for the CTO of a self-approval.
func selfApprovedMessage(c *change.Change) *message {
	m := heading(c, "self-approved")
	var end *slack.ButtonBlockElement
	if c.Phase == change.Approved || c.Phase == change.Active {
		end = endNow(c)
	}
	show := button(actionShow, "Show", buttonKey{Number: c.Number})
	line := mention(c.Requester) + " approved this change themselves."
	if by := approvedByWords(c); by != "" {
		line = "Approved by " + by + "."
	}
	m.say(line)
	m.say(selfLines(c)...)
	m.about(c)
	m.texts(c, roomForCard)
	m.say(links(c)...)
	m.buttons(end, show)
	m.notify(c, line+" The change: "+oneLine(c.What, roomInText))
	return m
}

// selfRefusedMessage tells the requester that the approvers decide after all.
func selfRefusedMessage(c *change.Change, e change.Event) *message {
	m := heading(c, "no self-approval")
	line := said(e)
	m.say(line)
	m.about(c)
	if c.OpenAsk() != nil {
		m.say("*Next:* " + nextWords(c))
	}
	m.notify(c, line)
	return m
}

// callLine tells of a self-approval and of the people on the call.
func callLine(c *change.Change, e change.Event) string {
	switch e.Type { //nolint:exhaustive // other families tell the others
	case change.EventSelfApprovalRefused:
		return "No self-approval: " + said(e)
	case change.EventCallConfirmed:
		return by(e) + " said that they were on the emergency call."
	case change.EventSelfApproved:
		if c.Self == nil {
			return "Self-approved."
		}
		return "Self-approved: by " + givenBy(c, &change.Ask{Decisions: []change.Decision{{Rule: change.SelfRule}}}) + "."
	case change.EventApprovedOverdue:
		return by(e) + " approved it although the record of " + escaped(strings.Join(listed(e, "overdue"), ", ")) + " is overdue."
	case change.EventIncidentDoubted:
		return doubtWords(c, e)
	}
	return ""
}

// listed is a fact that holds a list, as it was written or as JSON gives it back.
func listed(e change.Event, fact string) []string {
	var words []string
	switch all := e.Facts[fact].(type) {
	case []string:
		return all
	case []any:
		for _, v := range all {
			if s, ok := v.(string); ok {
				words = append(words, s)
			}
		}
	}
	return words
}
