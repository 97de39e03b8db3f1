package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/migrations"
)

// olderAndNewer builds two programs, of which the newer has one migration more.
// The older is built from the history where that has one: from the commit before
// the newest migration came. Where there is only one migration, or that commit
// knows nothing yet of what may run beside it, the newer is this source with an
// additive migration put beside it. Both run on the older's configuration.
func olderAndNewer(t testing.TB) (older, newer string, template []byte) {
	t.Helper()
	newest, err := migrations.Newest()
	if err != nil {
		t.Fatal(err)
	}
	if folder := beforeMigration(t, newest); folder != "" {
		template, err := os.ReadFile(filepath.Join(folder, "deploy", "breakglass.example.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return binary(t, build{name: "older", tags: armed.tags, folder: folder}), binary(t, armed), template
	}
	more := filepath.Join(t.TempDir(), "more.sql")
	sql := fmt.Sprintf(`-- Beside: %d
-- +goose Up
CREATE TABLE remarks (
    number BIGINT NOT NULL,
    CONSTRAINT remarks_pkey PRIMARY KEY (number)
);
ALTER TABLE changes ADD COLUMN remark TEXT NOT NULL DEFAULT '';
-- +goose Down
DROP TABLE remarks;
ALTER TABLE changes DROP COLUMN remark;
`, newest)
	if err := os.WriteFile(more, []byte(sql), 0o600); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("migrations/%05d_more.sql", newest+1)
	return binary(t, armed), binary(t, build{name: "newer", tags: armed.tags, overlay: map[string]string{name: more}}), nil
}

// beforeMigration is the source of the commit before a migration came, in a
// folder of its own; empty where the history has none that may run beside it.
func beforeMigration(t testing.TB, number int64) string {
	t.Helper()
	git := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = filepath.Join("..", "..")
		out, err := cmd.Output()
		if err != nil {
			return "" // no history here
		}
		return strings.TrimSpace(string(out))
	}
	came := git("log", "--first-parent", "-m", "--diff-filter=A", "--format=%H", "-1", "--", fmt.Sprintf("migrations/%05d_*.sql", number))
	if number < 2 || came == "" || git("ls-tree", came+"^", "migrations/beside.go") == "" {
		return ""
	}
	folder := t.TempDir()
	archive := filepath.Join(folder, "source.tar")
	git("archive", "--output", archive, came+"^")
	if out, err := exec.CommandContext(t.Context(), "tar", "-x", "-f", archive, "-C", folder).CombinedOutput(); err != nil {
		t.Fatalf("unpack the older source: %v: %s", err, out)
	}
	t.Logf("the older program is that of %s^", came)
	return folder
}

// ready tells whether a replica says that it is.
func (r *replica) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.address()+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("replica %d is not ready: %s", r.number, answer.Status)
	}
	return nil
}

// replace puts another program in a replica's place, and waits until it is up.
func (r *replica) replace(ctx context.Context, program string) error {
	r.mu.Lock()
	r.program = program
	before := r.child
	r.mu.Unlock()
	if err := r.kill(); err != nil {
		return err
	}
	for {
		r.mu.Lock()
		now := r.child
		r.mu.Unlock()
		if now != nil && now != before {
			return r.ready(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("replica %d did not come up: %w", r.number, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestOldAndNewServeAtOnceWhileTheDatabaseIsMigrated(t *testing.T) {
	t.Parallel()
	older, newer, template := olderAndNewer(t)
	ctx, cancel := context.WithTimeout(t.Context(), testWithin)
	defer cancel()
	upgraded := false
	a, err := play(ctx, t, arenaOptions{programs: []string{older, older, older}, template: template}, 6, func(ctx context.Context, a *arena) {
		var before, after int64
		const version = `SELECT max(version_id) FROM goose_db_version`
		err := steps(
			func() error { return a.pool.QueryRow(ctx, version).Scan(&before) },
			func() error { // the first of the new ones migrates, while the old ones serve
				a.replicas[2].first = true
				return a.replicas[2].replace(ctx, newer)
			},
			func() error { return a.pool.QueryRow(ctx, version).Scan(&after) },
			func() error { return a.replicas[0].ready(ctx) },
			func() error { return a.replicas[1].ready(ctx) },
			func() error { return a.replicas[0].replace(ctx, older) }, // killed, an old one comes up again
			func() error { return a.replicas[0].replace(ctx, newer) },
			func() error { return a.replicas[1].replace(ctx, newer) },
		)
		if err == nil && after <= before {
			err = fmt.Errorf("the database went from migration %d to %d", before, after)
		}
		if err != nil {
			a.fail(fmt.Errorf("upgrade: %w", err))
			return
		}
		upgraded = true
	})
	if err != nil {
		t.Fatal(err)
	}
	if !upgraded {
		t.Error("the stories were over before the upgrade was")
	}
	t.Logf("%d kills", a.kills.Load())
}
