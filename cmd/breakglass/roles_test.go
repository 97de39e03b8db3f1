package main

import (
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// rolesOf makes an owner of a database, and two roles beside, none of whom may
// make roles. It answers their addresses.
func rolesOf(t *testing.T, database string) (owner, program, auditor string) {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, part := range []string{"owner", "program", "auditor"} {
		name := "breakglass_" + part + "_" + strings.ToLower(rand.Text()[:10])
		execute(t, database, `CREATE ROLE `+name+` LOGIN PASSWORD 'of-the-test'`)
		t.Cleanup(func() {
			execute(t, database, `REASSIGN OWNED BY `+name+` TO CURRENT_USER; DROP OWNED BY `+name+`; DROP ROLE `+name)
		})
		all = append(all, signedInAs(database, name))
	}
	execute(t, database, `ALTER DATABASE `+pgx.Identifier{config.Database}.Sanitize()+` OWNER TO `+roleIn(t, all[0]))
	return all[0], all[1], all[2]
}

func signedInAs(database, role string) string {
	u, err := url.Parse(database)
	if err != nil || u.Scheme == "" {
		return database + " user=" + role + " password=of-the-test"
	}
	query := u.Query()
	query.Del("user")
	query.Del("password")
	u.User, u.RawQuery = url.UserPassword(role, "of-the-test"), query.Encode()
	return u.String()
}

func roleIn(t *testing.T, database string) string {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	return config.User
}

// counted answers a query for one number.
func countedRows(t *testing.T, database, sql string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.QueryRow(t.Context(), sql).Scan(&n), conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return n
}

// forbidden demands that the database itself refuses a statement.
func forbidden(t *testing.T, database, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), sql)
	if problem, ok := errors.AsType[*pgconn.PgError](err); !ok || problem.Code != "42501" {
		t.Errorf("%s: %v", sql, err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheWholeStoryIsPlayedByARoleThatCannotAlterTheTrail(t *testing.T) {
	t.Parallel()
	database := databases.URL(t)
	owner, program, auditor := rolesOf(t, database)
	ctx, a := open(t, stageOptions{databaseURL: program, environment: []string{"DATABASE_MIGRATE_URL=" + owner, auditorVariable + "=" + roleIn(t, auditor)}})
	if err := mainStory(ctx, a.stage, newNarrator(t.Output())); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"events", "event_texts"} {
		for _, sql := range []string{"UPDATE " + table + " SET seq = seq", "DELETE FROM " + table, "TRUNCATE " + table + " CASCADE", "DROP TABLE " + table} {
			forbidden(t, program, sql)
			forbidden(t, auditor, sql)
		}
	}
	forbidden(t, auditor, "INSERT INTO seen VALUES ('x', 'x', 0, now())")
	if n := countedRows(t, database, "SELECT count(*) FROM river.river_job WHERE state = 'completed'"); n == 0 {
		t.Error("River has worked no job")
	}
	log, err := os.ReadFile(a.logFile())
	if err != nil || strings.Contains(string(log), "permission denied") || strings.Contains(string(log), "only triggers guard the trail") {
		t.Errorf("the program lacks a right, or has too many (%v):\n%s", err, log)
	}
	a.dbURL = auditor // who verifies
	settled(ctx, t, a, 0)
}

func TestWithOneRoleItIsSaidThatOnlyTriggersGuardTheTrail(t *testing.T) {
	t.Parallel()
	_, a := open(t, stageOptions{})
	log, err := os.ReadFile(a.logFile())
	if err != nil || !strings.Contains(string(log), "only triggers guard the trail") {
		t.Errorf("it is not said (%v):\n%s", err, log)
	}
}

func TestARoleThatDoesNotExistIsToldAndHoldsNothingUp(t *testing.T) {
	database := databases.URL(t)
	owner, program, _ := rolesOf(t, database)
	configured(t, "")
	t.Setenv("DATABASE_MIGRATE_URL", owner)
	t.Setenv("DATABASE_URL", program)
	t.Setenv(auditorVariable, "nobody-of-that-name")
	code, out, problems := called(t, "migrate")
	if code != exitFine || !strings.Contains(out, `There is no auditor's role "nobody-of-that-name"`) || !strings.Contains(out, "up to date") {
		t.Errorf("exit %d, %q, %q", code, out, problems)
	}
	t.Setenv("DATABASE_URL", "") // the owner's alone is enough to migrate
	t.Setenv(auditorVariable, "")
	if code, out, problems := called(t, "migrate"); code != exitFine || strings.Contains(out, "warning") {
		t.Errorf("exit %d, %q, %q", code, out, problems)
	}
}
