package slack

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Block is a Block Kit block as it came over the wire, with the ids that Slack
// adds. Blocks are never altered once stored.
type Block = map[string]any

// Metadata is what an application keeps beside a message, unseen by people.
type Metadata struct {
	EventType    string         `json:"event_type"`
	EventPayload map[string]any `json:"event_payload"`
}

// Edit is what a message said before one of its edits.
type Edit struct {
	At     time.Time // when it was replaced
	Text   string
	Blocks []Block
}

// Message is a message as it stands now.
type Message struct {
	Channel   string
	TS        string // its time, and its identity in the channel
	ThreadTS  string // the thread it replies in, or empty
	Broadcast bool   // a reply that is shown in the channel too
	User      string // who wrote it; the bot's user id for the application
	Text      string // the fallback that notifications show
	Blocks    []Block
	Metadata  *Metadata
	Edits     []Edit // what it said before, oldest first
	Deleted   bool
	Ephemeral bool
	Reader    string // the only one who sees it, when Ephemeral

	fromApp bool
}

func (m *Message) copy() Message {
	c := *m
	c.Blocks, c.Edits = slices.Clone(m.Blocks), slices.Clone(m.Edits)
	return c
}

// replace puts a new text and new blocks in place of the old, which are kept in
// Edits for tests to look at.
func (m *Message) replace(at time.Time, text string, blocks []Block) {
	m.Edits = append(m.Edits, Edit{At: at, Text: m.Text, Blocks: m.Blocks})
	m.Text, m.Blocks = text, blocks
}

// wire answers the message as the Web API and payloads show it. Callers hold mu.
func (w *Workspace) wire(m *Message, metadata bool) map[string]any {
	out := map[string]any{"type": "message", "user": m.User, "ts": m.TS, "text": m.Text, "team": w.opt.TeamID}
	if m.fromApp {
		out["bot_id"], out["app_id"] = w.opt.BotID, w.opt.AppID
	}
	if m.Blocks != nil {
		out["blocks"] = m.Blocks
	}
	if m.ThreadTS != "" {
		out["thread_ts"] = m.ThreadTS
		if root := w.find(m.Channel, m.ThreadTS); root != nil {
			out["parent_user_id"] = root.User
		}
	}
	if metadata && m.Metadata != nil {
		out["metadata"] = m.Metadata
	}
	if n := len(m.Edits); n > 0 {
		out["edited"] = map[string]any{"user": m.User, "ts": tsOf(m.Edits[n-1].At)}
	}
	var replies []*Message
	for _, r := range w.messages[m.Channel] {
		if r.ThreadTS == m.TS && !r.Deleted {
			replies = append(replies, r)
		}
	}
	if n := len(replies); n > 0 {
		out["thread_ts"], out["reply_count"], out["latest_reply"] = m.TS, n, replies[n-1].TS
	}
	return out
}

// find answers a message that has not been deleted. Callers hold mu.
func (w *Workspace) find(channel, ts string) *Message {
	// In order of ts, all of the same length: a channel may hold thousands.
	at, found := slices.BinarySearchFunc(w.messages[channel], ts, func(m *Message, ts string) int { return strings.Compare(m.TS, ts) })
	if !found || w.messages[channel][at].Deleted {
		return nil
	}
	return w.messages[channel][at]
}

// findEphemeral answers a message that only the reader sees. Callers hold mu.
func (w *Workspace) findEphemeral(reader, ts string) *Message {
	for _, m := range w.ephemerals[reader] {
		if m.TS == ts && !m.Deleted {
			return m
		}
	}
	return nil
}

// post stores a message under a fresh ts and tells the feed. Callers hold mu.
func (w *Workspace) post(m *Message) *Message {
	m.TS = w.ts()
	if m.Ephemeral {
		w.ephemerals[m.Reader] = append(w.ephemerals[m.Reader], m)
		w.tell(Event{Kind: EphemeralPosted, User: m.Reader, Message: m.copy()})
		return m
	}
	w.messages[m.Channel] = append(w.messages[m.Channel], m)
	w.tell(Event{Kind: Posted, User: w.channels[m.Channel].im, Message: m.copy()})
	return m
}

// tsOf answers a moment in the form of a timestamp.
func tsOf(t time.Time) string { return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000) }
