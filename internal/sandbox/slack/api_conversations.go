package slack

import (
	"encoding/base64"
	"slices"
	"strings"
)

func (w *Workspace) conversationsOpen(a args) answer {
	if id := a.str("channel"); id != "" {
		c := w.channels[id]
		if c == nil || c.im == "" {
			return refuse("channel_not_found")
		}
		return good(map[string]any{"no_op": true, "already_open": true, "channel": map[string]any{"id": c.ID}})
	}
	ids := strings.Split(a.str("users"), ",")
	if len(ids) > 1 {
		return w.allowed("mpim:write")
	}
	u := w.users[ids[0]]
	switch {
	case ids[0] == "":
		return blame("users_list_not_supplied", "no users")
	case u == nil:
		return refuse("user_not_found")
	case u.Deactivated:
		return refuse("user_disabled")
	case u.Bot:
		return refuse("cannot_dm_bot")
	}
	known := w.hasDM(u.ID)
	c := w.dm(u.ID)
	return good(map[string]any{"no_op": known, "already_open": known, "channel": map[string]any{"id": c.ID, "is_im": true, "user": u.ID}})
}

func (w *Workspace) hasDM(user string) bool {
	for _, c := range w.channels {
		if c.im == user {
			return true
		}
	}
	return false
}

// scopePrefix answers which family of scopes reading this channel needs.
func (c *Channel) scopePrefix() string {
	switch {
	case c.im != "":
		return "im"
	case c.Private:
		return "groups"
	}
	return "channels"
}

// readable finds a channel that the bot may read. Callers hold mu.
func (w *Workspace) readable(a args, suffix string) (*Channel, answer) {
	c := w.channels[a.str("channel")]
	if c == nil {
		return nil, refuse("channel_not_found")
	}
	if ans := w.allowed(c.scopePrefix() + ":" + suffix); ans.err != "" {
		return nil, ans
	}
	if c.Private && c.BotNotMember {
		return nil, refuse("channel_not_found")
	}
	return c, good(nil)
}

func (w *Workspace) conversationsInfo(a args) answer {
	c, ans := w.readable(a, "read")
	if c == nil {
		return ans
	}
	out := map[string]any{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name, "is_channel": c.im == "" && !c.Private, "is_group": false, "is_im": c.im != "",
		"is_mpim": false, "is_private": c.Private || c.im != "", "is_archived": c.Archived, "is_member": !c.BotNotMember, "is_general": false,
		"is_shared": c.Shared, "is_ext_shared": c.Shared, "is_org_shared": false, "context_team_id": w.opt.TeamID,
	}
	if c.im != "" {
		out["user"] = c.im
	}
	return good(map[string]any{"channel": out})
}

// historyPage answers one page of messages, in the order given.
func (w *Workspace) historyPage(all []*Message, a args) answer {
	if c := a.str("cursor"); c != "" {
		ts, err := base64.StdEncoding.DecodeString(c)
		from := slices.IndexFunc(all, func(m *Message) bool { return "next_ts:"+m.TS == string(ts) })
		if err != nil || from < 0 {
			return refuse("invalid_cursor")
		}
		all = all[from:]
	}
	n, next := min(a.number("limit", 100), 999), ""
	if len(all) > n {
		next = base64.StdEncoding.EncodeToString([]byte("next_ts:" + all[n].TS))
		all = all[:n]
	}
	out := []any{}
	for _, m := range all {
		out = append(out, w.wire(m, a.flag("include_all_metadata")))
	}
	return good(map[string]any{"messages": out, "has_more": next != "", "response_metadata": map[string]any{"next_cursor": next}})
}

// within filters by oldest, latest and inclusive. Timestamps compare as text
// since all have ten digits before the point.
func within(a args, all []*Message) []*Message {
	oldest, latest, inclusive := a.str("oldest"), a.str("latest"), a.flag("inclusive")
	return slices.DeleteFunc(all, func(m *Message) bool {
		return m.Deleted ||
			oldest != "" && oldest != "0" && (m.TS < oldest || m.TS == oldest && !inclusive) ||
			latest != "" && latest != "now" && (m.TS > latest || m.TS == latest && !inclusive)
	})
}

func (w *Workspace) conversationsHistory(a args) answer {
	c, ans := w.readable(a, "history")
	if c == nil {
		return ans
	}
	if c.BotNotMember {
		return refuse("not_in_channel")
	}
	all := within(a, slices.Clone(w.messages[c.ID]))
	all = slices.DeleteFunc(all, func(m *Message) bool { return m.ThreadTS != "" && !m.Broadcast })
	slices.Reverse(all)
	return w.historyPage(all, a)
}

func (w *Workspace) conversationsReplies(a args) answer {
	c, ans := w.readable(a, "history")
	if c == nil {
		return ans
	}
	if c.BotNotMember {
		return refuse("not_in_channel")
	}
	root := w.find(c.ID, a.str("ts"))
	if root == nil {
		return refuse("thread_not_found")
	}
	if root.ThreadTS != "" {
		root = w.find(c.ID, root.ThreadTS)
	}
	var all []*Message
	for _, m := range w.messages[c.ID] {
		if root != nil && m.ThreadTS == root.TS {
			all = append(all, m)
		}
	}
	all = within(a, all)
	if root != nil && a.str("cursor") == "" {
		all = append([]*Message{root}, all...)
	}
	return w.historyPage(all, a)
}
