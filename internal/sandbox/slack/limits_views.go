package slack

import (
	"encoding/json"
)

// Sizes of what an application may send.
const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxViewBytes     = 250 << 10
	maxMessageText   = 40000
	maxUpdateText    = 4000
	maxViewDepth     = 3
)

// checkView answers the error code and the problems of a view definition, or "".
// Pointers begin with /view, as Slack's do.
func checkView(def map[string]any, kind string) (code string, c *checker) {
	c = &checker{view: true}
	if raw, err := json.Marshal(def); err == nil && len(raw) > maxViewBytes {
		return "view_too_large", c
	}
	if def == nil {
		c.fail("/view", "must be an object")
		return "invalid_arguments", c
	}
	if t := str(def, "type"); t != kind {
		c.fail("/view/type", "must be %s, not %q", kind, t)
	}
	common := []string{"type", "blocks", "private_metadata", "callback_id", "external_id"}
	c.blocks("/view/blocks", def["blocks"], maxViewBlocks)
	c.optionalString("/view", def, "private_metadata", 3000)
	c.optionalString("/view", def, "callback_id", 255)
	c.optionalString("/view", def, "external_id", 255)
	if kind == "modal" {
		c.known("/view", def, append(common, "title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled")...)
		c.text("/view/title", def["title"], plainOnly, 24)
		c.optionalText("/view", def, "submit", plainOnly, 24)
		c.optionalText("/view", def, "close", plainOnly, 24)
		if c.inputs > 0 && def["submit"] == nil {
			c.fail("/view", "missing required field: submit, since the view has input blocks")
		}
	} else {
		c.known("/view", def, append(common, "title", "submit", "close")...)
		if def["submit"] != nil {
			c.fail("/view", "invalid additional property: submit")
		}
	}
	if len(c.problems) > 0 {
		return "invalid_arguments", c
	}
	return "", c
}

// checkOptions answers the problems of the answer to a block_suggestion.
func checkOptions(answer map[string]any) *checker {
	c := &checker{view: true}
	switch {
	case answer["options"] != nil:
		c.options("/options", answer["options"], plainOnly, 0, 100)
	case answer["option_groups"] != nil:
		c.groups("/option_groups", answer["option_groups"])
	default:
		c.fail("", "neither options nor option_groups")
	}
	return c
}

// complete adds the ids that Slack gives to blocks and elements that have none,
// and the flags it fills in, in place. Callers own def.
func (w *Workspace) complete(blocks any) {
	for _, v := range list(blocks) {
		b := obj(v)
		if str(b, "block_id") == "" {
			b["block_id"] = secretID()[:5]
		}
	}
	eachElement(blocksOf(blocks), func(_ Block, e map[string]any) {
		if e != nil && str(e, "action_id") == "" {
			e["action_id"] = secretID()[:5]
		}
	})
	fillFlags(blocks)
}

// fillFlags states the defaults of text objects, as Slack does when it tells a
// message or a view back.
func fillFlags(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			fillFlags(x)
		}
	case map[string]any:
		_, isText := v["text"].(string)
		switch {
		case isText && v["type"] == "plain_text" && v["emoji"] == nil:
			v["emoji"] = true
		case isText && v["type"] == "mrkdwn" && v["verbatim"] == nil:
			v["verbatim"] = false
		case v["type"] == "input":
			if v["optional"] == nil {
				v["optional"] = false
			}
			if v["dispatch_action"] == nil {
				v["dispatch_action"] = false
			}
		}
		for _, x := range v {
			fillFlags(x)
		}
	}
}
