package slackapp

import (
	"context"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// slackCall bounds one call of Slack's Web API.
const slackCall = 10 * time.Second

// Messenger makes Slack hold messages. Failed calls are answered as
// *change.OutsideError; one that wraps change.ErrNoPlace says that the message
// has nowhere to go.
type Messenger struct {
	api   *slack.Client
	words Words

	mu      sync.Mutex
	directs map[change.PersonID]string // channels of direct messages; as many as there are people
}

// NewMessenger takes a client that repeats nothing after a broken connection: a
// message might be posted twice. NewClient makes such a one.
func NewMessenger(api *slack.Client, words Words) *Messenger {
	return &Messenger{api: api, words: words, directs: map[change.PersonID]string{}}
}

// Write posts p, or edits the message that p.External names, and answers where
// it stands: "" when there is nothing to show or no channel for it. When a post
// may have been sent before, it looks for that first. A message that somebody
// deleted is posted anew.
func (m *Messenger) Write(ctx context.Context, p change.Posting) (external string, err error) {
	msg := m.words.render(p)
	if msg == nil {
		return p.External, nil
	}
	if p.External != "" {
		err := m.edit(ctx, p.External, msg)
		if !isGone(err) {
			return p.External, err
		}
	}
	at, err := m.place(ctx, p)
	if err != nil || at.channel == "" {
		return "", err
	}
	if !p.Since.IsZero() {
		found, err := m.search(ctx, at, p)
		if err != nil {
			return "", err
		}
		if found != "" {
			return m.found(ctx, p, at, found, msg)
		}
	}
	return m.post(ctx, p, at, msg)
}

// found takes a message over whose reply was lost. It may show how things stood
// then.
func (m *Messenger) found(ctx context.Context, p change.Posting, at place, external string, msg *message) (string, error) {
	if p.Delivery.Mode == change.Once {
		return external, nil
	}
	err := m.edit(ctx, external, msg)
	if isGone(err) {
		return m.post(ctx, p, at, msg)
	}
	return external, err
}

// eventType marks the messages of breakglass, unseen by people.
const eventType = "breakglass"

// post sends a new message, marked so that it is found when the reply is lost.
func (m *Messenger) post(ctx context.Context, p change.Posting, at place, msg *message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, slackCall)
	defer cancel()
	options := append(msg.options(), slack.MsgOptionMetadata(slack.SlackMetadata{
		EventType: eventType, EventPayload: map[string]any{"delivery": deliveryMark(p), "change": p.Change.Number.String()},
	}))
	if at.thread != "" {
		options = append(options, slack.MsgOptionTS(at.thread))
	}
	channel, ts, err := m.api.PostMessageContext(ctx, at.channel, options...)
	if err != nil {
		m.forget(p.Delivery.To, at.channel)
		return "", failure("post a message", at.name, err)
	}
	return messageRef(channel, ts), nil
}

// edit replaces what a message shows: always text and blocks, for Slack drops
// blocks that are not sent.
func (m *Messenger) edit(ctx context.Context, external string, msg *message) error {
	channel, ts, ok := parseMessageRef(external)
	if !ok {
		return missing("edit a message", errBadReference)
	}
	ctx, cancel := context.WithTimeout(ctx, slackCall)
	defer cancel()
	if _, _, _, err := m.api.UpdateMessageContext(ctx, channel, ts, msg.options()...); err != nil {
		return failure("edit a message", "The channel "+channel, err)
	}
	return nil
}

// options are the message as slack-go takes it. Nothing in it unfurls.
func (m *message) options() []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(m.text, false), // what people typed in it is escaped already
		slack.MsgOptionBlocks(m.blocks...),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
	}
}

// Remove deletes a message. One that is gone already is no error.
func (m *Messenger) Remove(ctx context.Context, external string) error {
	channel, ts, ok := parseMessageRef(external)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, slackCall)
	defer cancel()
	if _, _, err := m.api.DeleteMessageContext(ctx, channel, ts); err != nil {
		if code := slackCode(err); code == "message_not_found" || code == "channel_not_found" {
			return nil
		}
		return failure("delete a message", "The channel "+channel, err)
	}
	return nil
}

// Retract sees to it that the message of p is not there: it is deleted where it
// stands, or looked for when a post may have been sent.
func (m *Messenger) Retract(ctx context.Context, p change.Posting) error {
	external := p.External
	if external == "" && !p.Since.IsZero() && (p.Card != "" || p.Delivery.Kind != change.DeliverThread) {
		at, err := m.place(ctx, p)
		if err != nil || at.channel == "" {
			return err
		}
		if external, err = m.search(ctx, at, p); err != nil {
			return err
		}
	}
	return m.Remove(ctx, external)
}

// Permalink gives the address of a message, for links from other systems. A
// message that is gone is change.Missing.
func (m *Messenger) Permalink(ctx context.Context, external string) (string, error) {
	channel, ts, ok := parseMessageRef(external)
	if !ok {
		return "", missing("link to a message", errBadReference)
	}
	ctx, cancel := context.WithTimeout(ctx, slackCall)
	defer cancel()
	link, err := m.api.GetPermalinkContext(ctx, &slack.PermalinkParameters{Channel: channel, Ts: ts})
	if err != nil {
		return "", failure("link to a message", "The channel "+channel, err)
	}
	return link, nil
}
