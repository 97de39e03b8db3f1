package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// marks counts how often each delivery was posted in Slack, deleted since or not.
type marks struct {
	mu     sync.Mutex
	posted map[string]string // a delivery's mark to what it said first
	twice  []string
}

func markSlack(w *sandbox.World) *marks {
	m := &marks{posted: map[string]string{}}
	w.Slack.Subscribe(m.take)
	return m
}

func (m *marks) take(e slack.Event) {
	if e.Kind != slack.Posted || e.Message.Ephemeral || e.Message.Metadata == nil {
		return
	}
	id := fmt.Sprint(e.Message.Metadata.EventPayload["delivery"])
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, again := m.posted[id]; again {
		m.twice = append(m.twice, fmt.Sprintf("delivery %s was posted twice: %q and %q", id, before, e.Message.Text))
	}
	m.posted[id] = e.Message.Text
}

// again lists what was posted more than once.
func (m *marks) again() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.twice
}

// copies lists what stands more than once in Jira and incident.io.
func copies(w *sandbox.World) []string {
	once := map[string]int{}
	for _, i := range w.Jira.Issues() {
		if len(i.Labels) > 0 {
			once["ticket "+i.Labels[0]]++
		}
		for _, c := range i.Comments {
			if c.Author == sandbox.JiraBot && !strings.Contains(c.Body, "a confidential change") {
				once["comment on "+i.Key+": "+c.Body]++
			}
		}
		for _, l := range i.Links {
			once["link of "+i.Key+" to "+l.GlobalID]++
		}
	}
	for _, in := range w.IncidentIO.Incidents() {
		for _, n := range w.IncidentIO.Timeline(in.ID) {
			if !strings.Contains(n.Title, "a confidential change") { // which says no more, however often something happens to it
				once["note in "+in.ID+": "+n.Title+n.Description]++
			}
		}
		for _, f := range w.IncidentIO.FollowUps(in.ID) {
			once["follow-up of "+in.ID+": "+f.Title+f.Description]++
		}
	}
	var all []string
	for what, n := range once {
		if n > 1 {
			all = append(all, fmt.Sprintf("%d times: %s", n, what))
		}
	}
	return all
}
