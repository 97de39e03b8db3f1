package slack

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// content is the text, blocks and metadata of a message about to be shown.
type content struct {
	text     string
	blocks   []Block
	metadata *Metadata
	forget   bool // empty metadata was sent, to remove what there is
}

// content reads and checks what a call wants to show; most bounds the text, in
// characters. Callers hold mu.
func (w *Workspace) content(call string, a args, most int) (content, answer) {
	out := content{text: a.str("text")}
	raw, ok := a.value("blocks")
	if !ok {
		return out, blame("invalid_blocks_format", "blocks are not JSON")
	}
	if utf8.RuneCountInString(out.text) > most {
		return out, blame("msg_too_long", fmt.Sprintf("text longer than %d characters", most))
	}
	c := &checker{}
	c.ping(out.text)
	if (a.flag("link_names") || a.str("parse") == "full") && strings.ContainsAny(out.text, "@") {
		c.pings = append(c.pings, "link_names or parse=full with an @")
	}
	if raw != nil {
		c.blocks("/blocks", raw, maxMessageBlocks)
	}
	for _, p := range c.pings {
		w.violate(call, "pings everybody: %s", p)
	}
	if len(c.problems) > 0 {
		return out, c.blame("invalid_blocks")
	}
	w.complete(raw)
	if out.blocks = blocksOf(raw); len(out.blocks) == 0 && out.text == "" {
		return out, blame("no_text", "neither text nor blocks")
	} else if len(out.blocks) > 0 && strings.TrimSpace(out.text) == "" {
		w.violate(call, "no text beside the blocks: notifications and screen readers have nothing to say")
	}
	meta, ok := a.value("metadata")
	if !ok {
		return out, blame("invalid_metadata_format", "metadata is not JSON")
	}
	if m := obj(meta); len(m) > 0 && (str(m, "event_type") != "" || len(obj(m["event_payload"])) > 0) {
		payload := obj(m["event_payload"])
		if str(m, "event_type") == "" || payload == nil {
			return out, blame("invalid_metadata_schema", "metadata needs event_type and event_payload")
		}
		out.metadata = &Metadata{EventType: str(m, "event_type"), EventPayload: payload}
	} else {
		out.forget = meta != nil
	}
	return out, good(nil)
}

// writable finds a channel the bot may post in; a user's id stands for their
// direct messages. Callers hold mu.
func (w *Workspace) writable(id string) (*Channel, answer) {
	if u := w.users[id]; u != nil {
		if u.Deactivated || u.Bot {
			return nil, refuse("channel_not_found")
		}
		return w.dm(id), good(nil)
	}
	c := w.channels[id]
	switch {
	case c == nil || c.Private && c.BotNotMember:
		return nil, refuse("channel_not_found")
	case c.Archived:
		return nil, refuse("is_archived")
	case c.BotNotMember:
		return nil, refuse("not_in_channel")
	}
	return c, good(nil)
}

func (w *Workspace) chatPostMessage(a args) answer {
	c, ans := w.writable(a.str("channel"))
	if c == nil {
		return ans
	}
	body, ans := w.content("chat.postMessage", a, maxMessageText)
	if ans.err != "" {
		return ans
	}
	m := &Message{
		Channel: c.ID, User: w.opt.BotUserID, fromApp: true, Text: body.text, Blocks: body.blocks, Metadata: body.metadata,
		ThreadTS: a.str("thread_ts"), Broadcast: a.flag("reply_broadcast"),
	}
	if m.ThreadTS != "" {
		root := w.find(c.ID, m.ThreadTS)
		if root == nil {
			return refuse("thread_not_found")
		}
		if root.ThreadTS != "" {
			m.ThreadTS = root.ThreadTS
		}
	}
	w.post(m)
	return good(map[string]any{"channel": c.ID, "ts": m.TS, "message": w.wire(m, true)})
}

func (w *Workspace) chatUpdate(a args) answer {
	c := w.channels[a.str("channel")]
	if c == nil {
		return refuse("channel_not_found")
	}
	m := w.find(c.ID, a.str("ts"))
	switch {
	case m == nil:
		return refuse("message_not_found")
	case !m.fromApp:
		return refuse("cant_update_message")
	case c.Archived:
		return refuse("is_archived")
	}
	body, ans := w.content("chat.update", a, maxUpdateText)
	if ans.err != "" {
		return ans
	}
	m.replace(w.opt.Now(), body.text, body.blocks) // no blocks: those there were are gone, as in Slack
	if body.metadata != nil || body.forget {
		m.Metadata = body.metadata
	}
	w.tell(Event{Kind: Edited, User: c.im, Message: m.copy()})
	return good(map[string]any{"channel": c.ID, "ts": m.TS, "text": m.Text, "message": w.wire(m, true)})
}

func (w *Workspace) chatDelete(a args) answer {
	c := w.channels[a.str("channel")]
	if c == nil {
		return refuse("channel_not_found")
	}
	m := w.find(c.ID, a.str("ts"))
	switch {
	case m == nil:
		return refuse("message_not_found")
	case !m.fromApp:
		return refuse("cant_delete_message")
	}
	m.Deleted = true
	w.tell(Event{Kind: Deleted, User: c.im, Message: m.copy()})
	return good(map[string]any{"channel": c.ID, "ts": m.TS})
}

// DeleteMessage removes a message as a workspace administrator would.
func (w *Workspace) DeleteMessage(channel, ts string) {
	w.change(func() {
		if m := w.find(channel, ts); m != nil {
			m.Deleted = true
			w.tell(Event{Kind: Deleted, User: w.channels[channel].im, Message: m.copy()})
		}
	})
}

func (w *Workspace) chatPostEphemeral(a args) answer {
	c, ans := w.writable(a.str("channel"))
	if c == nil {
		return ans
	}
	u := w.users[a.str("user")]
	if u == nil || u.Deactivated || !c.isMember(u.ID) {
		return refuse("user_not_in_channel")
	}
	body, ans := w.content("chat.postEphemeral", a, maxMessageText)
	if ans.err != "" {
		return ans
	}
	thread := a.str("thread_ts")
	if thread != "" && !slices.ContainsFunc(w.messages[c.ID], func(m *Message) bool { return m.ThreadTS == thread && !m.Deleted }) {
		w.violate("chat.postEphemeral", "thread_ts names no thread that has replies, so that nobody sees it")
	}
	m := w.post(&Message{
		Channel: c.ID, User: w.opt.BotUserID, fromApp: true, Text: body.text, Blocks: body.blocks, Ephemeral: true, Reader: u.ID, ThreadTS: thread,
	})
	return good(map[string]any{"message_ts": m.TS})
}

func (w *Workspace) chatGetPermalink(a args) answer {
	c := w.channels[a.str("channel")]
	if c == nil {
		return refuse("channel_not_found")
	}
	m := w.find(c.ID, a.str("message_ts"))
	if m == nil {
		return refuse("message_not_found")
	}
	link := fmt.Sprintf("https://%s.slack.com/archives/%s/p%s", w.opt.TeamDomain, c.ID, strings.ReplaceAll(m.TS, ".", ""))
	if m.ThreadTS != "" {
		link += "?thread_ts=" + m.ThreadTS + "&cid=" + c.ID
	}
	return good(map[string]any{"channel": c.ID, "permalink": link})
}
