package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// hub tells streams of what the page itself has changed.
type hub struct {
	mu      sync.Mutex
	changed chan struct{}
}

func (h *hub) wait() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

func (h *hub) bump() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.changed)
	h.changed = make(chan struct{})
}

const (
	lookEvery = time.Second           // for the clock, and for what falls due by it
	burst     = 40 * time.Millisecond // so long, changes are gathered before they are sent
)

// section is a part of what the page shows. Only sections that have changed are
// sent; each is whole, so nothing can drift apart.
type section struct {
	name  string
	value func(person string) any
}

func (h *Handler) sections() []section {
	return []section{
		{"clock", func(string) any { return h.clock() }},
		{"slack", h.screen},
		{"people", func(string) any { return h.people() }},
		{"aws", func(string) any { return h.aws() }},
		{"jira", func(string) any { return h.jira() }},
		{"incidents", func(string) any { return h.incidents() }},
		{"forges", func(string) any { return h.forges() }},
		{"github", func(string) any { return h.github() }},
		{"ledger", func(string) any { return h.ledgerView() }},
		{"trouble", func(string) any { return h.troubles() }},
	}
}

// live streams what one person sees, and what happens beside Slack, as
// Server-Sent Events: one for each section that has changed.
func (h *Handler) live(w http.ResponseWriter, r *http.Request) {
	person := r.URL.Query().Get("as")
	if _, known := h.opts.World.Slack.Screen(person); !known {
		http.Error(w, "There is no such person.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	sent := map[string][]byte{}
	for {
		world := h.opts.World
		slack, aws, jira, incidents, own := world.Slack.Changed(), world.AWS.Changed(), world.Jira.Changed(), world.IncidentIO.Changed(), h.hub.wait()
		gitlab, pulls := world.GitLab.Changed(), world.Pulls.Changed()
		for _, s := range h.sections() {
			body, err := json.Marshal(s.value(person))
			if err != nil || bytes.Equal(body, sent[s.name]) {
				continue // every section is plain data, which always marshals
			}
			sent[s.name] = body
			if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", s.name, body); err != nil {
				return // the page was closed
			}
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-slack:
		case <-aws:
		case <-jira:
		case <-incidents:
		case <-gitlab:
		case <-pulls:
		case <-own:
		case <-tick.C:
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(burst):
		}
	}
}

// clock is the time of everything, and whether it can be moved.
func (h *Handler) clock() any {
	return struct {
		Now     int64 `json:"now"` // milliseconds since 1970
		Movable bool  `json:"movable"`
	}{h.opts.Now().Truncate(lookEvery).UnixMilli(), h.opts.Forward != nil}
}
