package slack

import (
	"fmt"
	"maps"
	"slices"
)

// stateValues holds what was typed and chosen: block_id → action_id → value, in
// Slack's own shape of a value.
type stateValues map[string]map[string]map[string]any

func (s stateValues) copy() stateValues {
	out := stateValues{}
	for block, actions := range s {
		out[block] = maps.Clone(actions) // a value is replaced, never altered
	}
	return out
}

func (s stateValues) set(block, action string, value map[string]any) {
	if s[block] == nil {
		s[block] = map[string]map[string]any{}
	}
	s[block][action] = value
}

// View is a modal on somebody's screen, or their home tab.
type View struct {
	ID              string
	Type            string // modal or home
	User            string // whose screen
	Hash            string
	CallbackID      string
	PrivateMetadata string
	ExternalID      string
	RootID          string
	PreviousID      string
	Title           string
	SubmitLabel     string // empty: the modal has no submit button
	CloseLabel      string
	ClearOnClose    bool
	NotifyOnClose   bool
	Blocks          []Block
	State           map[string]map[string]map[string]any // what was typed and chosen
	Errors          map[string]string                    // shown at the inputs, by block_id

	raw map[string]any
}

func (v *View) copy() View {
	c := *v
	c.Blocks = slices.Clone(v.Blocks)
	c.State = stateValues(v.State).copy()
	c.Errors = maps.Clone(v.Errors)
	return c
}

// put fills the view from a definition that was found valid, keeping what was
// typed into inputs whose block_id and action_id stay. Callers hold mu.
func (w *Workspace) put(v *View, def map[string]any) {
	before := stateValues(v.State)
	v.raw = def
	v.Type = str(def, "type")
	v.Blocks = blocksOf(def["blocks"])
	v.CallbackID, v.PrivateMetadata, v.ExternalID = str(def, "callback_id"), str(def, "private_metadata"), str(def, "external_id")
	v.Title, v.SubmitLabel, v.CloseLabel = textOf(def["title"]), textOf(def["submit"]), textOf(def["close"])
	v.ClearOnClose, v.NotifyOnClose = flag(def, "clear_on_close"), flag(def, "notify_on_close")
	v.Errors = nil
	state := stateValues{}
	eachElement(v.Blocks, func(b Block, e map[string]any) {
		value := initialValue(e)
		if value == nil {
			return
		}
		block, action := str(b, "block_id"), str(e, "action_id")
		if old := before[block][action]; old != nil && old["type"] == value["type"] && stillOffered(e, old) {
			value = old
		}
		state.set(block, action, value)
	})
	v.State = state
	w.rehash(v)
}

func (w *Workspace) rehash(v *View) {
	v.Hash = fmt.Sprintf("%d.%s", w.opt.Now().Unix(), secretID()[:8])
}

// stillOffered tells whether a chosen option is still in a list that was replaced.
func stillOffered(e, value map[string]any) bool {
	offered := func(o any) bool {
		opts := optionsOf(e)
		return opts == nil || slices.ContainsFunc(opts, func(x map[string]any) bool { return sameOption(x, o) })
	}
	if o, ok := value["selected_option"].(map[string]any); ok {
		return offered(o)
	}
	return !slices.ContainsFunc(list(value["selected_options"]), func(o any) bool { return !offered(o) })
}

// wireView answers the view as payloads and answers show it. Callers hold mu.
func (w *Workspace) wireView(v *View) map[string]any {
	out := map[string]any{
		"id": v.ID, "team_id": w.opt.TeamID, "type": v.Type, "blocks": v.Blocks,
		"private_metadata": v.PrivateMetadata, "callback_id": v.CallbackID, "external_id": v.ExternalID,
		"state": map[string]any{"values": stateValues(v.State).copy()}, "hash": v.Hash,
		"title": v.raw["title"], "submit": v.raw["submit"], "close": v.raw["close"],
		"clear_on_close": v.ClearOnClose, "notify_on_close": v.NotifyOnClose,
		"root_view_id": v.RootID, "previous_view_id": nil,
		"app_id": w.opt.AppID, "app_installed_team_id": w.opt.TeamID, "bot_id": w.opt.BotID,
	}
	if v.PreviousID != "" {
		out["previous_view_id"] = v.PreviousID
	}
	if v.Type == "home" && v.raw["title"] == nil {
		out["title"] = map[string]any{"type": "plain_text", "text": "View Title", "emoji": true}
	}
	return out
}

// top answers the modal on top of somebody's screen. Callers hold mu.
func (w *Workspace) top(user string) *View {
	stack := w.modals[user]
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

// modal answers an open modal by its id. Callers hold mu.
func (w *Workspace) modal(id string) *View {
	for _, stack := range w.modals {
		for _, v := range stack {
			if v.ID == id {
				return v
			}
		}
	}
	return nil
}

// closeModal takes one modal, or with all the whole stack, off the screen.
// Callers hold mu.
func (w *Workspace) closeModal(v *View, all bool) {
	stack := w.modals[v.User]
	for i := len(stack) - 1; i >= 0; i-- {
		if all || stack[i].ID == v.ID {
			w.tell(Event{Kind: ModalClosed, User: v.User, View: stack[i].copy()})
		}
	}
	if all {
		delete(w.modals, v.User)
		return
	}
	w.modals[v.User] = slices.DeleteFunc(slices.Clone(stack), func(o *View) bool { return o.ID == v.ID })
}

// newModal puts a modal on top of somebody's screen. Callers hold mu.
func (w *Workspace) newModal(user string, def map[string]any) *View {
	v := &View{ID: w.id("V"), User: user}
	v.RootID = v.ID
	if under := w.top(user); under != nil {
		v.PreviousID, v.RootID = under.ID, under.RootID
	}
	w.put(v, def)
	w.modals[user] = append(w.modals[user], v)
	w.tell(Event{Kind: ModalOpened, User: user, View: v.copy()})
	return v
}
