package migrations_test

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"testing"

	"github.com/breakglass-bot/breakglass/migrations"
)

func TestAProgramRunsOnANewerDatabaseThatLetsItGoOn(t *testing.T) {
	t.Parallel()
	knows, err := migrations.Newest()
	must(t, err)
	for name, c := range map[string]struct {
		oldest int64
		want   error
	}{
		"one that this program may run on":        {knows, nil},
		"one that needs a program of its own age": {knows + 1, migrations.ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := migrated.Pool(t)
			exec(t, pool, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`)
			exec(t, pool, fmt.Sprintf(`COMMENT ON TABLE goose_db_version IS 'Programs that know migration %d may run on this database.'`, c.oldest))
			if err := migrations.Check(t.Context(), pool); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestAnOlderProgramThatMigratesDoesNotLetItselfGoOn(t *testing.T) {
	t.Parallel()
	url := migrated.URL(t)
	pool := connect(t, url)
	exec(t, pool, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`)
	exec(t, pool, `COMMENT ON TABLE goose_db_version IS 'Programs that know migration 9999 may run on this database.'`)
	must(t, migrations.Up(t.Context(), url))
	if err := migrations.Check(t.Context(), pool); !errors.Is(err, migrations.ErrNewer) {
		t.Errorf("got %v", err)
	}
}

// A rolling upgrade needs a word on it, and forgetting it stops every older
// replica: so a migration says it, one way or the other.
func TestEveryMigrationSaysWhetherOlderProgramsGoOn(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(migrations.Files, "*.sql")
	must(t, err)
	for _, name := range files[1:] {
		content, err := fs.ReadFile(migrations.Files, name)
		must(t, err)
		if !regexp.MustCompile(`(?m)^-- Beside: [0-9]+$`).Match(content) {
			t.Errorf("%s has no line such as -- Beside: 1, the oldest migration whose programs may run beside it (its own number: none older)", name)
		}
	}
}
