package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// seen is what there is to be seen in Slack, kept by change: a look costs what a
// change has, and not what all have.
type seen struct {
	world *sandbox.World

	mu       sync.Mutex
	byChange map[string][]*sight
	byPlace  map[string]*sight
	posted   map[string]string // delivery to what it said first
	twice    []string
}

// sight is one message as it stands.
type sight struct {
	message slack.Message
	text    string // as read by whom it is for
	gone    bool
}

func watchSlack(w *sandbox.World) *seen {
	s := &seen{world: w, byChange: map[string][]*sight{}, byPlace: map[string]*sight{}, posted: map[string]string{}}
	w.Slack.Subscribe(s.take)
	return s
}

func (s *seen) take(e slack.Event) {
	m := e.Message
	if m.Ephemeral || m.Metadata == nil {
		return
	}
	text := s.world.Slack.RenderMessage("", m)
	place := m.Channel + "/" + m.TS
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.byPlace[place]
	if at == nil {
		at = &sight{}
		s.byPlace[place] = at
		number := fmt.Sprint(m.Metadata.EventPayload["change"])
		s.byChange[number] = append(s.byChange[number], at)
	}
	at.message, at.text, at.gone = m, strings.ToLower(text), e.Kind == slack.Deleted
	if e.Kind != slack.Posted {
		return
	}
	id := fmt.Sprint(m.Metadata.EventPayload["delivery"])
	if before, again := s.posted[id]; again {
		s.twice = append(s.twice, fmt.Sprintf("delivery %s was posted twice: %q and %q", id, before, m.Text))
	}
	s.posted[id] = m.Text
}

// find is the newest message of a change in a channel that says something, or nil.
func (s *seen) find(number, channel, says string) *slack.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.byChange[number]
	for i := len(all) - 1; i >= 0; i-- {
		if at := all[i]; !at.gone && at.message.Channel == channel && strings.Contains(at.text, strings.ToLower(says)) {
			m := at.message
			return &m
		}
	}
	return nil
}
