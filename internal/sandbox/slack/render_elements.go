package slack

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// element renders an interactive element with what is typed or chosen in it.
func (r *renderer) element(b Block, e map[string]any) string {
	value := r.state[str(b, "block_id")][str(e, "action_id")]
	if value == nil {
		value = initialValue(e)
	}
	kind := str(e, "type")
	switch kind {
	case "button":
		return r.button(e)
	case "image":
		return "[image: " + str(e, "alt_text") + "]"
	case "overflow":
		return "[ … " + strings.Join(optionTexts(optionsOf(e)), " | ") + " ]"
	case "radio_buttons":
		return r.marks(e, value, "(•) ", "( ) ")
	case "checkboxes":
		return r.marks(e, value, "[x] ", "[ ] ")
	}
	if value == nil {
		return "[unknown element " + kind + "]"
	}
	shown := r.valueText(value)
	if shown == "" {
		shown = "(" + textOf(e["placeholder"]) + ")"
	}
	switch kind {
	case "plain_text_input", "url_text_input", "email_text_input", "number_input", "rich_text_input":
		return "> " + strings.ReplaceAll(shown, "\n", "\n> ")
	case "datepicker", "timepicker", "datetimepicker":
		return "◷ " + shown
	}
	return "▾ " + shown
}

func (r *renderer) button(e map[string]any) string {
	out := "[ " + textOf(e["text"]) + " ]"
	if u := str(e, "url"); u != "" {
		out += " <" + u + ">"
	}
	if c := obj(e["confirm"]); c != nil {
		out += " (asks first: " + r.text(c["title"]) + ")"
	}
	return out
}

// marks renders options one below the other, the chosen ones marked.
func (r *renderer) marks(e, value map[string]any, on, off string) string {
	chosen := slices.Concat(list(value["selected_options"]), []any{value["selected_option"]})
	var lines []string
	for _, o := range optionsOf(e) {
		mark := off
		if slices.ContainsFunc(chosen, func(c any) bool { return c != nil && sameOption(c, o) }) {
			mark = on
		}
		line := mark + r.text(o["text"])
		if d := r.text(o["description"]); d != "" {
			line += " – " + d
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// valueText renders what was typed or chosen, "" for nothing.
func (r *renderer) valueText(value map[string]any) string {
	if isEmpty(value) {
		return ""
	}
	key, _ := valueKeys(str(value, "type"))
	one := func(v any) string {
		switch v := v.(type) {
		case map[string]any:
			if str(v, "type") == "rich_text" {
				return r.block(v)
			}
			return r.text(v["text"])
		case float64:
			return r.moment(int64(v))
		case int64:
			return r.moment(v)
		}
		s := fmt.Sprint(v)
		switch {
		case strings.HasPrefix(key, "selected_user"):
			return "@" + r.w.userName(s)
		case strings.HasPrefix(key, "selected_conv"), strings.HasPrefix(key, "selected_channel"):
			return "#" + r.w.channelLabel(s)
		}
		return s
	}
	if !isList(key) {
		return one(value[key])
	}
	var out []string
	for _, v := range list(value[key]) {
		out = append(out, one(v))
	}
	return strings.Join(out, ", ")
}

func (r *renderer) moment(unix int64) string {
	return time.Unix(unix, 0).In(r.w.location(r.reader)).Format("Jan 2, 2006 3:04 PM")
}
