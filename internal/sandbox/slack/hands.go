package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Person is somebody's hands: what they do in Slack reaches the application as
// Slack would send it, signed and timed.
type Person struct {
	w  *Workspace
	id string
}

// Person answers the hands of a user of the workspace.
func (w *Workspace) Person(id string) Person { return Person{w: w, id: id} }

// ID answers the person's user id.
func (p Person) ID() string { return p.id }

// build makes a payload under the workspace's lock.
func (p Person) build(compose func(u *User) (Payload, error)) (out Payload, err error) {
	p.w.change(func() {
		u := p.w.users[p.id]
		if u == nil {
			err = fmt.Errorf("slack: no user %s", p.id)
			return
		}
		out, err = compose(u)
	})
	return out, err
}

// CommandPayload answers the fields of a slash command without sending it.
func (p Person) CommandPayload(channel, command, text string) (Payload, error) {
	return p.build(func(u *User) (Payload, error) {
		c := p.w.channels[channel]
		if c == nil {
			return nil, fmt.Errorf("slack: no channel %s", channel)
		}
		return p.w.commandPayload(u, c, command, text), nil
	})
}

// Command types a slash command in a channel. What the application answers at
// once is shown to the person.
func (p Person) Command(ctx context.Context, channel, command, text string) (Reply, error) {
	payload, err := p.CommandPayload(channel, command, text)
	if err != nil {
		return Reply{}, err
	}
	r, err := p.w.act(ctx, KindCommand, payload)
	if err != nil || strings.TrimSpace(string(r.Body)) == "" {
		return r, err
	}
	a := args{}
	if json.Unmarshal(r.Body, &a) != nil {
		a = args{"text": string(r.Body)} // anything else is shown as it is
	}
	var ans answer
	p.w.change(func() {
		ans = p.w.respond("ack slash_commands", &responseURL{user: p.id, channel: channel}, a)
		if ans.fault != "" {
			p.w.violate("ack slash_commands", "%s: %s", ans.err, ans.fault)
		}
	})
	if ans.err != "" {
		return r, fmt.Errorf("slack: the answer to %s cannot be shown: %s", command, ans.err)
	}
	return r, nil
}

// ClickPayload answers the payload of a click without sending it; button is as
// in Click.
func (p Person) ClickPayload(m Message, button string) (Payload, error) {
	return p.build(func(u *User) (Payload, error) {
		b, e, err := findButton(m.Blocks, button)
		if err != nil {
			return nil, err
		}
		return p.w.actionPayload(u, &m, nil, b, e, nil), nil
	})
}

// Click presses a button of a message, known by its text, action_id or value,
// and confirms if it asks. The message is clicked as it was when it was looked
// at: an old copy is a click by somebody whose screen is behind.
func (p Person) Click(ctx context.Context, m Message, button string) error {
	payload, err := p.ClickPayload(m, button)
	if err != nil {
		return err
	}
	_, err = p.w.act(ctx, KindInteractive, payload)
	return err
}

// ClickInView presses a button of the modal on top.
func (p Person) ClickInView(ctx context.Context, button string) error {
	return p.clickView(ctx, button, func() *View { return p.w.top(p.id) })
}

// ClickAtHome presses a button of the home tab.
func (p Person) ClickAtHome(ctx context.Context, button string) error {
	return p.clickView(ctx, button, func() *View { return p.w.homes[p.id] })
}

// ClickAtHomePayload answers the payload of a press at home without sending it.
func (p Person) ClickAtHomePayload(button string) (Payload, error) {
	return p.viewPayload(button, func() *View { return p.w.homes[p.id] })
}

func (p Person) viewPayload(button string, view func() *View) (Payload, error) {
	return p.build(func(u *User) (Payload, error) {
		v := view()
		if v == nil {
			return nil, fmt.Errorf("slack: %s has no such view open", p.id)
		}
		b, e, err := findButton(v.Blocks, button)
		if err != nil {
			return nil, err
		}
		return p.w.actionPayload(u, nil, v, b, e, nil), nil
	})
}

func (p Person) clickView(ctx context.Context, button string, view func() *View) error {
	payload, err := p.viewPayload(button, view)
	if err != nil {
		return err
	}
	_, err = p.w.act(ctx, KindInteractive, payload)
	return err
}

