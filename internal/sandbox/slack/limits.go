package slack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// problem is one breach of Block Kit's rules, in Slack's words.
type problem struct {
	pointer string // JSON pointer
	text    string
}

func (p problem) String() string {
	return fmt.Sprintf("[ERROR] %s [json-pointer:%s]", p.text, p.pointer)
}

// checker looks for what Slack would refuse in blocks and views.
type checker struct {
	view     bool // blocks of a view rather than of a message
	problems []problem
	pings    []string // mrkdwn that would ping a whole channel
	blockIDs map[string]bool
	focus    int
	inputs   int
}

func (c *checker) fail(pointer, format string, args ...any) {
	c.problems = append(c.problems, problem{pointer, fmt.Sprintf(format, args...)})
}

func (c *checker) messages() []string {
	out := make([]string, 0, len(c.problems))
	for _, p := range c.problems {
		out = append(out, p.String())
	}
	return out
}

// size checks the length of a string in characters.
func (c *checker) size(pointer, s string, least, most int) {
	switch n := utf8.RuneCountInString(s); {
	case n < least:
		c.fail(pointer, "must be more than %d characters", least-1)
	case n > most:
		c.fail(pointer, "must be less than %d characters", most+1)
	}
}

// known refuses members that Slack does not know for this kind of object.
func (c *checker) known(pointer string, o map[string]any, allowed ...string) {
	for k := range o {
		if !slices.Contains(allowed, k) {
			c.fail(pointer, "invalid additional property: %s", k)
		}
	}
}

// optionalString checks a string member that may be absent.
func (c *checker) optionalString(pointer string, o map[string]any, key string, most int) {
	v, present := o[key]
	if !present || v == nil {
		return
	}
	s, ok := v.(string)
	if !ok {
		c.fail(pointer+"/"+key, "must be a string")
		return
	}
	c.size(pointer+"/"+key, s, 0, most)
}

// Kinds of text that a member takes.
const (
	plainOnly  = "plain_text"
	eitherText = "either"
)

// text checks a text object of 1 to most characters.
func (c *checker) text(pointer string, v any, kinds string, most int) {
	o := obj(v)
	if o == nil {
		c.fail(pointer, "missing required field: text object")
		return
	}
	kind := str(o, "type")
	switch {
	case kind == "plain_text":
		c.known(pointer, o, "type", "text", "emoji")
	case kind == "mrkdwn" && kinds == eitherText:
		c.known(pointer, o, "type", "text", "verbatim")
		c.ping(str(o, "text"))
	default:
		c.fail(pointer+"/type", "must be one of: %s", map[string]string{plainOnly: "plain_text", eitherText: "plain_text, mrkdwn"}[kinds])
		return
	}
	c.size(pointer+"/text", str(o, "text"), 1, most)
}

func (c *checker) optionalText(pointer string, o map[string]any, key, kinds string, most int) {
	if v, present := o[key]; present && v != nil {
		c.text(pointer+"/"+key, v, kinds, most)
	}
}

var channelPing = regexp.MustCompile(`<!(channel|here|everyone)(\|[^>]*)?>`)

// ping notes mrkdwn that would notify a whole channel.
func (c *checker) ping(mrkdwn string) {
	if hit := channelPing.FindString(mrkdwn); hit != "" {
		c.pings = append(c.pings, hit)
	}
}

// blocks checks the blocks of a message or a view.
func (c *checker) blocks(pointer string, v any, most int) {
	if v == nil {
		c.fail(pointer, "missing required field: blocks")
		return
	}
	all, ok := v.([]any)
	if !ok {
		c.fail(pointer, "must provide an array")
		return
	}
	if len(all) > most {
		c.fail(pointer, "no more than %d items allowed", most)
	}
	c.blockIDs = map[string]bool{}
	for i, b := range all {
		c.block(fmt.Sprintf("%s/%d", pointer, i), b)
	}
	if c.focus > 1 {
		c.fail(pointer, "only one element may have focus_on_load")
	}
}

func (c *checker) block(pointer string, v any) {
	b := obj(v)
	if b == nil {
		c.fail(pointer, "must be an object")
		return
	}
	c.optionalString(pointer, b, "block_id", 255)
	if id := str(b, "block_id"); id != "" {
		if c.blockIDs[id] {
			c.fail(pointer+"/block_id", "`block_id` already exists: %s", id)
		}
		c.blockIDs[id] = true
	}
	check, known := blockChecks()[str(b, "type")]
	if !known {
		c.fail(pointer+"/type", "unsupported type: %s", str(b, "type"))
		return
	}
	check(c, pointer, b)
}

