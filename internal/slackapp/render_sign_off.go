package slackapp

import (
	"slices"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// signOff is a signer's message, edited once the record is signed off.
func signOff(p change.Posting) *message {
	c := &p.Change
	o := c.Owes(change.OweSignOff, 0)
	if o == nil {
		return heading(c, "no sign-off is needed any more")
	}
	if o.State != change.Owed {
		m := heading(c, "sign-off "+string(o.State))
		m.say(signedWords(c, o))
		m.say(recordFacts(c)...)
		m.notify(c, signedWords(c, o))
		return m
	}
	m := heading(c, "your sign-off is asked for")
	m.say(signOffLine(c, o))
	m.say(recordFacts(c)...)
	m.quote("What was done", c.Record.Done, roomForText)
	m.quote("Why", c.Record.Why, roomForText)
	m.small(howToSign(c))
	m.buttons(signButton(c), button(actionShow, "Show", buttonKey{Number: c.Number}))
	text := signOffLine(c, o)
	if c.Record.Done != "" {
		text += " What was done: " + oneLine(c.Record.Done, roomInText)
	}
	m.notify(c, text)
	return m
}

func signOffLine(c *change.Change, o *change.Obligation) string {
	s := "The record of the change by " + mention(c.Implementer) + " needs your sign-off"
	if !o.Due.IsZero() {
		s += ", by " + moment(o.Due)
	}
	return s + "."
}

func recordFacts(c *change.Change) []string {
	lines := []string{"*Who:* " + whoWords(c), "*Where:* " + accessWords(c)}
	if c.Ticket != nil {
		lines = append(lines, "*Ticket:* "+reference(c.Ticket.URL, c.Ticket.Key))
	}
	if c.Record.NothingChanged {
		lines = append(lines, "Nothing was changed.")
	}
	return lines
}

// signedWords says who signed off, when and how.
func signedWords(c *change.Change, o *change.Obligation) string {
	s := "Signed off"
	if o.State == change.Waived {
		s = "The sign-off was waived"
	}
	if o.Proof.By != "" {
		s += " by " + person(o.Proof.By)
	}
	if !o.Done.IsZero() {
		s += ", " + moment(o.Done)
	}
	if o.Proof.Way == string(change.SignOffByJiraComment) && c.Ticket != nil {
		s += ", with a comment on " + reference(c.Ticket.URL, c.Ticket.Key)
	}
	return s + "."
}

// clickSigns tells whether a click signs off: where there is no ticket, always.
func clickSigns(c *change.Change) bool {
	return c.Ticket == nil || slices.Contains(c.Plan.SignOff.Accept, change.SignOffInSlack)
}

// signButton is absent where only a comment signs off.
func signButton(c *change.Change) *slack.ButtonBlockElement {
	if !clickSigns(c) {
		return nil
	}
	return primary(button(actionSignOff, "Sign off", buttonKey{Number: c.Number}))
}

// howToSign says how else to sign off.
func howToSign(c *change.Change) string {
	if c.Ticket == nil || !slices.Contains(c.Plan.SignOff.Accept, change.SignOffByJiraComment) {
		return ""
	}
	if clickSigns(c) {
		return "A comment of yours on " + reference(c.Ticket.URL, c.Ticket.Key) + " counts as well."
	}
	return "Sign off with a comment on " + reference(c.Ticket.URL, c.Ticket.Key) + "."
}
