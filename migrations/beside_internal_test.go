package migrations

import (
	"testing"
	"testing/fstest"
)

func TestWhatAProgramHasToKnowIsTheMostThatAnyMigrationAsksFor(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  int64
	}{
		"the first alone":             {fstest.MapFS{"00001_a.sql": file("")}, 1},
		"all only add":                {fstest.MapFS{"00001_a.sql": file(""), "00002_b.sql": file("-- Beside: 1\n"), "00003_c.sql": file("-- Beside: 1\n-- +goose Up\n")}, 1},
		"the second alters":           {fstest.MapFS{"00001_a.sql": file(""), "00002_b.sql": file("-- +goose Up\n"), "00003_c.sql": file("-- Beside: 1\n")}, 2},
		"the newest alters":           {fstest.MapFS{"00001_a.sql": file(""), "00002_b.sql": file("-- Beside: 1\n"), "00003_c.sql": file("-- Beside: 3\n")}, 3},
		"a word within a line is not": {fstest.MapFS{"00001_a.sql": file(""), "00002_b.sql": file("SELECT 1; -- Beside: 1\n")}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := oldest(c.files); err != nil || got != c.want {
				t.Errorf("got %d, want %d: %v", got, c.want, err)
			}
		})
	}
	if _, err := oldest(fstest.MapFS{"first.sql": file("")}); err == nil {
		t.Error("a migration without a number was taken")
	}
}
