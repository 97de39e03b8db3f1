package slack

import (
	"fmt"
	"slices"
	"strings"
)

// place is a kind of block that holds an element.
type place string

const (
	inSection place = "section"
	inActions place = "actions"
	inInput   place = "input"
)

// elementRule says where an element may stand and which members it has.
type elementRule struct {
	places  []place
	members string
	check   func(c *checker, p string, e map[string]any)
}

// elementRules answers the rules by element type. Every element has type and,
// but for images, action_id.
func elementRules() map[string]elementRule {
	all, notSection, input := []place{inSection, inActions, inInput}, []place{inActions, inInput}, []place{inInput}
	selects := "action_id placeholder confirm focus_on_load "
	return map[string]elementRule{
		"button":   {[]place{inSection, inActions}, "action_id text url value style confirm accessibility_label", (*checker).button},
		"image":    {[]place{inSection}, "alt_text image_url slack_file", (*checker).imageElement},
		"overflow": {[]place{inSection, inActions}, "action_id options confirm", (*checker).overflow},

		"static_select":              {all, selects + "options option_groups initial_option", (*checker).staticSelect},
		"external_select":            {all, selects + "min_query_length initial_option", (*checker).externalSelect},
		"users_select":               {all, selects + "initial_user", nil},
		"conversations_select":       {all, selects + "initial_conversation default_to_current_conversation response_url_enabled filter", nil},
		"channels_select":            {all, selects + "initial_channel response_url_enabled", nil},
		"multi_static_select":        {all, selects + "options option_groups initial_options max_selected_items", (*checker).staticSelect},
		"multi_external_select":      {all, selects + "min_query_length initial_options max_selected_items", (*checker).externalSelect},
		"multi_users_select":         {all, selects + "initial_users max_selected_items", nil},
		"multi_conversations_select": {all, selects + "initial_conversations default_to_current_conversation filter max_selected_items", nil},
		"multi_channels_select":      {all, selects + "initial_channels max_selected_items", nil},

		"radio_buttons": {all, "action_id options initial_option confirm focus_on_load", (*checker).choices},
		"checkboxes":    {all, "action_id options initial_options confirm focus_on_load", (*checker).choices},

		"datepicker":     {all, "action_id initial_date confirm focus_on_load placeholder", nil},
		"timepicker":     {all, "action_id initial_time confirm focus_on_load placeholder timezone", nil},
		"datetimepicker": {notSection, "action_id initial_date_time confirm focus_on_load", (*checker).dateTime},

		"plain_text_input": {input, "action_id initial_value multiline min_length max_length dispatch_action_config focus_on_load placeholder", (*checker).textInput},
		"url_text_input":   {input, "action_id initial_value dispatch_action_config focus_on_load placeholder", (*checker).textInput},
		"email_text_input": {input, "action_id initial_value dispatch_action_config focus_on_load placeholder", (*checker).textInput},
		"number_input":     {input, "action_id is_decimal_allowed initial_value min_value max_value dispatch_action_config focus_on_load placeholder", (*checker).textInput},
		"rich_text_input":  {input, "action_id initial_value dispatch_action_config focus_on_load placeholder", nil},
		"file_input":       {input, "action_id filetypes max_files", nil},
	}
}

func (c *checker) element(p string, e map[string]any, in place) {
	if e == nil {
		c.fail(p, "missing required field: element")
		return
	}
	kind := str(e, "type")
	rule, known := elementRules()[kind]
	if !known || !slices.Contains(rule.places, in) {
		c.fail(p+"/type", "unsupported type: %s", kind)
		return
	}
	c.known(p, e, append(strings.Fields(rule.members), "type")...)
	c.optionalString(p, e, "action_id", 255)
	c.optionalText(p, e, "placeholder", plainOnly, 150)
	if e["confirm"] != nil {
		c.confirm(p+"/confirm", obj(e["confirm"]))
	}
	if flag(e, "focus_on_load") {
		c.focus++
	}
	if rule.check != nil {
		rule.check(c, p, e)
	}
}

func (c *checker) style(p string, o map[string]any) {
	if s, present := o["style"]; present && s != "primary" && s != "danger" {
		c.fail(p+"/style", "must be one of: primary, danger")
	}
}

func (c *checker) button(p string, e map[string]any) {
	c.text(p+"/text", e["text"], plainOnly, 75)
	c.optionalString(p, e, "value", 2000)
	c.optionalString(p, e, "url", 3000)
	c.optionalString(p, e, "accessibility_label", 75)
	c.style(p, e)
}

