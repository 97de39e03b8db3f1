//go:build bench

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pgbench runs the transaction of a click alone, with what is read before it, and
// answers how many there were in a second; 0 where there is no pgbench.
func (g *ground) pgbench(ctx context.Context, t *testing.T, clients, count int) float64 {
	t.Helper()
	program := pgbenchProgram()
	if program == "" {
		t.Log("There is no pgbench here, so the transaction alone is left out.")
		return 0
	}
	var script strings.Builder
	fmt.Fprintf(&script, "\\set i :i + 1\n\\set n %d + :client_id * %d + :i\n", firstPrepared-1, count/clients+warmUp/clients)
	for _, s := range g.sample.spec.Before {
		script.WriteString(s.script())
	}
	script.WriteString("BEGIN;\n")
	for _, s := range g.sample.spec.Inside {
		script.WriteString(s.script())
	}
	script.WriteString("COMMIT;\n")
	file := filepath.Join(g.folder, "click.sql")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []float64
	for range rounds() {
		database, err := g.copied(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.execute(ctx, database, `UPDATE deliveries SET external_id = '`+g.sample.channel+`:' || number WHERE kind = 'ask'`, "CHECKPOINT"); err != nil {
			t.Fatal(err)
		}
		all = append(all, run1(ctx, t, program, g.server.URL(database), file, clients, count))
		if err := g.drop(ctx, database); err != nil {
			t.Fatal(err)
		}
	}
	return median(all)
}

var perSecond = regexp.MustCompile(`tps = ([0-9.]+)`)

func run1(ctx context.Context, t *testing.T, program, address, script string, clients, count int) float64 {
	t.Helper()
	cmd := exec.CommandContext(ctx, program, "-n", "-f", script, "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2",
		"-t", strconv.Itoa(count/clients), "-D", "i=0", address)
	out, err := cmd.CombinedOutput()
	found := perSecond.FindSubmatch(out)
	if err != nil || found == nil || strings.Contains(string(out), "aborted") {
		t.Fatalf("pgbench: %v\n%s", err, tail(string(out), 15))
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return rate
}

// pgbenchProgram finds pgbench beside the Postgres that is installed.
func pgbenchProgram() string {
	if found, err := exec.LookPath("pgbench"); err == nil {
		return found
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/pgbench", "/usr/pgsql-*/bin/pgbench", "/opt/homebrew/opt/postgresql*/bin/pgbench", "/usr/local/opt/postgresql*/bin/pgbench"} {
		more, err := filepath.Glob(pattern)
		if err == nil {
			found = append(found, more...)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

var comment = regexp.MustCompile(`/\*.*?\*/|--[^\n]*`)

var parameter = regexp.MustCompile(`\$(\d+)`)

// script is the statement as pgbench reads it, with its values in it; :n is the
// change.
func (s statement) script() string {
	sql := strings.ReplaceAll(comment.ReplaceAllString(s.SQL, " "), "\n", " ")
	sql = parameter.ReplaceAllStringFunc(sql, func(p string) string {
		i, err := strconv.Atoi(p[1:])
		if err != nil {
			return p
		}
		if s.Args[i-1] == nil {
			return "CAST(NULL AS " + s.Type[i-1] + ")"
		}
		text := strings.NewReplacer(`\`, `\\`, "'", `\'`, ":", `\x3a`, "\n", `\n`,
			sampleTS, "' || CAST(:n AS TEXT) || E'", sampleNumber, "' || CAST(:n AS TEXT) || E'", sampleAssignment, "' || CAST(:made_id AS TEXT) || E'").Replace(*s.Args[i-1])
		return "CAST(E'" + text + "' AS " + s.Type[i-1] + ")"
	})
	if s.returnsAssignment() {
		return sql + " \\gset made_\n"
	}
	return sql + ";\n"
}
