package web

import (
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// The page's picture of what one person sees in Slack. Blocks and values pass
// through as they came over the wire: the page renders them as Slack does.
type (
	screenView struct {
		Me       string        `json:"me"`
		Zone     string        `json:"zone"` // IANA name, such as Europe/Berlin
		Command  string        `json:"command"`
		Channels []channelView `json:"channels"`
		Home     *viewView     `json:"home"`
		Modal    *viewView     `json:"modal"`
		Under    int           `json:"under"`
	}
	channelView struct {
		ID       string        `json:"id"`
		Name     string        `json:"name"`
		Private  bool          `json:"private"`
		Direct   bool          `json:"direct"`
		Messages []messageView `json:"messages"`
	}
	messageView struct {
		TS        string        `json:"ts"`
		Thread    string        `json:"thread,omitempty"`
		Broadcast bool          `json:"broadcast,omitempty"`
		User      string        `json:"user"`
		Text      string        `json:"text"`
		Blocks    []slack.Block `json:"blocks,omitempty"`
		Edited    bool          `json:"edited,omitempty"`
		Ephemeral bool          `json:"ephemeral,omitempty"`
		State     values        `json:"state,omitempty"`
	}
	viewView struct {
		ID     string            `json:"id"`
		Hash   string            `json:"hash"`
		Title  string            `json:"title"`
		Submit string            `json:"submit"` // empty: cannot be submitted
		Close  string            `json:"close"`
		Blocks []slack.Block     `json:"blocks"`
		State  values            `json:"state"`
		Errors map[string]string `json:"errors"` // by block_id
	}
	values = map[string]map[string]map[string]any
)

func (h *Handler) screen(person string) any {
	s, ok := h.opts.World.Slack.Screen(person)
	if !ok {
		return nil
	}
	out := screenView{Me: person, Zone: s.Person.TZ, Command: command, Home: view(s.Home), Modal: view(s.Modal), Under: s.Under, Channels: []channelView{}}
	for _, c := range s.Channels {
		shown := channelView{ID: c.ID, Name: c.Name, Private: c.Private, Direct: c.Direct, Messages: []messageView{}}
		for _, m := range c.Messages {
			shown.Messages = append(shown.Messages, messageView{
				TS: m.TS, Thread: m.ThreadTS, Broadcast: m.Broadcast, User: m.User, Text: m.Text, Blocks: m.Blocks,
				Edited: len(m.Edits) > 0, Ephemeral: m.Ephemeral, State: c.Chosen[m.TS],
			})
		}
		out.Channels = append(out.Channels, shown)
	}
	return out
}

func view(v *slack.View) *viewView {
	if v == nil {
		return nil
	}
	return &viewView{ID: v.ID, Hash: v.Hash, Title: v.Title, Submit: v.SubmitLabel, Close: v.CloseLabel, Blocks: v.Blocks, State: v.State, Errors: v.Errors}
}

// The page's picture of who there is.
type (
	peopleView struct {
		People []personView `json:"people"`
		Groups []groupView  `json:"groups"`
	}
	personView struct {
		ID     string   `json:"id"`
		Name   string   `json:"name"`
		Cast   bool     `json:"cast"` // somebody whom a newcomer plays
		Guest  bool     `json:"guest"`
		Bot    bool     `json:"bot"`
		Direct []string `json:"direct"` // ts of what breakglass has written to them, for the unread mark
		Asked  bool     `json:"asked"`  // a form is open on their screen
	}
	groupView struct {
		ID     string `json:"id"`
		Handle string `json:"handle"`
	}
)

func (h *Handler) people() any {
	ws := h.opts.World.Slack
	out := peopleView{People: []personView{}, Groups: []groupView{}}
	users, byID := ws.Users(), map[string]slack.User{}
	for _, u := range users {
		byID[u.ID] = u
	}
	inCast := map[string]bool{}
	add := func(u slack.User) {
		p := personView{ID: u.ID, Name: u.RealName, Cast: inCast[u.ID], Guest: u.Restricted || u.UltraRestricted, Bot: u.Bot, Direct: []string{}}
		for _, m := range ws.DMs(u.ID) {
			if m.User != u.ID {
				p.Direct = append(p.Direct, m.TS)
			}
		}
		_, p.Asked = ws.View(u.ID)
		out.People = append(out.People, p)
	}
	for _, id := range sandbox.Cast() {
		inCast[id] = true
		if u, known := byID[id]; known {
			add(u)
		}
	}
	for _, u := range users {
		if !inCast[u.ID] && !u.Deactivated {
			add(u)
		}
	}
	for _, g := range ws.Usergroups() {
		out.Groups = append(out.Groups, groupView{g.ID, g.Handle})
	}
	return out
}