func (c *checker) confirm(p string, o map[string]any) {
	c.known(p, o, "title", "text", "confirm", "deny", "style")
	c.text(p+"/title", o["title"], plainOnly, 100)
	c.text(p+"/text", o["text"], eitherText, 300)
	c.text(p+"/confirm", o["confirm"], plainOnly, 30)
	c.text(p+"/deny", o["deny"], plainOnly, 30)
	c.style(p, o)
}

func (c *checker) imageElement(p string, e map[string]any) {
	c.size(p+"/alt_text", str(e, "alt_text"), 1, 2000)
	if str(e, "image_url") == "" && e["slack_file"] == nil {
		c.fail(p, "missing required field: image_url or slack_file")
	}
}

// options checks a list of options; texts says whether they may be mrkdwn.
func (c *checker) options(p string, v any, texts string, least, most int) {
	opts := list(v)
	c.count(p, len(opts), least, most)
	for i, o := range opts {
		c.option(fmt.Sprintf("%s/%d", p, i), obj(o), texts)
	}
}

func (c *checker) option(p string, o map[string]any, texts string) {
	c.known(p, o, "text", "value", "description", "url")
	c.text(p+"/text", o["text"], texts, 75)
	c.size(p+"/value", str(o, "value"), 1, 150)
	c.optionalText(p, o, "description", texts, 75)
	c.optionalString(p, o, "url", 3000)
}

// groups checks a list of option groups.
func (c *checker) groups(p string, v any) {
	groups := list(v)
	c.count(p, len(groups), 1, 100)
	for i, g := range groups {
		at := fmt.Sprintf("%s/%d", p, i)
		c.known(at, obj(g), "label", "options")
		c.text(at+"/label", obj(g)["label"], plainOnly, 75)
		c.options(at+"/options", obj(g)["options"], plainOnly, 1, 100)
	}
}

func (c *checker) overflow(p string, e map[string]any) {
	c.options(p+"/options", e["options"], plainOnly, 1, 5)
}

func (c *checker) staticSelect(p string, e map[string]any) {
	if e["option_groups"] != nil {
		if e["options"] != nil {
			c.fail(p, "only one of options and option_groups allowed")
		}
		c.groups(p+"/option_groups", e["option_groups"])
	} else {
		c.options(p+"/options", e["options"], plainOnly, 1, 100)
	}
	c.initials(p, e, plainOnly)
}

func (c *checker) externalSelect(p string, e map[string]any) { c.initials(p, e, plainOnly) }

func (c *checker) choices(p string, e map[string]any) {
	c.options(p+"/options", e["options"], eitherText, 1, 10)
	c.initials(p, e, eitherText)
}

// initials checks that what is chosen beforehand is valid and among the options.
func (c *checker) initials(p string, e map[string]any, texts string) {
	_, key := valueKeys(str(e, "type"))
	v, present := e[key]
	if !present || v == nil {
		return
	}
	chosen := []any{v}
	if isList(key) {
		if chosen = list(v); len(chosen) == 0 {
			c.fail(p+"/"+key, "must have at least 1 item(s)")
		}
	}
	offered := optionsOf(e)
	for _, o := range chosen {
		c.option(p+"/"+key, obj(o), texts)
		if offered != nil && !slices.ContainsFunc(offered, func(x map[string]any) bool { return sameOption(x, o) }) {
			c.fail(p+"/"+key, "must match an option that is provided: %s", str(obj(o), "value"))
		}
	}
}

func (c *checker) dateTime(p string, e map[string]any) {
	if v, present := e["initial_date_time"]; present {
		if n, ok := v.(float64); !ok || n < 1e9 || n >= 1e10 {
			c.fail(p+"/initial_date_time", "must be a Unix timestamp of 10 digits")
		}
	}
}

func (c *checker) textInput(p string, e map[string]any) {
	c.optionalString(p, e, "initial_value", 3000)
	least, _ := e["min_length"].(float64)
	most, limited := e["max_length"].(float64)
	if least < 0 || least > 3000 {
		c.fail(p+"/min_length", "must be between 0 and 3000")
	}
	if limited && (most < 1 || most > 3000 || most < least) {
		c.fail(p+"/max_length", "must be between 1 and 3000 and not below min_length")
	}
	if limited && most >= 1 {
		c.size(p+"/initial_value", str(e, "initial_value"), 0, int(most))
	}
}
