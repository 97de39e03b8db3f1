package incidentio_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/incidentio"
)

func TestMarkdownIsShownAsTyped(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Restarted the pool.":       "Restarted the pool.",
		"a\nb":                      "a  \nb",
		"a\r\n\r\nb":                "a\n\nb",
		"*a* _b_ `c` ~d~":           `\*a\* \_b\_ ` + "\\`c\\`" + ` \~d\~`,
		"# not a heading":           `\# not a heading`,
		"- a\n+ b\n1. c\n2) d":      "\\- a  \n\\+ b  \n1\\. c  \n2\\) d",
		"2026-03-02 is fine - so":   "2026-03-02 is fine - so",
		"    kubectl get":           "\u00a0\u00a0\u00a0\u00a0kubectl get",
		"<b>&amp;":                  "&lt;b&gt;&amp;amp;",
		"@here <@U0ADA> <!channel>": "@\u200bhere &lt;@\u200bU0ADA&gt; &lt;\\!channel&gt;",
		"![i](http://x) [l](www.y)": "\\!\\[i\\](http:\u200b//x) \\[l\\](www\u200b.y)",
		"a|b\\c":                    `a\|b\\c`,
		"===":                       `\===`,
		"abc\u202ecba\x07":          "abccba",
		"":                          "",
	} {
		if got := incidentio.EscapeMarkdown(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// live is what must never be left of people's words.
var live = regexp.MustCompile(`@[^\x{200b}]|<|(^|[^\\])(\\\\)*[\[\]!*_` + "`" + `#]|://|www\.|mailto:`)

func TestNoWordsOfPeopleComeAlive(t *testing.T) {
	t.Parallel()
	words := rapid.SliceOf(rapid.OneOf(
		rapid.SampledFrom([]string{"@here", "<!channel>", "![x](http://y)", "[a](b)", "www.", "mailto:", `\`, "`", "\n", "- ", "<script>", "@", "!", "[", "://", "\t", "\r\n"}),
		rapid.StringN(0, 10, -1),
	))
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(words.Draw(t, "words"), "")
		if out := incidentio.EscapeMarkdown(in); live.MatchString(out) {
			t.Fatalf("%q became %q, in which %q lives", in, out, live.FindString(out))
		}
	})
}
