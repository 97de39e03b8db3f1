package slack

import (
	"context"
	"errors"
	"fmt"
)

// Element names an element on somebody's screen by where it stands, as a finger
// on the screen does. Click, Select and their like name it by what people read.
type Element struct {
	Channel, TS   string // the message it stands in; both empty for a view
	Home          bool   // it stands on the home tab; otherwise in the modal on top
	Block, Action string // block_id and action_id
}

// touched finds an element. Callers hold no lock.
func (p Person) touched(at Element) (s spot, err error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	var blocks []Block
	switch {
	case at.TS != "":
		m := p.w.findEphemeral(p.id, at.TS)
		if m == nil {
			m = p.w.find(at.Channel, at.TS)
		}
		if m == nil || p.w.channels[m.Channel] == nil || !p.w.channels[m.Channel].isMember(p.id) {
			return spot{}, errors.New("slack: the message is no longer there")
		}
		seen := m.copy()
		s.message, blocks = &seen, m.Blocks
	case at.Home:
		s.view = p.w.homes[p.id]
	default:
		s.view = p.w.top(p.id)
	}
	if s.message == nil {
		if s.view == nil {
			return spot{}, fmt.Errorf("slack: %s has no such view open", p.id)
		}
		blocks = s.view.Blocks
	}
	eachElement(blocks, func(b Block, e map[string]any) {
		if str(b, "block_id") == at.Block && str(e, "action_id") == at.Action {
			s.block, s.element = b, e
		}
	})
	if s.element == nil {
		return spot{}, errors.New("slack: what was pressed is no longer there")
	}
	return s, nil
}

// Press presses a button.
func (p Person) Press(ctx context.Context, at Element) error {
	s, err := p.touched(at)
	if err != nil {
		return err
	}
	if s.kind() != "button" {
		return fmt.Errorf("slack: a %s cannot be pressed", s.kind())
	}
	return p.told(ctx, s, nil)
}

// Put puts a value into an element, in Slack's own shape, such as
// {"selected_user": "U0ADA"}; a member that is null empties it. The choice of an
// overflow menu is told at once and kept nowhere.
func (p Person) Put(ctx context.Context, at Element, value map[string]any) error {
	s, err := p.touched(at)
	if err != nil {
		return err
	}
	if s.kind() == "overflow" {
		return p.told(ctx, s, map[string]any{"selected_option": value["selected_option"]})
	}
	key, _ := valueKeys(s.kind())
	if key == "" {
		return fmt.Errorf("slack: a %s holds no value", s.kind())
	}
	kept := emptyValue(s.element)
	if value[key] != nil {
		kept[key] = value[key]
	}
	return p.fill(ctx, s, kept)
}

// told tells the application of a touch that leaves nothing behind.
func (p Person) told(ctx context.Context, s spot, value map[string]any) error {
	payload, err := p.build(func(u *User) (Payload, error) {
		return p.w.actionPayload(u, s.message, s.view, s.block, s.element, value), nil
	})
	if err != nil {
		return err
	}
	_, err = p.w.act(ctx, KindInteractive, payload)
	return err
}

// Suggest types into a list that the application searches, and answers the
// options that it offers, as they came.
func (p Person) Suggest(ctx context.Context, at Element, query string) ([]map[string]any, error) {
	s, err := p.touched(at)
	if err != nil {
		return nil, err
	}
	return p.suggest(ctx, s, query)
}

// SayIn writes a message, in a thread when ts names one.
func (p Person) SayIn(channel, ts, text string) error {
	_, err := p.build(func(*User) (Payload, error) {
		if c := p.w.channels[channel]; c == nil || !c.isMember(p.id) {
			return nil, fmt.Errorf("slack: %s is not in %s", p.id, channel)
		}
		p.w.post(&Message{Channel: channel, ThreadTS: ts, User: p.id, Text: text})
		return nil, nil
	})
	return err
}

// OpenDM answers the person's direct messages with the bot, opened if they have
// not been yet.
func (p Person) OpenDM() (channel string, err error) {
	_, err = p.build(func(u *User) (Payload, error) {
		channel = p.w.dm(u.ID).ID
		return nil, nil
	})
	return channel, err
}
