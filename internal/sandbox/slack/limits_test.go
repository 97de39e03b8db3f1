package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func times(n int, s string) string {
	return strings.TrimSuffix(strings.Repeat(s+",", n), ",")
}

func numbered(n int, format string) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return strings.Join(out, ",")
}

func TestBlocksThatSlackRefusesAreRefused(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("é", n) }
	section := func(text string) string {
		return `{"type":"section","text":{"type":"mrkdwn","text":"` + text + `"}}`
	}
	actions := func(element string) string { return `{"type":"actions","elements":[` + element + `]}` }
	button := func(more string) string {
		return `{"type":"button","text":{"type":"plain_text","text":"Go"}` + more + `}`
	}
	opt := `{"text":{"type":"plain_text","text":"o"},"value":"%d"}`
	static := func(n int) string {
		return actions(`{"type":"static_select","options":[` + numbered(n, opt) + `]}`)
	}
	input := func(element string) string {
		return `{"type":"input","label":{"type":"plain_text","text":"L"},"element":` + element + `}`
	}
	cases := []struct {
		name, blocks, pointer string // an empty pointer: Slack takes it
	}{
		{"fifty blocks", times(50, `{"type":"divider"}`), ""},
		{"fifty-one blocks", times(51, `{"type":"divider"}`), "/blocks"},
		{"a section of 3000", section(long(3000)), ""},
		{"a section of 3001", section(long(3001)), "/blocks/0/text/text"},
		{"an empty section text", section(""), "/blocks/0/text/text"},
		{"a section without text", `{"type":"section"}`, "/blocks/0"},
		{"eleven fields", `{"type":"section","fields":[` + times(11, `{"type":"mrkdwn","text":"f"}`) + `]}`, "/blocks/0/fields"},
		{"a field of 2001", `{"type":"section","fields":[{"type":"mrkdwn","text":"` + long(2001) + `"}]}`, "/blocks/0/fields/0/text"},
		{"a header of 151", `{"type":"header","text":{"type":"plain_text","text":"` + long(151) + `"}}`, "/blocks/0/text/text"},
		{"a header in mrkdwn", `{"type":"header","text":{"type":"mrkdwn","text":"h"}}`, "/blocks/0/text/type"},
		{"eleven context elements", `{"type":"context","elements":[` + times(11, `{"type":"mrkdwn","text":"c"}`) + `]}`, "/blocks/0/elements"},
		{"twenty-six buttons", actions(times(26, button(""))), "/blocks/0/elements"},
		{"no buttons", actions(""), "/blocks/0/elements"},
		{"a button of 76", actions(`{"type":"button","text":{"type":"plain_text","text":"` + long(76) + `"}}`), "/blocks/0/elements/0/text/text"},
		{"a button value of 2001", actions(button(`,"value":"` + long(2001) + `"`)), "/blocks/0/elements/0/value"},
		{"a button url of 3001", actions(button(`,"url":"` + long(3001) + `"`)), "/blocks/0/elements/0/url"},
		{"a red button", actions(button(`,"style":"red"`)), "/blocks/0/elements/0/style"},
		{"an action_id of 256", actions(button(`,"action_id":"` + long(256) + `"`)), "/blocks/0/elements/0/action_id"},
		{"one action_id twice", actions(times(2, button(`,"action_id":"a"`))), "/blocks/0/elements/1/action_id"},
		{"one block_id twice", times(2, `{"type":"divider","block_id":"b"}`), "/blocks/1/block_id"},
		{"a confirm title of 101", actions(button(`,"confirm":{"title":{"type":"plain_text","text":"` + long(101) +
			`"},"text":{"type":"plain_text","text":"t"},"confirm":{"type":"plain_text","text":"y"},"deny":{"type":"plain_text","text":"n"}}`)), "/blocks/0/elements/0/confirm/title/text"},
		{"a confirm without deny", actions(button(`,"confirm":{"title":{"type":"plain_text","text":"t"},"text":{"type":"plain_text","text":"t"},"confirm":{"type":"plain_text","text":"y"}}`)), "/blocks/0/elements/0/confirm/deny"},
		{"a hundred options", static(100), ""},
		{"a hundred and one options", static(101), "/blocks/0/elements/0/options"},
		{"no options", static(0), "/blocks/0/elements/0/options"},
		{"an option text of 76", actions(`{"type":"static_select","options":[{"text":{"type":"plain_text","text":"` + long(76) + `"},"value":"v"}]}`), "/blocks/0/elements/0/options/0/text/text"},
		{"an option value of 151", actions(`{"type":"static_select","options":[{"text":{"type":"plain_text","text":"o"},"value":"` + long(151) + `"}]}`), "/blocks/0/elements/0/options/0/value"},
		{"an initial option that is not offered", actions(`{"type":"static_select","options":[` + numbered(2, opt) + `],"initial_option":` + fmt.Sprintf(opt, 7) + `}`), "/blocks/0/elements/0/initial_option"},
		{"eleven radio buttons", actions(`{"type":"radio_buttons","options":[` + numbered(11, opt) + `]}`), "/blocks/0/elements/0/options"},
		{"a placeholder of 151", actions(`{"type":"users_select","placeholder":{"type":"plain_text","text":"` + long(151) + `"}}`), "/blocks/0/elements/0/placeholder/text"},
		{"an unknown member", actions(button(`,"colour":"red"`)), "/blocks/0/elements/0"},
		{"an unknown block", `{"type":"fireworks"}`, "/blocks/0/type"},
		{"an unknown element", actions(`{"type":"lever"}`), "/blocks/0/elements/0/type"},
		{"a text input among buttons", actions(`{"type":"plain_text_input"}`), "/blocks/0/elements/0/type"},
		{"a text input of 3001", input(`{"type":"plain_text_input","max_length":3001}`), "/blocks/0/element/max_length"},
		{"a url input with several lines", input(`{"type":"url_text_input","multiline":true}`), "/blocks/0/element"},
		{"a label of 2001", `{"type":"input","label":{"type":"plain_text","text":"` + long(2001) + `"},"element":{"type":"users_select"}}`, "/blocks/0/label/text"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			got := call(t, b.ws.APIURL()+"chat.postMessage", "xoxb-sandbox", `{"channel":"C0PROD","text":"x","blocks":[`+c.blocks+`]}`)
			valid := call(t, b.ws.APIURL()+"blocks.validate", "xoxb-sandbox", `{"message":{"blocks":[`+c.blocks+`]}}`)
			if c.pointer == "" {
				if got["ok"] != true || valid["ok"] != true {
					t.Fatalf("refused: %v %v", got, valid)
				}
				slack.RequireNoViolations(t, b.ws)
				return
			}
			messages := fmt.Sprint(got["response_metadata"])
			if got["error"] != "invalid_blocks" || !strings.Contains(messages, "[json-pointer:"+c.pointer+"]") {
				t.Errorf("answer %v %s, want invalid_blocks at %s", got["error"], messages, c.pointer)
			}
			if valid["error"] != "invalid_message" {
				t.Errorf("blocks.validate = %v", valid)
			}
			wantViolations(t, b.ws, "chat.postMessage: invalid_blocks")
		})
	}
}

