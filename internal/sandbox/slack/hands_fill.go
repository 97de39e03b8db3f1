package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// spot is an element that a person fills in: of a modal or of a message.
type spot struct {
	view    *View
	message *Message
	block   Block
	element map[string]any
}

func (s spot) kind() string { return str(s.element, "type") }

// dispatches tells whether filling it in is told to the application at once.
func (s spot) dispatches() bool {
	return str(s.block, "type") != "input" || flag(s.block, "dispatch_action")
}

// labelOf answers what a person reads beside an element.
func labelOf(b Block, e map[string]any) string {
	switch str(b, "type") {
	case "input":
		return textOf(b["label"])
	case "section":
		return textOf(b["text"])
	}
	return textOf(e["placeholder"])
}

// findSpot finds the one element with this label, placeholder, block_id or action_id.
func findSpot(blocks []Block, name string) (spot, error) {
	var labels []string
	var hits []spot
	eachElement(blocks, func(b Block, e map[string]any) {
		if emptyValue(e) == nil {
			return
		}
		label := labelOf(b, e)
		labels = append(labels, label)
		if slices.Contains([]string{label, textOf(e["placeholder"]), str(b, "block_id"), str(e, "action_id")}, name) {
			hits = append(hits, spot{block: b, element: e})
		}
	})
	if len(hits) != 1 {
		return spot{}, fmt.Errorf("slack: %d inputs %q; there are %q", len(hits), name, labels)
	}
	return hits[0], nil
}

// inModal finds an input of the modal on top.
func (p Person) inModal(label string) (spot, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	v := p.w.top(p.id)
	if v == nil {
		return spot{}, fmt.Errorf("slack: %s has no modal open", p.id)
	}
	s, err := findSpot(v.Blocks, label)
	s.view = v
	return s, err
}

// fill puts a value into an input and, where the application asked for that,
// tells it.
func (p Person) fill(ctx context.Context, s spot, value map[string]any) error {
	payload, err := p.build(func(u *User) (Payload, error) {
		block, action := str(s.block, "block_id"), str(s.element, "action_id")
		if s.view != nil {
			stateValues(s.view.State).set(block, action, value)
		} else {
			key := p.id + " " + s.message.Channel + " " + s.message.TS
			if p.w.drafts[key] == nil {
				p.w.drafts[key] = stateValues{}
			}
			p.w.drafts[key].set(block, action, value)
		}
		if !s.dispatches() {
			return nil, nil
		}
		return p.w.actionPayload(u, s.message, s.view, s.block, s.element, value), nil
	})
	if err != nil || payload == nil {
		return err
	}
	_, err = p.w.act(ctx, KindInteractive, payload)
	return err
}

// Type writes text into an input of the modal on top, known by its label,
// block_id or action_id. Dates are written 2006-01-02, times 15:04.
func (p Person) Type(ctx context.Context, label, text string) error {
	s, err := p.inModal(label)
	if err != nil {
		return err
	}
	key, _ := valueKeys(s.kind())
	if !slices.Contains([]string{"value", "selected_date", "selected_time"}, key) {
		return fmt.Errorf("slack: nothing can be typed into %q, a %s", label, s.kind())
	}
	if most, limited := s.element["max_length"].(float64); limited && utf8.RuneCountInString(text) > int(most) {
		return fmt.Errorf("slack: %q takes %d characters", label, int(most))
	}
	return p.fill(ctx, s, map[string]any{"type": s.kind(), key: text})
}

// Clear empties an input of the modal on top.
func (p Person) Clear(ctx context.Context, label string) error {
	s, err := p.inModal(label)
	if err != nil {
		return err
	}
	return p.fill(ctx, s, emptyValue(s.element))
}

// Pick sets a date, a time or both, in the person's own time zone.
func (p Person) Pick(ctx context.Context, label string, at time.Time) error {
	s, err := p.inModal(label)
	if err != nil {
		return err
	}
	p.w.mu.Lock()
	local := at.In(p.w.location(p.id))
	p.w.mu.Unlock()
	value := map[string]any{"type": s.kind()}
	switch s.kind() {
	case "datetimepicker":
		value["selected_date_time"] = at.Unix()
	case "datepicker":
		value["selected_date"] = local.Format(time.DateOnly)
	case "timepicker":
		value["selected_time"] = local.Format("15:04")
	default:
		return fmt.Errorf("slack: %q is a %s and takes no time", label, s.kind())
	}
	return p.fill(ctx, s, value)
}

// Select chooses in a list, radio buttons, checkboxes or people of the modal on
// top. Options are named by their text or value, people by id or name; a list
// that the application searches is searched first.
func (p Person) Select(ctx context.Context, label string, options ...string) error {
	s, err := p.inModal(label)
	if err != nil {
		return err
	}
	return p.choose(ctx, s, options)
}