// findButton finds the one button with this text, action_id or value.
func findButton(blocks []Block, name string) (block Block, button map[string]any, err error) {
	var labels []string
	hits := 0
	eachElement(blocks, func(b Block, e map[string]any) {
		if str(e, "type") != "button" {
			return
		}
		labels = append(labels, textOf(e["text"]))
		if name == textOf(e["text"]) || name == str(e, "action_id") || name == str(e, "value") {
			hits++
			block, button = b, e
		}
	})
	switch {
	case hits == 0:
		return nil, nil, fmt.Errorf("slack: no button %q; there are %q", name, labels)
	case hits > 1:
		return nil, nil, fmt.Errorf("slack: %d buttons %q: name one by its action_id or value", hits, name)
	}
	return block, button, nil
}

// Say writes a message; the application hears of it only by reading. It panics
// when there is no such channel.
func (p Person) Say(channel, text string) Message {
	var out Message
	p.w.change(func() {
		if p.w.channels[channel] == nil {
			panic("slack: no channel " + channel)
		}
		out = p.w.post(&Message{Channel: channel, User: p.id, Text: text}).copy()
	})
	return out
}

// Mention writes a message that mentions the application, which is told.
func (p Person) Mention(ctx context.Context, channel, text string) error {
	text = "<@" + p.w.opt.BotUserID + "> " + text
	payload, err := p.build(func(u *User) (Payload, error) {
		c := p.w.channels[channel]
		if c == nil || c.BotNotMember {
			return nil, fmt.Errorf("slack: the application is not in %s", channel)
		}
		m := p.w.post(&Message{Channel: channel, User: p.id, Text: text})
		return p.w.eventPayload(u, map[string]any{
			"type": "app_mention", "user": u.ID, "text": text, "ts": m.TS, "channel": channel, "team": u.TeamID,
		}), nil
	})
	if err != nil {
		return err
	}
	return p.w.event(ctx, payload)
}

// HomePayload answers the event of opening the home tab without sending it.
func (p Person) HomePayload() (Payload, error) {
	return p.build(func(u *User) (Payload, error) {
		event := map[string]any{"type": "app_home_opened", "user": u.ID, "channel": p.w.dm(u.ID).ID, "tab": "home"}
		if v := p.w.homes[u.ID]; v != nil {
			event["view"] = p.w.wireView(v)
		}
		return p.w.eventPayload(u, event), nil
	})
}

// OpenHome opens the application's home tab, which the application is told of.
func (p Person) OpenHome(ctx context.Context) error {
	payload, err := p.HomePayload()
	if err != nil {
		return err
	}
	return p.w.event(ctx, payload)
}

// eventRetries is how often Slack repeats an event that was not acknowledged.
const eventRetries = 3

// event delivers an event, repeating it as Slack does but without the waiting.
func (w *Workspace) event(ctx context.Context, p Payload) error {
	var seals []Seal
	for n := 1; ; n++ {
		r, err := w.Deliver(ctx, KindEvent, p, seals...)
		if err == nil && r.Status == http.StatusOK {
			return nil
		}
		reason := "http_error"
		if err == nil {
			err = fmt.Errorf("events_api: the application answered status %d", r.Status)
		} else if errors.Is(err, errLate) {
			reason = "http_timeout"
		}
		if n > eventRetries || ctx.Err() != nil {
			if reason == "http_timeout" || r.Status != 0 {
				w.change(func() { w.violate("ack events_api", "given up after %d attempts: %v", n, err) })
			}
			return err
		}
		seals = []Seal{WithHeader("X-Slack-Retry-Num", strconv.Itoa(n)), WithHeader("X-Slack-Retry-Reason", reason)}
	}
}

// VerifyURL asks the application to prove that its events URL is its own, as
// Slack does when the URL is configured.
func (w *Workspace) VerifyURL(ctx context.Context) error {
	challenge := secretID()
	r, err := w.Deliver(ctx, KindEvent, Payload{"type": "url_verification", "token": "legacy-fixed-value", "challenge": challenge})
	if err != nil {
		return err
	}
	var said struct {
		Challenge string `json:"challenge"`
	}
	if r.Status != http.StatusOK || json.Unmarshal(r.Body, &said) != nil && strings.TrimSpace(string(r.Body)) != challenge ||
		said.Challenge != "" && said.Challenge != challenge {
		w.change(func() { w.violate("url_verification", "status %d without the challenge", r.Status) })
		return fmt.Errorf("url_verification: status %d without the challenge", r.Status)
	}
	return nil
}