func TestMessagesThatPeopleWouldSufferFromAreViolations(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ body, violation, err string }{
		"blocks without text":      {`"blocks":[{"type":"divider"}]`, "no text beside the blocks", ""},
		"a ping in the text":       {`"text":"<!channel> look"`, "pings everybody: <!channel>", ""},
		"a labelled ping":          {`"text":"<!here|here>"`, "pings everybody", ""},
		"a ping in a block":        {`"text":"x","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"<!everyone>"}}]`, "pings everybody", ""},
		"a ping in rich text":      {`"text":"x","blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"broadcast","range":"here"}]}]}]`, "pings everybody", ""},
		"nothing at all":           {`"text":""`, "no_text", "no_text"},
		"a text that is too long":  {`"text":"` + strings.Repeat("x", 40001) + `"`, "msg_too_long", "msg_too_long"},
		"an escaped ping":          {`"text":"&lt;!channel&gt;"`, "", ""},
		"a ping shown as it is":    {`"text":"x","blocks":[{"type":"section","text":{"type":"plain_text","text":"<!channel>"}}]`, "", ""},
		"a mention of a usergroup": {`"text":"<!subteam^S0CTO>"`, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			got := call(t, b.ws.APIURL()+"chat.postMessage", "xoxb-sandbox", `{"channel":"C0PROD",`+c.body+`}`)
			if e, _ := got["error"].(string); e != c.err {
				t.Errorf("error %q, want %q", e, c.err)
			}
			if c.violation == "" {
				slack.RequireNoViolations(t, b.ws)
			} else {
				wantViolations(t, b.ws, c.violation)
			}
		})
	}
}

