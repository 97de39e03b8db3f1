package slackapp

import (
	"github.com/breakglass-bot/breakglass/internal/change"
)

// Words is what messages need of the configuration. Command is the slash
// command, such as /emergency; Channel is where changes are announced;
// AuditChannel and PortalURL may be empty. Usergroup gives the Slack user group
// behind a group, and nothing for any other; it may be nil.
type Words struct {
	Organization string
	ReleaseURL   string
	PortalURL    string // AWS's access portal
	Command      string
	Channel      string
	AuditChannel string
	Usergroup    func(change.GroupID) string
	People       map[change.PersonID]change.Identities // who is known elsewhere
}

// render writes the message that p is about, as it should stand now. It is pure.
// Nil means that there is nothing to show. Of a confidential change others see
// its number and no more, and nobody's notifications show anything else: they
// are seen on locked screens.
func (w Words) render(p change.Posting) *message {
	c := &p.Change
	if c.Confidential && (p.Outside || p.Delivery.To == "") {
		return secret(p)
	}
	m := w.open(p)
	if m != nil && c.Confidential {
		m.text = secretWords(c)
	}
	return m
}

// open writes a message for somebody who may see the change.
func (w Words) open(p change.Posting) *message {
	c := &p.Change
	switch p.Delivery.Kind { //nolint:exhaustive // the other deliveries are no messages
	case change.DeliverCard:
		return card(p)
	case change.DeliverThread:
		return w.threaded(c, p.Event)
	case change.DeliverAsk:
		return w.ask(p)
	case change.DeliverDirect:
		return w.direct(p)
	case change.DeliverReminder:
		return reminder(p)
	case change.DeliverSignOff:
		return signOff(p)
	case change.DeliverAudit:
		return audit(c, p.Event)
	case change.DeliverDigest:
		return w.digest(p)
	case change.DeliverSeal:
		return seal(p.Seal)
	case change.DeliverFinding, change.DeliverFindingNews:
		return finding(p)
	}
	return nil
}