func blockChecks() map[string]func(*checker, string, Block) {
	return map[string]func(*checker, string, Block){
		"section": (*checker).section, "header": (*checker).header, "divider": (*checker).divider,
		"context": (*checker).context, "actions": (*checker).actions, "input": (*checker).input,
		"image": (*checker).image, "rich_text": (*checker).richText, "markdown": (*checker).markdown,
	}
}

func (c *checker) section(p string, b Block) {
	c.known(p, b, "type", "block_id", "text", "fields", "accessory", "expand")
	fields := list(b["fields"])
	if b["text"] == nil && len(fields) == 0 {
		c.fail(p, "missing required field: text or fields")
	}
	c.optionalText(p, b, "text", eitherText, 3000)
	if len(fields) > 10 {
		c.fail(p+"/fields", "no more than 10 items allowed")
	}
	for i, f := range fields {
		c.text(fmt.Sprintf("%s/fields/%d", p, i), f, eitherText, 2000)
	}
	if b["accessory"] != nil {
		c.element(p+"/accessory", obj(b["accessory"]), inSection)
	}
}

func (c *checker) header(p string, b Block) {
	c.known(p, b, "type", "block_id", "text", "level")
	c.text(p+"/text", b["text"], plainOnly, 150)
}

func (c *checker) divider(p string, b Block) { c.known(p, b, "type", "block_id") }

func (c *checker) context(p string, b Block) {
	c.known(p, b, "type", "block_id", "elements")
	elements := list(b["elements"])
	c.count(p+"/elements", len(elements), 1, 10)
	for i, e := range elements {
		at := fmt.Sprintf("%s/elements/%d", p, i)
		if str(obj(e), "type") == "image" {
			c.element(at, obj(e), inSection)
		} else {
			c.text(at, e, eitherText, 3000)
		}
	}
}

func (c *checker) count(p string, n, least, most int) {
	if n < least {
		c.fail(p, "must have at least %d item(s)", least)
	}
	if n > most {
		c.fail(p, "no more than %d items allowed", most)
	}
}

func (c *checker) actions(p string, b Block) {
	c.known(p, b, "type", "block_id", "elements")
	elements := list(b["elements"])
	c.count(p+"/elements", len(elements), 1, 25)
	ids := map[string]bool{}
	for i, e := range elements {
		at := fmt.Sprintf("%s/elements/%d", p, i)
		c.element(at, obj(e), inActions)
		if id := str(obj(e), "action_id"); id != "" {
			if ids[id] {
				c.fail(at+"/action_id", "`action_id` already exists: %s", id)
			}
			ids[id] = true
		}
	}
}

func (c *checker) input(p string, b Block) {
	c.inputs++
	c.known(p, b, "type", "block_id", "label", "element", "dispatch_action", "hint", "optional")
	c.text(p+"/label", b["label"], plainOnly, 2000)
	c.optionalText(p, b, "hint", plainOnly, 2000)
	c.element(p+"/element", obj(b["element"]), inInput)
}

func (c *checker) image(p string, b Block) {
	c.known(p, b, "type", "block_id", "alt_text", "image_url", "slack_file", "title")
	c.size(p+"/alt_text", str(b, "alt_text"), 1, 2000)
	c.optionalString(p, b, "image_url", 3000)
	if str(b, "image_url") == "" && b["slack_file"] == nil {
		c.fail(p, "missing required field: image_url or slack_file")
	}
	c.optionalText(p, b, "title", plainOnly, 2000)
}

func (c *checker) markdown(p string, b Block) {
	c.known(p, b, "type", "block_id", "text")
	if c.view {
		c.fail(p+"/type", "unsupported type: markdown")
	}
	c.size(p+"/text", str(b, "text"), 1, 12000)
}

func (c *checker) richText(p string, b Block) {
	c.known(p, b, "type", "block_id", "elements")
	if _, ok := b["elements"].([]any); !ok {
		c.fail(p+"/elements", "missing required field: elements")
	}
	for i, e := range list(b["elements"]) {
		if kind := str(obj(e), "type"); !strings.HasPrefix(kind, "rich_text_") {
			c.fail(fmt.Sprintf("%s/elements/%d/type", p, i), "unsupported type: %s", kind)
		}
		c.broadcasts(obj(e))
	}
}

// broadcasts notes rich text that would notify a whole channel.
func (c *checker) broadcasts(e map[string]any) {
	if str(e, "type") == "broadcast" {
		c.pings = append(c.pings, "<!"+str(e, "range")+">")
	}
	for _, child := range list(e["elements"]) {
		c.broadcasts(obj(child))
	}
}
