package slackapp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// ask is an approver's message, or that of a group in the card's thread. It is
// edited once somebody has decided, so that no dead button stays behind.
func (w Words) ask(p change.Posting) *message {
	c := &p.Change
	if p.Delivery.Ref.Message == change.MessageWitness {
		return witness(c, p.Delivery.To, p.Delivery.Ref.Ask)
	}
	i := slices.IndexFunc(c.Asks, func(a change.Ask) bool { return a.ID == p.Delivery.Ref.Ask })
	if i < 0 {
		return heading(c, "this question is not asked any more")
	}
	a := &c.Asks[i]
	m := heading(c, askTopic(a))
	if p.Group {
		m.say(w.groupLine(c, a, p))
	}
	m.say(askLine(c, a))
	if a.For == change.ForExtension {
		m.quote("Why more time", a.Why, roomForText)
	}
	m.say(askFacts(c)...)
	if a.For == change.ForChange {
		m.say(overdueLines(c, a)...)
		m.say(selfLines(c)...)
		m.say(incidentChecks(c)...)
	}
	m.texts(c, roomForText)
	m.say(alreadyThere(c, a), "*Recorded* "+recordWords(c))
	m.say(links(c)...)
	m.decided(c, a, p.Delivery.To)
	m.notify(c, askText(c, a))
	return m
}

func askTopic(a *change.Ask) string {
	topic := "your approval is asked for"
	if a.For == change.ForExtension {
		topic = "more time is asked for"
	}
	switch a.Result {
	case change.AskOpen:
		return topic
	case change.AskApproved, change.AskDenied, change.AskLapsed, change.AskWithdrawn:
		return string(a.Result)
	}
	return topic
}

// groupLine asks a group in the card's thread. It is mentioned as long as the
// question is open; an edit notifies nobody again.
func (w Words) groupLine(c *change.Change, a *change.Ask, p change.Posting) string {
	if !a.Open() {
		return ""
	}
	var who []string
	for _, rule := range c.Missing() {
		groups := rule.From
		if p.Delivery.Ref.Fallback {
			groups = rule.Fallback
		}
		for _, g := range groups {
			called := w.callGroup(g)
			if !slices.Contains(who, called) {
				who = append(who, called)
			}
		}
	}
	return "Any of these may decide: " + strings.Join(who, ", ")
}

// callGroup mentions a Slack user group, and names any other.
func (w Words) callGroup(g change.GroupID) string {
	if w.Usergroup != nil {
		if id := w.Usergroup(g); id != "" {
			return "<!subteam^" + escaped(id) + ">"
		}
	}
	return oneLine(string(g), 60)
}

// askLine is the question in one sentence.
func askLine(c *change.Change, a *change.Ask) string {
	by := mention(a.By)
	switch {
	case a.For == change.ForExtension && !a.Open(): // the end has moved since, or never will
		return by + " asked for " + askedLength(c, a) + " more: " + accessWords(c) + "."
	case a.For == change.ForExtension:
		return by + " asks for " + askedLength(c, a) + " more: " + accessWords(c) + ". It ends " + moment(c.Window.Until) +
			" now, and would end " + moment(c.Window.Until.Add(a.Duration)) + "."
	case c.Access == nil:
		return by + " asks to make a change, with " + accessWords(c) + "."
	}
	return by + " asks for " + accessWords(c) + ", for " + askedLength(c, a) + "."
}

// askFacts are what the question itself does not say.
func askFacts(c *change.Change) []string {
	lines := []string{"*Why not the release process:* " + oneLine(c.ReasonLabel, roomForName), statusLine(c)}
	if c.Implementer != c.Requester {
		lines = append(lines, "*Who makes it:* "+whoWords(c))
	}
	if words := coordinatorWords(c); words != "" {
		lines = append(lines, "*Coordinated with:* "+words)
	}
	if c.Again != 0 {
		lines = append(lines, "*Asks again for:* "+c.Again.String())
	}
	return lines
}

