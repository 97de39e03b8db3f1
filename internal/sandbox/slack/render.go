package slack

import (
	"fmt"
	"strings"
)

// renderer turns Block Kit into plain text as one reader would see it. The
// workspace's lock is held while it works.
type renderer struct {
	w      *Workspace
	reader string
	state  stateValues
	errors map[string]string
}

// Render answers blocks as plain text, as the reader sees them: times in their
// time zone, people by name. Without a reader times are in UTC.
func (w *Workspace) Render(reader string, blocks []Block) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return (&renderer{w: w, reader: reader}).blocks(blocks)
}

// RenderMessage answers what a reader sees of a message: its blocks, or its
// text when it has none.
func (w *Workspace) RenderMessage(reader string, m Message) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &renderer{w: w, reader: reader, state: w.draft(reader, &m)}
	if len(m.Blocks) == 0 {
		return r.mrkdwn(m.Text)
	}
	return r.blocks(m.Blocks)
}

// RenderView answers a modal or a home tab as its owner sees it, with what they
// typed and the errors at the inputs.
func (w *Workspace) RenderView(v View) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &renderer{w: w, reader: v.User, state: v.State, errors: v.Errors}
	var lines []string
	if v.Title != "" {
		lines = append(lines, "┌ "+v.Title)
	}
	lines = append(lines, r.blocks(v.Blocks))
	if v.Type == "modal" {
		label := v.CloseLabel
		setDefault(&label, "Cancel")
		buttons := "[ " + label + " ]"
		if v.SubmitLabel != "" {
			buttons += " [ " + v.SubmitLabel + " ]"
		}
		lines = append(lines, "└ "+buttons)
	}
	return strings.Join(lines, "\n")
}

// RenderText answers mrkdwn as plain text, as the reader sees it.
func (w *Workspace) RenderText(reader, mrkdwn string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return (&renderer{w: w, reader: reader}).mrkdwn(mrkdwn)
}

func (r *renderer) blocks(blocks []Block) string {
	lines := make([]string, 0, len(blocks))
	for _, b := range blocks {
		lines = append(lines, r.block(b))
	}
	return strings.Join(lines, "\n")
}

func (r *renderer) block(b Block) string {
	switch kind := str(b, "type"); kind {
	case "header":
		return "## " + r.text(b["text"])
	case "divider":
		return strings.Repeat("─", 40)
	case "section":
		return r.section(b)
	case "context":
		return "   " + strings.Join(r.each(b["elements"], r.contextElement), "  ·  ")
	case "actions":
		return strings.Join(r.each(b["elements"], func(e map[string]any) string { return r.element(b, e) }), " ")
	case "input":
		return r.input(b)
	case "image":
		return "[image: " + str(b, "alt_text") + "]"
	case "markdown":
		return str(b, "text")
	case "rich_text":
		return strings.Join(r.each(b["elements"], r.richPart), "\n")
	default:
		return "[unknown block " + kind + "]"
	}
}

func (r *renderer) each(v any, show func(map[string]any) string) []string {
	var out []string
	for _, e := range list(v) {
		out = append(out, show(obj(e)))
	}
	return out
}

// text renders a text object: plain text as it is, mrkdwn as it reads.
func (r *renderer) text(v any) string {
	o := obj(v)
	if str(o, "type") == "mrkdwn" {
		return r.mrkdwn(str(o, "text"))
	}
	return str(o, "text")
}

func (r *renderer) contextElement(e map[string]any) string {
	if str(e, "type") == "image" {
		return "[image: " + str(e, "alt_text") + "]"
	}
	return r.text(e)
}

func (r *renderer) section(b Block) string {
	var lines []string
	if b["text"] != nil {
		lines = append(lines, r.text(b["text"]))
	}
	for _, f := range list(b["fields"]) {
		name, value, two := strings.Cut(r.text(f), "\n")
		if two && !strings.HasSuffix(name, ":") {
			name += ":"
		}
		lines = append(lines, strings.TrimRight("   "+name+" "+strings.ReplaceAll(value, "\n", " "), " "))
	}
	if a := obj(b["accessory"]); a != nil {
		lines = append(lines, r.element(b, a))
	}
	return strings.Join(lines, "\n")
}

func (r *renderer) input(b Block) string {
	label := r.text(b["label"])
	if flag(b, "optional") {
		label += " (optional)"
	}
	lines := []string{label, indent(r.element(b, obj(b["element"])))}
	if b["hint"] != nil {
		lines = append(lines, indent(r.text(b["hint"])))
	}
	if e := r.errors[str(b, "block_id")]; e != "" {
		lines = append(lines, indent("! "+e))
	}
	return strings.Join(lines, "\n")
}

func indent(s string) string { return "   " + strings.ReplaceAll(s, "\n", "\n   ") }

// richPart renders one part of a rich text block.
func (r *renderer) richPart(e map[string]any) string {
	inline := strings.Join(r.each(e["elements"], r.richInline), "")
	switch str(e, "type") {
	case "rich_text_section":
		return inline
	case "rich_text_list":
		return strings.Join(r.each(e["elements"], func(x map[string]any) string { return "• " + r.richPart(x) }), "\n")
	case "rich_text_quote":
		return "> " + strings.ReplaceAll(inline, "\n", "\n> ")
	case "rich_text_preformatted":
		return indent(inline)
	}
	return "[unknown rich text " + str(e, "type") + "]"
}

func (r *renderer) richInline(e map[string]any) string {
	switch str(e, "type") {
	case "text":
		return str(e, "text")
	case "link":
		return link(str(e, "url"), str(e, "text"))
	case "user":
		return "@" + r.w.userName(str(e, "user_id"))
	case "usergroup":
		return "@" + r.w.groupHandle(str(e, "usergroup_id"))
	case "channel":
		return "#" + r.w.channelLabel(str(e, "channel_id"))
	case "emoji":
		return ":" + str(e, "name") + ":"
	case "broadcast":
		return "@" + str(e, "range")
	case "date":
		at, _ := e["timestamp"].(float64)
		return r.date(int64(at), str(e, "format"))
	case "rich_text_section":
		return r.richPart(e)
	}
	return fmt.Sprintf("[unknown rich text %s]", str(e, "type"))
}

func link(url, text string) string {
	if text == "" || text == url {
		return url
	}
	return text + " (" + url + ")"
}
