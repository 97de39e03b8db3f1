package slackapp

import (
	"context"
	"errors"
	"strconv"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// place is where a message belongs. An empty channel means nowhere, and that
// this is as configured.
type place struct {
	channel string
	thread  string // the card's timestamp, of replies to it
	name    string // for people, to begin a sentence with
}

var errNoCard = errors.New("the card that this replies to is not posted yet")

// place finds where a message belongs.
func (m *Messenger) place(ctx context.Context, p change.Posting) (place, error) {
	switch {
	case p.Delivery.Kind == change.DeliverAudit, p.Delivery.Kind == change.DeliverDigest,
		p.Delivery.Kind == change.DeliverSeal, p.Delivery.Kind == change.DeliverFinding, p.Delivery.Kind == change.DeliverFindingNews:
		return inChannel(m.words.AuditChannel), nil
	case p.Delivery.Kind == change.DeliverThread, p.Group:
		channel, ts, ok := parseMessageRef(p.Card)
		if !ok {
			return place{}, &change.OutsideError{System: change.SystemSlack, Call: "reply to the card", Outcome: change.NotNow, Err: errNoCard}
		}
		at := inChannel(channel)
		at.thread = ts
		return at, nil
	case p.Delivery.To != "":
		channel, err := m.directChannel(ctx, p.Delivery.To)
		return place{channel: channel, name: "The direct messages of " + string(p.Delivery.To)}, err
	}
	return inChannel(m.words.Channel), nil
}

func inChannel(id string) place { return place{channel: id, name: "The channel " + id} }

// directChannel finds somebody's direct messages, and remembers them.
func (m *Messenger) directChannel(ctx context.Context, p change.PersonID) (string, error) {
	m.mu.Lock()
	known := m.directs[p]
	m.mu.Unlock()
	if known != "" {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, slackCall)
	defer cancel()
	channel, _, _, err := m.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{string(p)}})
	if err != nil {
		return "", failure("open direct messages", "The account "+string(p), err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.directs[p] = channel.ID
	return channel.ID, nil
}

// forget drops what is remembered of somebody's direct messages after a failure
// in them: the next try opens them again.
func (m *Messenger) forget(p change.PersonID, channel string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.directs[p] == channel {
		delete(m.directs, p)
	}
}

// deliveryMark is what marks the message of a delivery.
func deliveryMark(p change.Posting) string { return strconv.FormatInt(p.ID, 10) }
