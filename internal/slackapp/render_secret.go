package slackapp

import (
	"github.com/breakglass-bot/breakglass/internal/change"
)

// secretWords are all that is said of a confidential change to others.
func secretWords(c *change.Change) string { return c.Number.String() + ": confidential" }

// secret is a message about a confidential change where others may read it: its
// number, and a button that shows the rest to its own people. Whatever happens
// to the change, it stays the same; and such a change has no timeline in its
// thread.
func secret(p change.Posting) *message {
	switch p.Delivery.Kind { //nolint:exhaustive // the other deliveries are no messages
	case change.DeliverCard, change.DeliverAsk, change.DeliverDirect, change.DeliverReminder, change.DeliverSignOff, change.DeliverAudit:
		m := heading(&p.Change, "confidential")
		m.text = secretWords(&p.Change)
		m.buttons(button(actionShow, "Show", buttonKey{Number: p.Change.Number}))
		return m
	}
	return nil
}
