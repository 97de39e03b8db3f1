package slack

import (
	"strings"
	"time"
)

// triggerLife is how long a trigger_id can open a form.
const triggerLife = 3 * time.Second

// trigger is the right to open one modal, given by something a person did.
type trigger struct {
	user string
	at   time.Time
	used bool
	view string // the modal it was done in, if any
}

// newTrigger makes a trigger_id. Callers hold mu.
func (w *Workspace) newTrigger(user, view string) string {
	id := strings.Replace(w.ts(), ".", ".9", 1) + "." + secretID() + secretID()
	w.triggers[id] = &trigger{user: user, at: w.opt.Now(), view: view}
	return id
}

// exchange uses up a trigger_id. Callers hold mu.
func (w *Workspace) exchange(id string) (*trigger, answer) {
	t := w.triggers[id]
	switch {
	case t == nil:
		return nil, blame("invalid_trigger_id", "no such trigger_id was handed out")
	case t.used:
		return nil, blame("exchanged_trigger_id", "a trigger_id opens one form")
	case w.opt.Now().Sub(t.at) > triggerLife:
		return nil, blame("expired_trigger_id", "used "+w.opt.Now().Sub(t.at).String()+" after the person acted")
	}
	t.used = true
	return t, good(nil)
}

// definition reads and checks a view. Callers hold mu.
func (w *Workspace) definition(call string, a args, kind string) (map[string]any, answer) {
	v, ok := a.value("view")
	if !ok {
		return nil, blame("invalid_arguments", "view is not JSON")
	}
	def := obj(v)
	code, c := checkView(def, kind)
	for _, p := range c.pings {
		w.violate(call, "pings everybody: %s", p)
	}
	if code == "view_too_large" {
		return nil, blame(code, "more than 250 KB")
	}
	if code != "" {
		return nil, c.blame(code)
	}
	w.complete(def["blocks"])
	for _, key := range []string{"title", "submit", "close"} {
		fillFlags(def[key])
	}
	return def, good(nil)
}

// externalTaken tells whether another open view has this external_id.
func (w *Workspace) externalTaken(def map[string]any, except *View) bool {
	id := str(def, "external_id")
	v := w.byExternalID(id)
	return id != "" && v != nil && v != except
}

func (w *Workspace) byExternalID(id string) *View {
	if id == "" {
		return nil
	}
	for _, stack := range w.modals {
		for _, v := range stack {
			if v.ExternalID == id {
				return v
			}
		}
	}
	return nil
}

func (w *Workspace) viewsOpen(a args) answer {
	t, ans := w.exchange(a.str("trigger_id"))
	if t == nil {
		return ans
	}
	def, ans := w.definition("views.open", a, "modal")
	if def == nil {
		return ans
	}
	if w.externalTaken(def, nil) {
		return refuse("duplicate_external_id")
	}
	if under := w.top(t.user); under != nil {
		w.closeModal(under, true) // one stack at a time
	}
	return good(map[string]any{"view": w.wireView(w.newModal(t.user, def))})
}

func (w *Workspace) viewsPush(a args) answer {
	t, ans := w.exchange(a.str("trigger_id"))
	if t == nil {
		return ans
	}
	def, ans := w.definition("views.push", a, "modal")
	switch {
	case def == nil:
		return ans
	case t.view == "" || len(w.modals[t.user]) == 0:
		return blame("not_found", "nothing to push onto: the trigger_id came from no open modal")
	case len(w.modals[t.user]) >= maxViewDepth:
		return blame("push_limit_reached", "at most 3 modals on top of each other")
	case w.externalTaken(def, nil):
		return refuse("duplicate_external_id")
	}
	return good(map[string]any{"view": w.wireView(w.newModal(t.user, def))})
}

func (w *Workspace) viewsUpdate(a args) answer {
	def, ans := w.definition("views.update", a, "modal")
	if def == nil {
		return ans
	}
	v := w.modal(a.str("view_id"))
	if v == nil {
		v = w.byExternalID(a.str("external_id"))
	}
	switch h := a.str("hash"); {
	case v == nil:
		return refuse("not_found")
	case h != "" && h != v.Hash:
		return refuse("hash_conflict")
	case w.externalTaken(def, v):
		return refuse("duplicate_external_id")
	}
	w.put(v, def)
	w.tell(Event{Kind: ModalUpdated, User: v.User, View: v.copy()})
	return good(map[string]any{"view": w.wireView(v)})
}

func (w *Workspace) viewsPublish(a args) answer {
	def, ans := w.definition("views.publish", a, "home")
	if def == nil {
		return ans
	}
	u := w.users[a.str("user_id")]
	if u == nil || u.Deactivated {
		return refuse("user_not_found")
	}
	v := w.homes[u.ID]
	if h := a.str("hash"); h != "" && v != nil && h != v.Hash {
		return refuse("hash_conflict")
	}
	if v == nil {
		v = &View{ID: w.id("V"), User: u.ID}
		v.RootID = v.ID
		w.homes[u.ID] = v
	}
	w.put(v, def)
	w.tell(Event{Kind: HomePublished, User: u.ID, View: v.copy()})
	return good(map[string]any{"view": w.wireView(v)})
}

// blocksValidate answers whether Slack would take blocks, a message or a view.
// Asking is never held against the application.
func (w *Workspace) blocksValidate(a args) answer {
	given := 0
	code, c := "invalid_blocks", &checker{}
	for _, key := range []string{"blocks", "message", "view"} {
		v, ok := a.value(key)
		if v == nil && ok {
			continue
		}
		given++
		code = "invalid_" + key
		switch {
		case !ok:
			c.fail("", "not JSON")
		case key == "blocks":
			c.blocks("", v, maxViewBlocks)
		case key == "message":
			c.blocks("/blocks", obj(v)["blocks"], maxMessageBlocks)
		default:
			var found string
			if found, c = checkView(obj(v), str(obj(v), "type")); found == "view_too_large" {
				c.fail("", "more than 250 KB")
			}
		}
	}
	if given != 1 {
		return refuse("invalid_arguments")
	}
	if len(c.problems) == 0 {
		return good(nil)
	}
	errs := []any{}
	for _, p := range c.problems {
		errs = append(errs, map[string]any{"pointer": p.pointer, "code": "failed_constraint", "message": p.text})
	}
	return answer{err: code, errors: errs}
}
