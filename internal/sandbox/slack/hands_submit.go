package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// FormError is a form that was not taken: what is said at which input.
type FormError struct {
	ByLabel map[string]string
	Local   bool // Slack itself refused; the application was not asked
}

func (e *FormError) Error() string {
	var b strings.Builder
	b.WriteString("the form was not taken:")
	for _, label := range slices.Sorted(maps.Keys(e.ByLabel)) {
		_, _ = fmt.Fprintf(&b, " %s: %s;", label, e.ByLabel[label])
	}
	return strings.TrimSuffix(b.String(), ";")
}

// SubmitPayload answers the submission of the modal on top without sending it.
func (p Person) SubmitPayload() (Payload, error) {
	return p.build(func(u *User) (Payload, error) {
		v := p.w.top(p.id)
		if v == nil {
			return nil, fmt.Errorf("slack: %s has no modal open", p.id)
		}
		if v.SubmitLabel == "" {
			return nil, fmt.Errorf("slack: %q cannot be submitted", v.Title)
		}
		return p.w.viewPayload("view_submission", u, v), nil
	})
}

// Submit presses the submit button of the modal on top. What Slack itself
// demands (required inputs, lengths, the form of a URL) is demanded first. The
// error is a *FormError when the form stays open with messages at its inputs.
func (p Person) Submit(ctx context.Context) error {
	var local *FormError
	var id string
	p.w.change(func() {
		if v := p.w.top(p.id); v != nil && v.SubmitLabel != "" {
			id = v.ID
			v.Errors = localErrors(v)
			local = v.formError(true)
		}
	})
	if local != nil {
		return local
	}
	payload, err := p.SubmitPayload()
	if err != nil {
		return err
	}
	r, err := p.w.act(ctx, KindInteractive, payload)
	if err != nil {
		return err
	}
	p.w.change(func() { err = p.w.applySubmission(id, r.Body) })
	return err
}

// localErrors answers what Slack's client says before it submits, by block_id.
func localErrors(v *View) map[string]string {
	out := map[string]string{}
	eachElement(v.Blocks, func(b Block, e map[string]any) {
		if str(b, "type") != "input" {
			return
		}
		id := str(b, "block_id")
		value := v.State[id][str(e, "action_id")]
		if value == nil || isEmpty(value) {
			if value != nil && !flag(b, "optional") {
				out[id] = "Please complete this required field."
			}
			return
		}
		text, isText := value["value"].(string)
		if !isText {
			return
		}
		if least, ok := e["min_length"].(float64); ok && utf8.RuneCountInString(text) < int(least) {
			out[id] = fmt.Sprintf("Please enter at least %d characters.", int(least))
		}
		switch str(e, "type") {
		case "url_text_input":
			if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" {
				out[id] = "Please enter a valid URL."
			}
		case "email_text_input":
			if _, err := mail.ParseAddress(text); err != nil {
				out[id] = "Please enter a valid email address."
			}
		case "number_input":
			if _, err := strconv.ParseFloat(text, 64); err != nil {
				out[id] = "Please enter a valid number."
			}
		}
	})
	return out
}

// formError answers the messages shown in a view, or nil if there are none.
func (v *View) formError(local bool) *FormError {
	if len(v.Errors) == 0 {
		return nil
	}
	e := &FormError{ByLabel: map[string]string{}, Local: local}
	for _, b := range v.Blocks {
		if msg, said := v.Errors[str(b, "block_id")]; said {
			e.ByLabel[textOf(b["label"])] = msg
		}
	}
	return e
}

var errBadAnswer = errors.New("slack: we had some trouble connecting: the answer to the submission is not one that Slack knows")

// applySubmission does to the screen what the application answered. Callers hold mu.
func (w *Workspace) applySubmission(id string, body []byte) error {
	const call = "ack view_submission"
	v := w.modal(id)
	if v == nil {
		return nil // closed or replaced meanwhile
	}
	if len(bytes.TrimSpace(body)) == 0 {
		w.closeModal(v, false)
		return nil
	}
	var said map[string]any
	if json.Unmarshal(body, &said) != nil {
		w.violate(call, "the answer is neither empty nor JSON")
		return errBadAnswer
	}
	if len(said) == 0 {
		w.closeModal(v, false)
		return nil
	}
	switch action := str(said, "response_action"); action {
	case "clear":
		w.closeModal(v, true)
	case "errors":
		return w.showErrors(call, v, obj(said["errors"]))
	case "update", "push":
		def, ans := w.definition(call, args{"view": said["view"]}, "modal")
		if def != nil && action == "push" && len(w.modals[v.User]) >= maxViewDepth {
			def, ans = nil, blame("push_limit_reached", "at most 3 modals on top of each other")
		}
		if def == nil {
			w.violate(call, "%s: %s", ans.err, ans.fault)
			return fmt.Errorf("%w: %s", errBadAnswer, ans.err)
		}
		if action == "push" {
			w.newModal(v.User, def)
			return nil
		}
		w.put(v, def)
		w.tell(Event{Kind: ModalUpdated, User: v.User, View: v.copy()})
	default:
		w.violate(call, "unknown response_action %q", action)
		return errBadAnswer
	}
	return nil
}

// showErrors puts messages at inputs. Slack shows none at all when one is not
// keyed by the block_id of an input block.
func (w *Workspace) showErrors(call string, v *View, said map[string]any) error {
	shown := map[string]string{}
	for id, msg := range said {
		text, _ := msg.(string)
		input := slices.ContainsFunc(v.Blocks, func(b Block) bool { return str(b, "block_id") == id && str(b, "type") == "input" })
		if !input || text == "" {
			w.violate(call, "an error for %q, which is no input block, or without words", id)
			return errBadAnswer
		}
		shown[id] = text
	}
	if len(shown) == 0 {
		w.violate(call, "response_action errors without errors")
		return errBadAnswer
	}
	v.Errors = shown
	w.tell(Event{Kind: ModalUpdated, User: v.User, View: v.copy()})
	return v.formError(false)
}

// CloseView closes the modal on top without submitting it. The application is
// told if it asked to be.
func (p Person) CloseView(ctx context.Context) error {
	var notify bool
	payload, err := p.build(func(u *User) (Payload, error) {
		v := p.w.top(p.id)
		if v == nil {
			return nil, fmt.Errorf("slack: %s has no modal open", p.id)
		}
		notify = v.NotifyOnClose
		out := p.w.viewPayload("view_closed", u, v)
		out["is_cleared"] = v.ClearOnClose
		p.w.closeModal(v, v.ClearOnClose)
		return out, nil
	})
	if err != nil || !notify {
		return err
	}
	_, err = p.w.act(ctx, KindInteractive, payload)
	return err
}
