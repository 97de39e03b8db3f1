package slackapp

import (
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// waivedLine tells of a waiver.
func waivedLine(e change.Event) string {
	s := by(e) + " waived the " + owedName(e)
	if e.Fact("late") == "true" {
		s += ", which was overdue"
	}
	return s + "."
}

// waivedMessage tells the change's people that they need not do something.
func waivedMessage(c *change.Change, e change.Event) *message {
	m := heading(c, "waived")
	line := waivedLine(e) + " Nobody has to do it any more."
	m.say(line)
	m.quote("Why", e.Texts["reason"], roomForText)
	m.about(c)
	m.say(headed("Still owed", owing(c))...)
	m.buttons(dutyButtons(c)...)
	m.notify(c, line)
	return m
}

// waiveButton is absent where the reader may not waive what a message is about.
func waiveButton(p change.Posting) *slack.ButtonBlockElement {
	if !p.Waivable {
		return nil
	}
	ref := p.Delivery.Ref
	return button(actionWaive, "Waive", buttonKey{Number: p.Change.Number, Obligation: ref.Obligation, Item: ref.Item})
}

// firstUpper begins a text with a capital letter.
func firstUpper(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
