package slack

import "strings"

// str answers a string member, or "".
func str(m map[string]any, key string) string { s, _ := m[key].(string); return s }

func flag(m map[string]any, key string) bool { b, _ := m[key].(bool); return b }

func obj(v any) map[string]any { m, _ := v.(map[string]any); return m }

func list(v any) []any { l, _ := v.([]any); return l }

// textOf answers the text of a text object.
func textOf(v any) string { return str(obj(v), "text") }

func blocksOf(v any) []Block {
	var out []Block
	for _, b := range list(v) {
		if m := obj(b); m != nil {
			out = append(out, m)
		}
	}
	return out
}

// eachElement visits the interactive elements of blocks, in reading order.
func eachElement(blocks []Block, visit func(block Block, element map[string]any)) {
	for _, b := range blocks {
		switch str(b, "type") {
		case "input":
			visit(b, obj(b["element"]))
		case "section":
			if a := obj(b["accessory"]); a != nil && str(a, "type") != "image" {
				visit(b, a)
			}
		case "actions":
			for _, e := range list(b["elements"]) {
				visit(b, obj(e))
			}
		}
	}
}

// valueKeys says under which key each kind of element keeps its value, and with
// which key an application prefills it.
func valueKeys(kind string) (key, initial string) {
	switch kind {
	case "plain_text_input", "url_text_input", "email_text_input", "number_input":
		return "value", "initial_value"
	case "rich_text_input":
		return "rich_text_value", "initial_value"
	case "static_select", "external_select", "radio_buttons":
		return "selected_option", "initial_option"
	case "multi_static_select", "multi_external_select", "checkboxes":
		return "selected_options", "initial_options"
	case "users_select":
		return "selected_user", "initial_user"
	case "multi_users_select":
		return "selected_users", "initial_users"
	case "conversations_select":
		return "selected_conversation", "initial_conversation"
	case "multi_conversations_select":
		return "selected_conversations", "initial_conversations"
	case "channels_select":
		return "selected_channel", "initial_channel"
	case "multi_channels_select":
		return "selected_channels", "initial_channels"
	case "datepicker":
		return "selected_date", "initial_date"
	case "timepicker":
		return "selected_time", "initial_time"
	case "datetimepicker":
		return "selected_date_time", "initial_date_time"
	}
	return "", ""
}

func isList(key string) bool { return strings.HasSuffix(key, "s") }

// emptyValue answers what an untouched, unfilled element reports, or nil if the
// element has no value at all.
func emptyValue(e map[string]any) map[string]any {
	kind := str(e, "type")
	key, _ := valueKeys(kind)
	if key == "" {
		return nil
	}
	if isList(key) {
		return map[string]any{"type": kind, key: []any{}}
	}
	return map[string]any{"type": kind, key: nil}
}

// initialValue answers what an untouched element reports, or nil if the element
// has no value.
func initialValue(e map[string]any) map[string]any {
	value := emptyValue(e)
	key, initial := valueKeys(str(e, "type"))
	if value != nil && e[initial] != nil {
		value[key] = e[initial]
	}
	return value
}

// isEmpty tells whether nothing was typed or chosen.
func isEmpty(value map[string]any) bool {
	key, _ := valueKeys(str(value, "type"))
	switch v := value[key].(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

// optionsOf lists the options that an element itself carries, groups flattened;
// nil if it carries none.
func optionsOf(e map[string]any) []map[string]any {
	var out []map[string]any
	for _, o := range list(e["options"]) {
		out = append(out, obj(o))
	}
	for _, g := range list(e["option_groups"]) {
		out = append(out, optionsOf(obj(g))...)
	}
	return out
}

// sameOption compares what Slack compares: text, value and description.
func sameOption(a, b any) bool {
	x, y := obj(a), obj(b)
	return str(x, "value") == str(y, "value") && textOf(x["text"]) == textOf(y["text"]) &&
		textOf(x["description"]) == textOf(y["description"])
}
