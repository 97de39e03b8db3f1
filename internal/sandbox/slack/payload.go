package slack

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// Payload is what Slack sends to an application. For a command its members are
// the form's fields. Forgeries are made by altering a genuine one.
type Payload map[string]any

// Set answers a copy with a member replaced, or added; path is dotted, with
// numbers for the members of a list: "user.team_id", "actions.0.value". It
// panics when the path leads through something that is not there, since a
// forgery that forges nothing would prove nothing.
func (p Payload) Set(path string, value any) Payload {
	out := p.Copy()
	parent, last := out.walk(path)
	switch parent := parent.(type) {
	case map[string]any:
		parent[last] = value
	case []any:
		parent[index(path, last, len(parent))] = value
	}
	return out
}

// Without answers a copy with a member left out.
func (p Payload) Without(path string) Payload {
	out := p.Copy()
	parent, last := out.walk(path)
	m, ok := parent.(map[string]any)
	if !ok {
		panic("slack: payload has no member " + path)
	}
	delete(m, last)
	return out
}

// Copy answers a deep copy.
func (p Payload) Copy() Payload {
	raw, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("slack: copying a payload: %v", err))
	}
	var out Payload
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(fmt.Sprintf("slack: copying a payload: %v", err))
	}
	return out
}

func (p Payload) walk(path string) (parent any, last string) {
	steps := strings.Split(path, ".")
	parent = map[string]any(p)
	for _, s := range steps[:len(steps)-1] {
		switch at := parent.(type) {
		case map[string]any:
			parent = at[s]
		case []any:
			parent = at[index(path, s, len(at))]
		}
		if parent == nil {
			panic("slack: payload has no member " + path)
		}
	}
	return parent, steps[len(steps)-1]
}

func index(path, s string, n int) int {
	i, err := strconv.Atoi(s)
	if err != nil || i < 0 || i >= n {
		panic("slack: payload has no member " + path)
	}
	return i
}

// base answers the members that all interactive payloads share. Callers hold mu.
func (w *Workspace) base(kind string, u *User) Payload {
	return Payload{
		"type": kind, "token": "legacy-fixed-value", "api_app_id": w.opt.AppID,
		"team":       map[string]any{"id": w.opt.TeamID, "domain": w.opt.TeamDomain},
		"user":       map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.TeamID},
		"enterprise": nil, "is_enterprise_install": false,
	}
}

// place adds where somebody acted: a message or a view. Callers hold mu.
func (w *Workspace) place(p Payload, u *User, m *Message, v *View) {
	if v != nil {
		p["container"] = map[string]any{"type": "view", "view_id": v.ID}
		p["view"] = w.wireView(v)
		return
	}
	container := map[string]any{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.Ephemeral}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	p["container"] = container
	p["channel"] = map[string]any{"id": m.Channel, "name": w.channels[m.Channel].payloadName()}
	p["response_url"] = w.newResponseURL(u.ID, m.Channel, m.TS)
	p["state"] = map[string]any{"values": w.draft(u.ID, m).copy()}
	if !m.Ephemeral {
		p["message"] = w.wire(m, false) // Slack does not tell back what an ephemeral message said
	}
}

// draft answers what somebody has chosen in a message. Callers hold mu.
func (w *Workspace) draft(user string, m *Message) stateValues {
	out := stateValues{}
	eachElement(m.Blocks, func(b Block, e map[string]any) {
		if v := initialValue(e); v != nil {
			out.set(str(b, "block_id"), str(e, "action_id"), v)
		}
	})
	for block, actions := range w.drafts[user+" "+m.Channel+" "+m.TS] {
		for action, v := range actions {
			if out[block][action] != nil {
				out.set(block, action, v)
			}
		}
	}
	return out
}

// actionPayload answers the block_actions of one element; value holds what was
// chosen, nil for a button. Callers hold mu.
func (w *Workspace) actionPayload(u *User, m *Message, v *View, b Block, e, value map[string]any) Payload {
	p := w.base("block_actions", u)
	w.place(p, u, m, v)
	view := ""
	if v != nil {
		view = v.ID
	}
	p["trigger_id"] = w.newTrigger(u.ID, view)
	action := map[string]any{"type": e["type"], "action_id": e["action_id"], "block_id": b["block_id"], "action_ts": w.ts()}
	for _, k := range []string{"text", "value", "style", "placeholder", "confirm"} {
		if x, present := e[k]; present {
			action[k] = x
		}
	}
	maps.Copy(action, value)
	p["actions"] = []any{action}
	return p
}

// commandPayload answers the fields of a slash command. Callers hold mu.
func (w *Workspace) commandPayload(u *User, c *Channel, command, text string) Payload {
	return Payload{
		"token": "legacy-fixed-value", "team_id": w.opt.TeamID, "team_domain": w.opt.TeamDomain,
		"channel_id": c.ID, "channel_name": c.payloadName(), "user_id": u.ID, "user_name": u.Name,
		"command": command, "text": text, "api_app_id": w.opt.AppID, "is_enterprise_install": "false",
		"response_url": w.newResponseURL(u.ID, c.ID, ""), "trigger_id": w.newTrigger(u.ID, ""),
	}
}

// viewPayload answers a view_submission or view_closed. Callers hold mu.
func (w *Workspace) viewPayload(kind string, u *User, v *View) Payload {
	p := w.base(kind, u)
	p["view"] = w.wireView(v)
	if kind == "view_submission" {
		p["trigger_id"] = w.newTrigger(u.ID, v.ID)
		p["response_urls"] = []any{}
	} else {
		p["is_cleared"] = false
	}
	return p
}

// eventPayload wraps an event of the Events API. Callers hold mu.
func (w *Workspace) eventPayload(u *User, event map[string]any) Payload {
	event["event_ts"] = w.ts()
	return Payload{
		"token": "legacy-fixed-value", "team_id": w.opt.TeamID, "context_team_id": w.opt.TeamID, "context_enterprise_id": nil,
		"api_app_id": w.opt.AppID, "event": event, "type": "event_callback", "event_id": "Ev" + secretID(), "event_time": w.opt.Now().Unix(),
		"authorizations": []any{map[string]any{
			"enterprise_id": nil, "team_id": w.opt.TeamID, "user_id": w.opt.BotUserID, "is_bot": true, "is_enterprise_install": false,
		}},
		"is_ext_shared_channel": u.TeamID != w.opt.TeamID, "event_context": "4-" + secretID(),
	}
}
