package slack

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// EventKind says what people saw happen.
type EventKind string

// What people see happen.
const (
	Posted          EventKind = "posted"
	Edited          EventKind = "edited"
	Deleted         EventKind = "deleted"
	EphemeralPosted EventKind = "ephemeral posted"
	EphemeralEdited EventKind = "ephemeral edited"
	EphemeralGone   EventKind = "ephemeral deleted"
	ModalOpened     EventKind = "modal opened"
	ModalUpdated    EventKind = "modal updated"
	ModalClosed     EventKind = "modal closed"
	HomePublished   EventKind = "home published"
)

// Event is something that people saw happen.
type Event struct {
	Kind    EventKind
	At      time.Time // when it happened, on the workspace's clock
	User    string    // who alone sees it; empty: everybody in the channel
	Message Message   // for messages
	View    View      // for modals and home tabs
}

// feed hands events to subscribers in order and outside the workspace's lock,
// so that a subscriber may look around or act.
type feed struct {
	mu          sync.Mutex
	changed     chan struct{}
	pending     []Event
	draining    bool
	subscribers map[int]func(Event)
	next        int
}

func (f *feed) broadcast() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) drain() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.draining {
		return // whoever drains takes these along
	}
	f.draining = true
	defer func() { f.draining = false }()
	for len(f.pending) > 0 {
		e := f.pending[0]
		f.pending = f.pending[1:]
		var subs []func(Event)
		for i := range f.next {
			if s := f.subscribers[i]; s != nil {
				subs = append(subs, s)
			}
		}
		f.mu.Unlock()
		for _, s := range subs {
			s(e)
		}
		f.mu.Lock()
	}
}

// tell puts an event into the feed. Callers hold mu and are inside change.
func (w *Workspace) tell(e Event) {
	e.At = w.opt.Now()
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	if len(w.feed.subscribers) > 0 {
		w.feed.pending = append(w.feed.pending, e)
	}
}

// Subscribe has see called for everything that people see from now on, in
// order, one at a time. It may call the workspace. The answer ends it.
func (w *Workspace) Subscribe(see func(Event)) (cancel func()) {
	f := &w.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subscribers == nil {
		f.subscribers = map[int]func(Event){}
	}
	n := f.next
	f.next++
	f.subscribers[n] = see
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subscribers, n)
	}
}

// WaitFor returns once the condition holds. It is looked at now and after each
// change of the workspace; it may call the workspace. When ctx ends first, the
// error wraps ctx's.
func (w *Workspace) WaitFor(ctx context.Context, condition func() bool) error {
	for {
		w.feed.mu.Lock()
		changed := w.feed.changed
		w.feed.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the Slack workspace: %w", context.Cause(ctx))
		}
	}
}

func (w *Workspace) pick(channel string, keep func(*Message) bool) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Message
	for _, m := range w.messages[channel] {
		if keep(m) {
			out = append(out, m.copy())
		}
	}
	return out
}

// Messages lists what a channel shows, oldest first; thread replies only when
// they were broadcast.
func (w *Workspace) Messages(channel string) []Message {
	return w.pick(channel, func(m *Message) bool { return !m.Deleted && (m.ThreadTS == "" || m.Broadcast) })
}

// DeletedMessages lists what was deleted from a channel.
func (w *Workspace) DeletedMessages(channel string) []Message {
	return w.pick(channel, func(m *Message) bool { return m.Deleted })
}

// Thread lists a message and the replies in its thread, oldest first.
func (w *Workspace) Thread(channel, ts string) []Message {
	return w.pick(channel, func(m *Message) bool { return !m.Deleted && (m.TS == ts || m.ThreadTS == ts) })
}

// DMs lists the direct messages between somebody and the bot, oldest first.
func (w *Workspace) DMs(user string) []Message { return w.Messages(w.DMChannel(user)) }

// Ephemerals lists what only this person sees, oldest first.
func (w *Workspace) Ephemerals(user string) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Message
	for _, m := range w.ephemerals[user] {
		if !m.Deleted {
			out = append(out, m.copy())
		}
	}
	return out
}

// View answers the modal that is on top of somebody's screen.
func (w *Workspace) View(user string) (View, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.top(user)
	if v == nil {
		return View{}, false
	}
	return v.copy(), true
}

// Home answers what was last published to somebody's home tab.
func (w *Workspace) Home(user string) (View, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.homes[user]
	if v == nil {
		return View{}, false
	}
	return v.copy(), true
}

// Deliveries lists everything sent to the application so far.
func (w *Workspace) Deliveries() []Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}
