package slack

import (
	"cmp"
	"slices"
)

// Screen is everything that one person sees.
type Screen struct {
	Person   User
	Channels []ChannelOnScreen
	Home     *View // nil: nothing has been published
	Modal    *View // the one on top; nil: none is open
	Under    int   // modals below it
}

// ChannelOnScreen is a channel, or the direct messages with the bot, as one
// person sees it.
type ChannelOnScreen struct {
	Channel
	Direct bool
	// Messages holds replies in threads and what only this person sees too,
	// oldest first.
	Messages []Message
	// Chosen is what the person has chosen in messages: by ts, then in the shape
	// of View.State.
	Chosen map[string]map[string]map[string]map[string]any
}

// Screen answers what somebody sees, all of one moment. ok is false when there
// is no such person.
func (w *Workspace) Screen(user string) (s Screen, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.users[user]
	if u == nil {
		return Screen{}, false
	}
	s = Screen{Person: *u, Under: max(0, len(w.modals[user])-1)}
	for _, c := range w.channels {
		if c.isMember(user) && !c.Archived {
			s.Channels = append(s.Channels, w.onScreen(c, user))
		}
	}
	slices.SortFunc(s.Channels, func(a, b ChannelOnScreen) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	if v := w.homes[user]; v != nil {
		home := v.copy()
		s.Home = &home
	}
	if v := w.top(user); v != nil {
		modal := v.copy()
		s.Modal = &modal
	}
	return s, true
}

// onScreen answers a channel as somebody sees it. Callers hold mu.
func (w *Workspace) onScreen(c *Channel, user string) ChannelOnScreen {
	out := ChannelOnScreen{Channel: *c, Direct: c.im != "", Chosen: map[string]map[string]map[string]map[string]any{}}
	see := func(m *Message) {
		if m.Deleted || m.Channel != c.ID {
			return
		}
		out.Messages = append(out.Messages, m.copy())
		if chosen := w.draft(user, m); len(chosen) > 0 {
			out.Chosen[m.TS] = chosen
		}
	}
	for _, m := range w.messages[c.ID] {
		see(m)
	}
	for _, m := range w.ephemerals[user] {
		see(m)
	}
	slices.SortStableFunc(out.Messages, func(a, b Message) int { return cmp.Compare(a.TS, b.TS) })
	return out
}

// Users lists everybody, the bot too, in the order in which they joined.
func (w *Workspace) Users() []User {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]User, 0, len(w.userOrder))
	for _, id := range w.userOrder {
		all = append(all, *w.users[id])
	}
	return all
}

// Usergroups lists the groups of people.
func (w *Workspace) Usergroups() []Usergroup {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]Usergroup, 0, len(w.groups))
	for _, g := range w.groups {
		all = append(all, *g)
	}
	return all
}