func TestViewsThatSlackRefusesAreRefused(t *testing.T) {
	t.Parallel()
	input := `{"type":"input","block_id":"%d","label":{"type":"plain_text","text":"L"},"element":{"type":"plain_text_input"}}`
	view := func(changes map[string]any) map[string]any {
		var blocks []any
		_ = json.Unmarshal([]byte(`[`+numbered(2, input)+`]`), &blocks)
		text := func(s string) any { return map[string]any{"type": "plain_text", "text": s} }
		out := map[string]any{"type": "modal", "title": text("Title"), "submit": text("Go"), "blocks": blocks}
		for k, v := range changes {
			if s, isText := v.(string); isText && (k == "title" || k == "submit" || k == "close") {
				v = text(s)
			}
			out[k] = v
		}
		return out
	}
	cases := []struct {
		name    string
		changes map[string]any
		code    string
	}{
		{"a good one", nil, ""},
		{"a title of 24", map[string]any{"title": strings.Repeat("t", 24)}, ""},
		{"a title of 25", map[string]any{"title": strings.Repeat("t", 25)}, "invalid_arguments"},
		{"a submit of 25", map[string]any{"submit": strings.Repeat("t", 25)}, "invalid_arguments"},
		{"a close of 25", map[string]any{"close": strings.Repeat("t", 25)}, "invalid_arguments"},
		{"inputs without submit", map[string]any{"submit": nil}, "invalid_arguments"},
		{"private_metadata of 3000", map[string]any{"private_metadata": strings.Repeat("m", 3000)}, ""},
		{"private_metadata of 3001", map[string]any{"private_metadata": strings.Repeat("m", 3001)}, "invalid_arguments"},
		{"a callback_id of 256", map[string]any{"callback_id": strings.Repeat("m", 256)}, "invalid_arguments"},
		{"an unknown member", map[string]any{"colour": "red"}, "invalid_arguments"},
		{"a home tab", map[string]any{"type": "home"}, "invalid_arguments"},
		{"no blocks", map[string]any{"blocks": nil}, "invalid_arguments"},
		{"101 blocks", map[string]any{"blocks": make([]map[string]any, 101)}, "invalid_arguments"},
		{"more than 250 KB", map[string]any{"private_metadata": strings.Repeat("m", 260000)}, "view_too_large"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			p, err := b.ws.Person("U0ADA").CommandPayload("C0PROD", "/x", "")
			must(t, err)
			raw, err := json.Marshal(map[string]any{"trigger_id": p["trigger_id"], "view": view(c.changes)})
			must(t, err)
			got := call(t, b.ws.APIURL()+"views.open", "xoxb-sandbox", string(raw))
			if e, _ := got["error"].(string); e != c.code {
				t.Fatalf("answer %v, want %q", got, c.code)
			}
			if c.code != "" {
				wantViolations(t, b.ws, "views.open: "+c.code)
			}
		})
	}
}

func TestATriggerOpensOneFormWithinThreeSeconds(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx := t.Context()
	trigger := func() string {
		p, err := b.ws.Person("U0ADA").CommandPayload("C0PROD", "/x", "")
		must(t, err)
		return p["trigger_id"].(string)
	}
	first, second := trigger(), trigger()
	_, err := b.api.OpenViewContext(ctx, first, form("C0PROD", false))
	must(t, err)
	if _, err := b.api.OpenViewContext(ctx, first, form("C0PROD", false)); code(err) != "exchanged_trigger_id" {
		t.Errorf("twice: %v", err)
	}
	if _, err := b.api.OpenViewContext(ctx, "1.2.3", form("C0PROD", false)); code(err) != "invalid_trigger_id" {
		t.Errorf("made up: %v", err)
	}
	b.clock.Add(3*time.Second + time.Millisecond)
	if _, err := b.api.OpenViewContext(ctx, second, form("C0PROD", false)); code(err) != "expired_trigger_id" {
		t.Errorf("late: %v", err)
	}
	wantViolations(t, b.ws, "exchanged_trigger_id", "invalid_trigger_id", "expired_trigger_id")
}

func TestAStaleHashConflictsAndClosedViewsAreGone(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx, ada := t.Context(), b.ws.Person("U0ADA")
	_, err := ada.Command(ctx, "C0PROD", "/emergency", "")
	must(t, err)
	v, _ := b.ws.View("U0ADA")
	_, err = b.api.UpdateViewContext(ctx, form("C0PROD", false), "", v.Hash, v.ID)
	must(t, err)
	if _, err := b.api.UpdateViewContext(ctx, form("C0PROD", false), "", v.Hash, v.ID); code(err) != "hash_conflict" {
		t.Errorf("with a stale hash: %v", err)
	}
	must(t, ada.CloseView(ctx))
	if _, err := b.api.UpdateViewContext(ctx, form("C0PROD", false), "", "", v.ID); code(err) != "not_found" {
		t.Errorf("after it was closed: %v", err)
	}
	slack.RequireNoViolations(t, b.ws)
}
