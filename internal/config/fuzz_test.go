package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/config"
)

// FuzzLoad holds Load to its promise for any bytes: no panic, and either a
// Config or problems that have a place and a sentence.
func FuzzLoad(f *testing.F) {
	f.Add(example(f))
	f.Add(smallest)
	for _, seed := range []string{
		"", "a: &a [*a]", "? [a]\n: b", "<<: *x", "kinds: [{self_approval: {}}]", "1: 2", "groups: {a: {groups: [a]}}",
		"!!binary x", "a: |\n", "- - - -", "{}", "slack: null", "\xef\xbb\xbf{}", "groups:\n  ? a\n", "access: {durations: [0x1, .inf, .nan, ~]}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := load(text, environment(), nil)
		if (cfg == nil) == (err == nil) {
			t.Fatalf("a Config %v with the error %v", cfg, err)
		}
		var problems config.Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("no problems but %v", err)
		}
		for _, p := range problems {
			if p.Text == "" || strings.Contains(p.Text, "\n") || (p.Line < 1 && p.File != "environment") {
				t.Fatalf("a problem without a place or sentence: %#v", p)
			}
		}
	})
}

func TestDeepNestingIsRefusedRatherThanFollowed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("[", 1<<19), strings.Repeat("- ", 1<<18), strings.Repeat("{a: ", 1<<17), strings.Repeat("x", 1<<21)} {
		if _, err := load(text, environment(), nil); err == nil {
			t.Error("accepted")
		}
	}
}
