package slack

import (
	"fmt"
	"slices"
	"time"
)

// User is an account as Slack knows it.
type User struct {
	ID              string
	TeamID          string // default: the workspace's own; another's for somebody in a shared channel
	Name            string // default: the id
	RealName        string // default: Name
	Email           string
	TZ              string // default UTC
	Bot             bool
	Deactivated     bool
	Restricted      bool // a guest
	UltraRestricted bool // a guest of one channel
	Stranger        bool // from another workspace
	Admin           bool

	dndFrom, dndTo time.Time
	snoozed        time.Time // until then
}

// Usergroup is a group of people, such as @cto.
type Usergroup struct {
	ID       string
	Handle   string
	Name     string
	Members  []string
	Disabled bool
}

// Channel is a public or private channel, or a direct message with the bot.
type Channel struct {
	ID           string
	Name         string
	Private      bool
	Archived     bool
	BotNotMember bool
	Members      []string // nil: everybody
	Shared       bool     // with another workspace

	im string // whose direct messages these are
}

func (w *Workspace) addUser(u User) {
	setDefault(&u.TeamID, w.opt.TeamID)
	setDefault(&u.Name, u.ID)
	setDefault(&u.RealName, u.Name)
	setDefault(&u.TZ, "UTC")
	if _, known := w.users[u.ID]; !known {
		w.userOrder = append(w.userOrder, u.ID)
	}
	w.users[u.ID] = &u
}

// PutUser adds somebody, or replaces what is known of them.
func (w *Workspace) PutUser(u User) { w.change(func() { w.addUser(u) }) }

// SetDoNotDisturb mutes somebody's notifications between two moments.
func (w *Workspace) SetDoNotDisturb(user string, from, to time.Time) {
	w.change(func() {
		if u := w.users[user]; u != nil {
			u.dndFrom, u.dndTo = from, to
		}
	})
}

// Snooze pauses somebody's notifications until a moment, as they do by hand.
func (w *Workspace) Snooze(user string, until time.Time) {
	w.change(func() {
		if u := w.users[user]; u != nil {
			u.snoozed = until
		}
	})
}

// PutUsergroup adds a group, or replaces the one with this id.
func (w *Workspace) PutUsergroup(g Usergroup) {
	w.change(func() {
		w.groups = slices.DeleteFunc(w.groups, func(o *Usergroup) bool { return o.ID == g.ID })
		w.groups = append(w.groups, &g)
	})
}

// PutChannel adds a channel, or replaces what is known of it.
func (w *Workspace) PutChannel(c Channel) { w.change(func() { w.channels[c.ID] = &c }) }

// dm answers the direct-message channel of somebody and the bot, opened if it
// has not been yet. Callers hold mu.
func (w *Workspace) dm(user string) *Channel {
	for _, c := range w.channels {
		if c.im == user {
			return c
		}
	}
	c := &Channel{ID: w.id("D"), Name: "directmessage", im: user}
	w.channels[c.ID] = c
	return c
}

// isMember tells whether somebody can see the channel. Callers hold mu.
func (c *Channel) isMember(user string) bool {
	if c.im != "" {
		return c.im == user
	}
	return c.Members == nil || slices.Contains(c.Members, user)
}

// DMChannel answers the id of somebody's direct messages with the bot, or "" if
// none were ever opened.
func (w *Workspace) DMChannel(user string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.channels {
		if c.im == user {
			return c.ID
		}
	}
	return ""
}

// channelName answers how a payload names the channel.
func (c *Channel) payloadName() string {
	switch {
	case c.im != "":
		return "directmessage"
	case c.Private:
		return "privategroup"
	default:
		return c.Name
	}
}

// location answers the reader's time zone, UTC when unknown. Callers hold mu.
func (w *Workspace) location(user string) *time.Location {
	if u := w.users[user]; u != nil {
		if l, err := time.LoadLocation(u.TZ); err == nil {
			return l
		}
	}
	return time.UTC
}

// userName answers how a mention of somebody is shown. Callers hold mu.
func (w *Workspace) userName(id string) string {
	if u := w.users[id]; u != nil {
		return u.RealName
	}
	return id
}

func (u *User) String() string { return fmt.Sprintf("%s (%s)", u.RealName, u.ID) }
