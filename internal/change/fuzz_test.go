package change_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// FuzzParseNumber holds that a number is read as what it is shown as, and that
// a refusal is fit to be shown.
func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"EC-12", "ec-1", "12", " 7 ", "EC--1", "EC-", "0", "-3", "9223372036854775808", "EC-1\n", "０"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := change.ParseNumber(text)
		if err != nil {
			if n != 0 || !utf8.ValidString(err.Error()) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q: %d, %q", text, n, err)
			}
			return
		}
		if again, err := change.ParseNumber(n.String()); err != nil || again != n || n <= 0 {
			t.Fatalf("%q is read as %d, and that as %d, %v", text, n, again, err)
		}
	})
}

var holdsBack = regexp.MustCompile(`(^|[ \n\t.,;:!()"-])(not|don't|dont|don’t|reject|deny|denied|hold|wait)($|[ \n\t.,;:!()"-])`)

// FuzzDoubt holds the reading of a signer's comment to the policy: a question,
// or a word that holds back, never signs anything off, wherever it stands.
func FuzzDoubt(f *testing.F) {
	for _, seed := range []string{"Approved.", "NOT approved", "ok?", " ", "don’t", "wait-listed", "I would not.", "nothing", "'hold'", "ſ", "İ", "K"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		why := change.Doubt(body)
		if why == "" && (strings.Contains(body, "?") || strings.TrimSpace(body) == "" || holdsBack.MatchString(strings.ToLower(body))) {
			t.Fatalf("%q signs off", body)
		}
		for _, added := range []string{body + "?", body + " not", "Not: " + body, body + "\nWAIT\n" + body} {
			if change.Doubt(added) == "" {
				t.Fatalf("%q signs off", added)
			}
		}
	})
}
