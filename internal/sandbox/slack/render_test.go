package slack_test

import (
	"encoding/json"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestMarkupReadsAsItDoesInSlack(t *testing.T) {
	t.Parallel()
	b := setup(t, nil) // it is 2 March 2026, 9:30 UTC
	cases := map[string]struct{ reader, mrkdwn, want string }{
		"names":            {"", "<@U0ADA> and <@U0NEW> in <#C0PROD> with <!subteam^S0CTO>", "@Ada and @U0NEW in #production with @cto"},
		"links":            {"", "<https://a.example/x?a=1&amp;b=2|the &lt;docs&gt;> <https://b.example>", "the <docs> (https://a.example/x?a=1&b=2) https://b.example"},
		"escapes":          {"", "a &lt;!channel&gt; &amp;lt; b", "a <!channel> &lt; b"},
		"emphasis":         {"", "*bold*, _it_ and ~old~ *two words*", "bold, it and old two words"},
		"no emphasis":      {"", "2*3*4 snake_case_name", "2*3*4 snake_case_name"},
		"today in Vienna":  {"U0ADA", "<!date^1772443800^{date_short_pretty} {time}|x>", "today 10:30 AM"},
		"tomorrow by zone": {"U0ADA", "<!date^1772494200^{date_short_pretty} {time}|x>", "tomorrow 12:30 AM"},
		"today in America": {"U0CTO", "<!date^1772494200^{date_short_pretty} {time}|x>", "today 6:30 PM"},
		"another day":      {"", "<!date^1772000000^{date_short_pretty} at {time}^https://c.example|x>", "Feb 25, 2026 at 6:13 AM (https://c.example)"},
		"a broken date":    {"", "<!date^soon^{time}|later>", "later"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := b.ws.RenderText(c.reader, c.mrkdwn); got != c.want {
				t.Errorf("%q reads %q, want %q", c.mrkdwn, got, c.want)
			}
		})
	}
}

func TestEveryBlockIsShown(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	cases := map[string]struct{ block, want string }{
		"header":  {`{"type":"header","text":{"type":"plain_text","text":"EC-1"}}`, "## EC-1"},
		"divider": {`{"type":"divider"}`, "────────────────────────────────────────"},
		"fields":  {`{"type":"section","fields":[{"type":"mrkdwn","text":"*Who*\n<@U0ADA>"},{"type":"mrkdwn","text":"alone"}]}`, "   Who: @Ada\n   alone"},
		"accessory": {
			`{"type":"section","text":{"type":"mrkdwn","text":"Open"},"accessory":{"type":"button","text":{"type":"plain_text","text":"Show"},"url":"https://a.example"}}`,
			"Open\n[ Show ] <https://a.example>",
		},
		"context": {`{"type":"context","elements":[{"type":"mrkdwn","text":"a"},{"type":"image","alt_text":"face"}]}`, "   a  ·  [image: face]"},
		"confirm": {
			`{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Approve"},"confirm":{"title":{"type":"plain_text","text":"Sure?"}}},{"type":"button","text":{"type":"plain_text","text":"Deny"}}]}`,
			"[ Approve ] (asks first: Sure?) [ Deny ]",
		},
		"select":   {`{"type":"actions","elements":[{"type":"static_select","placeholder":{"type":"plain_text","text":"Pick"},"options":[]}]}`, "▾ (Pick)"},
		"people":   {`{"type":"input","label":{"type":"plain_text","text":"Who"},"optional":true,"element":{"type":"multi_users_select","initial_users":["U0ADA","U0CTO"]}}`, "Who (optional)\n   ▾ @Ada, @The CTO"},
		"text":     {`{"type":"input","label":{"type":"plain_text","text":"What"},"hint":{"type":"plain_text","text":"briefly"},"element":{"type":"plain_text_input","initial_value":"a\nb"}}`, "What\n   > a\n   > b\n   briefly"},
		"boxes":    {`{"type":"input","label":{"type":"plain_text","text":"L"},"element":{"type":"checkboxes","options":[{"text":{"type":"plain_text","text":"o"},"value":"1"},{"text":{"type":"plain_text","text":"p"},"value":"2","description":{"type":"plain_text","text":"why"}}],"initial_options":[{"text":{"type":"plain_text","text":"o"},"value":"1"}]}}`, "L\n   [x] o\n   [ ] p – why"},
		"date":     {`{"type":"input","label":{"type":"plain_text","text":"L"},"element":{"type":"datepicker","initial_date":"2026-03-04"}}`, "L\n   ◷ 2026-03-04"},
		"moment":   {`{"type":"input","label":{"type":"plain_text","text":"L"},"element":{"type":"datetimepicker","initial_date_time":1772443800}}`, "L\n   ◷ Mar 2, 2026 9:30 AM"},
		"url":      {`{"type":"input","label":{"type":"plain_text","text":"L"},"element":{"type":"url_text_input","placeholder":{"type":"plain_text","text":"https"}}}`, "L\n   > (https)"},
		"external": {`{"type":"input","label":{"type":"plain_text","text":"L"},"element":{"type":"multi_external_select","initial_options":[{"text":{"type":"plain_text","text":"o"},"value":"1"}]}}`, "L\n   ▾ o"},
		"rich text": {
			`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"<!here> "},{"type":"user","user_id":"U0ADA"},{"type":"link","url":"https://a.example","text":"a"}]},{"type":"rich_text_list","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"one"}]}]},{"type":"rich_text_quote","elements":[{"type":"text","text":"q"}]}]}`,
			"<!here> @Adaa (https://a.example)\n• one\n> q",
		},
		"unknown block":   {`{"type":"fireworks"}`, "[unknown block fireworks]"},
		"unknown element": {`{"type":"actions","elements":[{"type":"lever"}]}`, "[unknown element lever]"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var block slack.Block
			must(t, json.Unmarshal([]byte(c.block), &block))
			if got := b.ws.Render("", []slack.Block{block}); got != c.want {
				t.Errorf("shown as\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