// SelectIn chooses in a list of a message.
func (p Person) SelectIn(ctx context.Context, m Message, label string, options ...string) error {
	s, err := findSpot(m.Blocks, label)
	if err != nil {
		return err
	}
	s.message = &m
	return p.choose(ctx, s, options)
}

func (p Person) choose(ctx context.Context, s spot, names []string) error {
	key, _ := valueKeys(s.kind())
	if !isList(key) && len(names) != 1 {
		return fmt.Errorf("slack: a %s takes one choice, not %d", s.kind(), len(names))
	}
	var chosen []any
	for _, name := range names {
		one, err := p.one(ctx, s, name)
		if err != nil {
			return err
		}
		chosen = append(chosen, one)
	}
	value := map[string]any{"type": s.kind(), key: chosen}
	if !isList(key) {
		value[key] = chosen[0]
	} else if most, limited := s.element["max_selected_items"].(float64); limited && len(chosen) > int(most) {
		return fmt.Errorf("slack: at most %d choices", int(most))
	}
	return p.fill(ctx, s, value)
}

// one answers the option, or the id, that a name stands for.
func (p Person) one(ctx context.Context, s spot, name string) (any, error) {
	switch kind := strings.TrimPrefix(s.kind(), "multi_"); kind {
	case "users_select":
		return p.w.userNamed(name)
	case "conversations_select", "channels_select":
		return p.w.channelNamed(name)
	case "external_select":
		least, limited := s.element["min_query_length"].(float64)
		if limited && least == 0 {
			if o := optionNamed(p.peek(ctx, s, ""), name); o != nil {
				return o, nil
			}
		}
		offered, err := p.suggest(ctx, s, name)
		if err != nil {
			return nil, err
		}
		if o := optionNamed(offered, name); o != nil {
			return o, nil
		}
		return nil, fmt.Errorf("slack: searching for %q offers %q", name, optionTexts(offered))
	}
	if o := optionNamed(optionsOf(s.element), name); o != nil {
		return o, nil
	}
	return nil, fmt.Errorf("slack: no option %q; there are %q", name, optionTexts(optionsOf(s.element)))
}

func optionNamed(options []map[string]any, name string) map[string]any {
	for _, o := range options {
		if textOf(o["text"]) == name || str(o, "value") == name {
			return o
		}
	}
	return nil
}

func optionTexts(options []map[string]any) []string {
	out := []string{}
	for _, o := range options {
		out = append(out, textOf(o["text"]))
	}
	return out
}

func (w *Workspace) userNamed(name string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.userOrder {
		if u := w.users[id]; id == name || u.Name == name || u.RealName == name {
			return id, nil
		}
	}
	return "", fmt.Errorf("slack: no user %q", name)
}

func (w *Workspace) channelNamed(name string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, c := range w.channels {
		if id == name || c.Name == strings.TrimPrefix(name, "#") {
			return id, nil
		}
	}
	return "", fmt.Errorf("slack: no channel %q", name)
}

// Search types into a searchable list of the modal on top and answers the texts
// that the application offers.
func (p Person) Search(ctx context.Context, label, query string) ([]string, error) {
	s, err := p.inModal(label)
	if err != nil {
		return nil, err
	}
	offered, err := p.suggest(ctx, s, query)
	return optionTexts(offered), err
}

// peek is suggest for a first look, whose failure the search proper shows.
func (p Person) peek(ctx context.Context, s spot, query string) []map[string]any {
	offered, err := p.suggest(ctx, s, query)
	if err != nil {
		return nil
	}
	return offered
}

func (p Person) suggest(ctx context.Context, s spot, query string) ([]map[string]any, error) {
	payload, err := p.build(func(u *User) (Payload, error) {
		out := p.w.base("block_suggestion", u)
		p.w.place(out, u, s.message, s.view)
		delete(out, "response_url")
		delete(out, "state")
		out["action_id"], out["block_id"], out["value"] = s.element["action_id"], s.block["block_id"], query
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	r, err := p.w.act(ctx, KindSuggestion, payload)
	if err != nil {
		return nil, err
	}
	var said map[string]any
	if err := json.Unmarshal(r.Body, &said); err != nil {
		p.w.change(func() { p.w.violate("block_suggestion", "the answer is not JSON") })
		return nil, fmt.Errorf("slack: options for %q: %w", labelOf(s.block, s.element), err)
	}
	if c := checkOptions(said); len(c.problems) > 0 {
		p.w.change(func() { p.w.violate("block_suggestion", "%s", strings.Join(c.messages(), "; ")) })
		return nil, fmt.Errorf("slack: options for %q: %s", labelOf(s.block, s.element), strings.Join(c.messages(), "; "))
	}
	fillFlags(said)
	return optionsOf(said), nil
}
