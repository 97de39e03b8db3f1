package jira_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/jira"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	cases := []struct{ typed, want string }{
		{"Restart the broker at 10:30, see AT&T.", "Restart the broker at 10:30, see AT&T."},
		{"roll-back of 2026-03-01", "roll-back of 2026-03-01"},
		{"[~accountid:x]", `\[\~accountid:x\]`},
		{`\[~accountid:x]`, `&#92;\[\~accountid:x\]`},
		{`\\[~accountid:x]`, `&#92;&#92;\[\~accountid:x\]`},
		{"!http://evil.example/a.png!", `\!http://evil.example/a.png\!`},
		{"[here|https://evil.example]", `\[here\|https://evil.example\]`},
		{"{code}x{code}", `\{code\}x\{code\}`},
		{"&#91;~x&#93; &lt; & a&b;", "&amp;#91;\\~x&amp;#93; &amp;lt; & a&amp;b;"},
		{"* a\n- b\n# c\nh1. d\n bq. e\n---- ", "\\* a\n\\- b\n\\# c\nh1&#46; d\n bq&#46; e\n\\-\\-\\-\\- "},
		{"*b* _i_ -s- +u+ ^p^ ~q~ ??c?? why?", `\*b\* \_i\_ \-s- \+u\+ \^p\^ \~q\~ \?\?c\?\? why?`},
		{"ok (x) (!) (on)", `ok \(x) (\!) \(on)`},
		{"see https://gitlab.com/g/p/-/merge_requests/1?a=b_c#note_2.", "see https://gitlab.com/g/p/-/merge_requests/1?a=b_c#note_2."},
		{"https://x.example/{code}!a.png|b", "https://x.example/%7Bcode%7D%21a.png%7Cb"},
		{"a\r\nb\x00\x1b\u202ec\u2028d\xff", "a\nbc\nd\uFFFD"},
	}
	for _, c := range cases {
		if got := jira.Escape(c.typed); got != c.want {
			t.Errorf("%q became\n%s, want\n%s", c.typed, got, c.want)
		}
	}
}

var wholeEntity = regexp.MustCompile(`&#?[0-9A-Za-z]+;`)

var bareAddress = regexp.MustCompile(`https?://[^\s<>"]+`)

// reads takes the escapes out as Jira's renderer does, and answers the text that
// is still markup beside the text that people read.
func reads(markup string) (live, text string) {
	var l, x strings.Builder
	for i := 0; i < len(markup); i++ {
		switch {
		case markup[i] != '\\' || i+1 == len(markup):
			l.WriteByte(markup[i])
			x.WriteByte(markup[i])
		case markup[i+1] == '\\': // a forced line break escapes nothing
			l.WriteByte('\n')
			x.WriteByte('\n')
			i++
		default:
			i++
			l.WriteByte(1) // something stands there, but no markup
			x.WriteByte(markup[i])
		}
	}
	return l.String(), wholeEntity.ReplaceAllStringFunc(x.String(), html.UnescapeString)
}

func checkEscaped(t interface{ Errorf(string, ...any) }, typed string) {
	got := jira.Escape(typed)
	live, text := reads(got)
	if at := strings.IndexAny(live, `[]{}!|*^~\`); at >= 0 {
		t.Errorf("%q became %q, in which %q is live", typed, got, live[at])
	}
	if regexp.MustCompile(`(?m)^\s*([-#]+\s|h[1-6]\.|bq\.|----)`).MatchString(live) {
		t.Errorf("%q became %q, in which a line begins with markup", typed, got)
	}
	if strings.Contains(bareAddress.ReplaceAllString(live, ""), "_") {
		t.Errorf("%q became %q, in which an underscore is live", typed, got)
	}
	if !utf8.ValidString(got) {
		t.Errorf("%q became invalid UTF-8: %q", typed, got)
	}
	if plain := strings.ReplaceAll(typed, "\r", "\n"); utf8.ValidString(typed) && !strings.Contains(typed, "://") &&
		!strings.Contains(typed, "\r\n") && !strings.ContainsFunc(typed, odd) && text != plain {
		t.Errorf("%q reads %q", typed, text)
	}
}

func odd(r rune) bool {
	return (r < ' ' && r != '\n' && r != '\t' && r != '\r') || (r >= 0x7f && r < 0xa0) || (r >= 0x2028 && r <= 0x2069)
}

func FuzzEscapeLeavesNoMarkupAlive(f *testing.F) {
	for _, s := range []string{"[~accountid:x]", `\[~x]`, `\\[~x]`, "!http://x/a.png!", "{code}", "&#91;~x]", "http://a\\[~x]", "a\rh1. b", "http://x/[~y]", "\xff\\", "h1!"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) { checkEscaped(t, typed) })
}

func TestEscapeLeavesNoMarkupAlive(t *testing.T) {
	t.Parallel()
	bits := []string{"[", "]", "~", "!", "{", "}", "|", "\\", "*", "_", "-", "#", "\n", " ", "&#91;", "&amp;", "h1.", "bq.", "http://", "https://x", "a", "🔥", "?", "(x)", "^", "+", "\r", "accountid:", "."}
	rapid.Check(t, func(t *rapid.T) {
		checkEscaped(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(bits), 0, 30).Draw(t, "bits"), ""))
	})
}
