//go:build bench

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/migrations"
)

// benchTrail measures what is done now and then with a whole ledger, and tells how
// its time and its memory grow. The time may; the memory of what streams may not.
func benchTrail(ctx context.Context, t *testing.T, b *bench) {
	k := openKept(ctx, t)
	few, many := k.template(ctx, t, fewChanges), k.template(ctx, t, manyChanges)
	pool := k.copyOf(ctx, t, many)
	k.copyOf(ctx, t, few)
	period := []string{"--since", sceneStart.Add(-historySpan - 2*historyGap).Format(time.DateOnly), "--until", sceneStart.Format(time.DateOnly)}
	month := []string{"--since", sceneStart.AddDate(0, -2, 0).Format(time.DateOnly), "--until", sceneStart.AddDate(0, -1, 0).Format(time.DateOnly)}
	out := t.TempDir()
	for i, x := range []struct {
		what string
		args []string
	}{
		{"audit verify", []string{"audit", "verify"}},
		{"report --format csv, of all", append([]string{"report", "--format", "csv", "--out", filepath.Join(out, "%d.csv")}, period...)},
		{"report --format html, of a month", append([]string{"report", "--out", filepath.Join(out, "%d.html")}, month...)},
		{"audit export, of all", append([]string{"audit", "export", "--out", filepath.Join(out, "%d")}, period...)},
		{"audit export, of a month", append([]string{"audit", "export", "--out", filepath.Join(out, "month-%d")}, month...)},
	} {
		var took [2]time.Duration
		var memory [2]int64
		for side, template := range []string{few, many} {
			var args []string
			for _, a := range x.args {
				args = append(args, strings.ReplaceAll(a, "%d", fmt.Sprint(side)))
			}
			took[side], memory[side] = runOnce(ctx, t, k.server.URL("run_"+template), args)
		}
		b.add(figure{
			what: x.what, got: fmt.Sprintf("%s, %d MiB", took[1].Round(10*time.Millisecond), memory[1]),
			against: fmt.Sprintf("%s, %d MiB", took[0].Round(10*time.Millisecond), memory[0]), ratio: fmt.Sprintf("memory %.2f", float64(memory[1])/float64(memory[0])),
		})
		t.Logf("%d: %s: %s, %d MiB", i, x.what, took[1], memory[1])
	}
	began := time.Now()
	if err := ledger.New(pool).Seal(ctx, change.SealDay(sceneStart.Add(time.Hour)), sceneStart.Add(time.Hour), false); err != nil {
		t.Fatal(err)
	}
	b.add(figure{what: "a seal of nothing new", got: time.Since(began).Round(time.Millisecond).String()})
	for from := 0; from < manyChanges; from += 50_000 { // each within the time that a statement has
		_, err := pool.Exec(ctx, `INSERT INTO seen (source, id, number, at) SELECT 'trigger', md5(i::text), i, $1 FROM generate_series($2::int + 1, $3::int) i`,
			sceneStart, from, min(from+50_000, manyChanges))
		if err != nil {
			t.Fatal(err)
		}
	}
	began = time.Now()
	if err := ledger.New(pool).ForgetSeen(ctx, sceneStart.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b.add(figure{what: "forgetting a million old payloads at once", got: time.Since(began).Round(time.Millisecond).String()})
	if _, err := pool.Exec(ctx, `DROP INDEX changes_implementer_idx, changes_requested_at_idx, grants_last_idx, assignments_in_flight_idx; ALTER TABLE grants DROP COLUMN until;
		DELETE FROM goose_db_version WHERE version_id >= 4`); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	if err := migrations.Up(ctx, k.server.URL("run_"+many)); err != nil {
		t.Fatal(err)
	}
	b.add(figure{what: "the migrations that add four indexes and a column, on a million changes", got: time.Since(began).Round(time.Millisecond).String()})
}

// runOnce runs the program and answers how long it took, and its memory at most in
// MiB.
func runOnce(ctx context.Context, t *testing.T, database string, args []string) (time.Duration, int64) {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(cleanEnvironment(), "DATABASE_URL="+database, asProgram)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", args, err, tail(string(out), 20))
	}
	took := time.Since(began)
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("this system does not tell how much memory a process had")
	}
	return took, usage.Maxrss >> 10
}