// askText is the notification: it says by itself who, what, where and how long.
func askText(c *change.Change, a *change.Ask) string {
	if !a.Open() {
		return strings.Replace(strings.TrimPrefix(resultWords(c, a), "*Decision:* "), "none; ", "nobody decided; ", 1)
	}
	if a.For == change.ForExtension {
		why := ""
		if a.Why != "" {
			why = " Why: " + oneLine(a.Why, roomInText) + "."
		}
		return fmt.Sprintf("%s asks for %s more: %s.%s The change: %s.", mention(a.By), change.ShortDuration(a.Duration),
			accessWords(c), why, oneLine(c.What, roomInText))
	}
	length := lengthWords(c)
	if c.Access != nil {
		length = change.ShortDuration(a.Duration)
	}
	overdue := ""
	if len(a.Overdue) > 0 {
		overdue = " " + overdueWords(c, a)
	}
	return fmt.Sprintf("%s asks: %s. Where: %s. How long: %s. %s Recorded %s.%s", mention(a.By), oneLine(c.What, roomInText),
		accessWords(c), length, alreadyThere(c, a), recordWords(c), overdue)
}

// alreadyThere says whether the person has this access now. That was looked up
// at the request, so it holds neither for an extension nor after the decision.
func alreadyThere(c *change.Change, ask *change.Ask) string {
	a := c.Access
	switch {
	case a == nil || ask.For == change.ForExtension || !ask.Open():
		return ""
	case a.AlreadyThere == nil:
		return "AWS did not say whether they have this access already."
	case *a.AlreadyThere:
		return "They have this access already."
	}
	return "They do not have this access now."
}

// decided adds the buttons while the question is open, and what came of it
// after.
func (m *message) decided(c *change.Change, a *change.Ask, to change.PersonID) {
	mine := to != "" && slices.Contains(approvedBy(a), to)
	if !a.Open() {
		m.say(resultWords(c, a), "*State now:* "+stateWords(c))
		if mine && c.Access != nil && (c.Phase == change.Approved || c.Phase == change.Active) {
			m.buttons(endNow(c))
		}
		return
	}
	if given := approvedBy(a); len(given) > 0 {
		m.say("Approved by " + mentions(given) + "; still needed: " + approversWords(c) + ".")
	}
	if mine {
		return
	}
	key := buttonKey{Number: c.Number, Ask: a.ID}
	approve := primary(button(actionApprove, "Approve", key)).WithConfirm(confirmation(c, a))
	deny := danger(button(actionDeny, "Deny", key))
	if a.For == change.ForExtension {
		m.buttons(approve, deny)
		return
	}
	var shorten *slack.ButtonBlockElement
	if c.Access != nil {
		shorten = button(actionChangeDuration, "Change duration", key)
	}
	m.buttons(approve, deny, shorten, button(actionShow, "Show", key))
}

// confirmation is asked before an approval, in plain text.
func confirmation(c *change.Change, a *change.Ask) *slack.ConfirmationBlockObject {
	what := "The change may then be made, without access through breakglass."
	if c.Access != nil {
		what = clip(c.Access.PermissionSetName, 80) + " in " + clip(c.Access.TargetName, 80) + ", for " + change.ShortDuration(a.Duration)
		if a.For == change.ForExtension {
			what += " more"
		}
		what += "."
	}
	if len(a.Overdue) > 0 && c.Plan.BlockWhenOverdue {
		what += " You are asked why: the record of " + clip(numbersOf(a.Overdue), 60) + " is overdue."
	}
	return slack.NewConfirmationBlockObject(plainObject("Approve "+c.Number.String()+"?", 100), plainObject(what, 300),
		plainObject("Approve", 30), plainObject("Not yet", 30))
}

// resultWords says who decided and when.
func resultWords(c *change.Change, a *change.Ask) string {
	switch a.Result {
	case change.AskApproved:
		s := "*Decision:* approved by " + givenBy(c, a) + ", " + moment(a.Settled)
		if a.Duration > 0 {
			s += ", for " + change.ShortDuration(a.Duration)
		}
		return s + "."
	case change.AskDenied:
		d, _ := denial(a)
		s := "*Decision:* denied by " + person(d.By) + ", " + moment(a.Settled)
		if d.Reason != "" {
			s += ": " + oneLine(d.Reason, 500)
		}
		return s
	case change.AskLapsed:
		return "*Decision:* none; it lapsed " + moment(a.Settled) + "."
	case change.AskWithdrawn, change.AskOpen:
	}
	if c.Phase == change.Withdrawn {
		return "*Decision:* none; the change was withdrawn " + moment(a.Settled) + "."
	}
	return "*Decision:* none; the change ended before anybody decided, " + moment(a.Settled) + "."
}
