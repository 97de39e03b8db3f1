package migrations_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/migrations"
)

// cast is a database with an owner of its own, who may make no roles, and two
// other roles.
type cast struct {
	super                   *pgxpool.Pool
	owner, program, auditor string // addresses
	roles                   migrations.Roles
}

func enter(t *testing.T) cast {
	t.Helper()
	address := empty.URL(t)
	c := cast{super: connect(t, address)}
	owner := role(t, c.super, "owner")
	c.roles = migrations.Roles{Program: role(t, c.super, "program"), Auditor: role(t, c.super, "auditor")}
	config, err := pgx.ParseConfig(address)
	must(t, err)
	exec(t, c.super, `ALTER DATABASE `+pgx.Identifier{config.Database}.Sanitize()+` OWNER TO `+owner)
	c.owner, c.program, c.auditor = as(t, address, owner), as(t, address, c.roles.Program), as(t, address, c.roles.Auditor)
	must(t, migrations.Up(t.Context(), c.owner))
	return c
}

// role makes a role that may sign in, and that goes with the test.
func role(t *testing.T, super *pgxpool.Pool, part string) string {
	t.Helper()
	name := "breakglass_" + part + "_" + strings.ToLower(rand.Text()[:10])
	exec(t, super, `CREATE ROLE `+name+` LOGIN PASSWORD 'of-the-test'`)
	t.Cleanup(func() {
		after := context.WithoutCancel(t.Context())
		if _, err := super.Exec(after, `REASSIGN OWNED BY `+name+` TO CURRENT_USER; DROP OWNED BY `+name+`; DROP ROLE `+name); err != nil {
			t.Error(err)
		}
	})
	return name
}

// as is an address for another role.
func as(t *testing.T, address, role string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return address + " user=" + role + " password=of-the-test"
	}
	query := u.Query()
	query.Del("user")
	query.Del("password")
	u.User, u.RawQuery = url.UserPassword(role, "of-the-test"), query.Encode()
	return u.String()
}

func (c cast) grant(t *testing.T) {
	t.Helper()
	notes, err := migrations.Grant(t.Context(), c.owner, c.roles)
	must(t, err)
	if len(notes) > 0 {
		t.Fatalf("it is said that %q", notes)
	}
}

// held are the rights that a role was given itself, by schema and table.
func held(t *testing.T, super *pgxpool.Pool, role string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, line := range list(t, super, `SELECT relnamespace::regnamespace || '.' || relname || ' ' || string_agg(a.privilege_type, ', '
			ORDER BY array_position(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'USAGE'], a.privilege_type))
		FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a WHERE a.grantee = '`+role+`'::regrole AND c.relkind <> 'S' GROUP BY c.oid, relnamespace, relname`) {
		name, rights, _ := strings.Cut(line, " ")
		all[name] = rights
	}
	return all
}

// refused says whether the database forbade something for want of a right.
func refused(err error) bool {
	problem, ok := errors.AsType[*pgconn.PgError](err)
	return ok && problem.Code == "42501"
}

func TestEveryTableSaysWhatTheProgramMayDoWithIt(t *testing.T) {
	t.Parallel()
	tables := list(t, migrated.Pool(t), `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1`)
	if diff := cmp.Diff(tables, slices.Sorted(maps.Keys(migrations.ProgramMay()))); diff != "" {
		t.Errorf("programMay in roles.go does not list the tables that there are (-tables +listed):\n%s", diff)
	}
}

func TestEachRoleHasExactlyItsRights(t *testing.T) {
	t.Parallel()
	c := enter(t)
	exec(t, c.super, `GRANT ALL ON ALL TABLES IN SCHEMA public, river TO `+c.roles.Program+`, `+c.roles.Auditor) // as somebody may have, once
	exec(t, c.super, `GRANT ALL ON SCHEMA public, river TO `+c.roles.Program+`, `+c.roles.Auditor)
	for range 2 { // after each migration again
		c.grant(t)
	}
	wantProgram, wantAuditor := map[string]string{}, map[string]string{}
	for table, may := range migrations.ProgramMay() {
		wantProgram["public."+table], wantAuditor["public."+table] = may, "SELECT"
	}
	for _, table := range list(t, c.super, `SELECT relname FROM pg_class WHERE relnamespace = 'river'::regnamespace AND relkind = 'r'`) {
		wantProgram["river."+table] = "SELECT, INSERT, UPDATE, DELETE"
	}
	wantProgram["river.river_migration"] = "SELECT"
	if diff := cmp.Diff(wantProgram, held(t, c.super, c.roles.Program)); diff != "" {
		t.Errorf("the program's (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantAuditor, held(t, c.super, c.roles.Auditor)); diff != "" {
		t.Errorf("the auditor's (-want +got):\n%s", diff)
	}
	must(t, migrations.Check(t.Context(), connect(t, c.program)))
}

// theTrail is every way to alter what was written down.
func theTrail() []string {
	var all []string
	for _, table := range []string{"events", "event_texts"} {
		all = append(all, `UPDATE `+table+` SET seq = seq`, `DELETE FROM `+table, `TRUNCATE `+table+` CASCADE`, `ALTER TABLE `+table+` DISABLE TRIGGER ALL`,
			`ALTER TABLE `+table+` ADD COLUMN x INT`, `DROP TABLE `+table+` CASCADE`, `CREATE TRIGGER mine BEFORE INSERT ON `+table+` EXECUTE FUNCTION events_guard()`)
	}
	return append(all, `DROP TRIGGER events_guard ON events`, `DROP FUNCTION events_guard CASCADE`, `DELETE FROM changes`, `TRUNCATE changes CASCADE`,
		`CREATE OR REPLACE FUNCTION events_guard() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'`,
		`CREATE TABLE mine (x INT)`, `CREATE SCHEMA mine`, `DROP SCHEMA public CASCADE`, `DROP SCHEMA river CASCADE`, `CREATE ROLE mine`,
		`DELETE FROM phases`, `INSERT INTO phase_moves VALUES ('closed', 'requested')`, `DELETE FROM goose_db_version`, `SET session_replication_role = replica`)
}

func TestTheProgramsRoleCannotAlterTheTrail(t *testing.T) {
	t.Parallel()
	c := enter(t)
	exec(t, connect(t, c.owner), `INSERT INTO events (chain, seq, at, type, actor, body, hash) VALUES (0, 1, now(), 'x', '', '{}', 'x')`)
	c.grant(t)
	program := connect(t, c.program)
	for _, sql := range theTrail() {
		if _, err := program.Exec(t.Context(), sql); !refused(err) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	exec(t, program, `INSERT INTO events (chain, seq, at, type, actor, body, hash) VALUES (0, 2, now(), 'x', '', '{}', 'x')`)
	if left := list(t, c.super, `SELECT seq::text FROM events ORDER BY 1`); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
	rights, err := migrations.Unguarded(t.Context(), program)
	if err != nil || rights != "" {
		t.Errorf("the program is said to be able to %s, %v", rights, err)
	}
}

func TestTheAuditorsRoleReadsEverythingAndDoesNothingElse(t *testing.T) {
	t.Parallel()
	c := enter(t)
	c.grant(t)
	auditor := connect(t, c.auditor)
	for table := range migrations.ProgramMay() {
		if _, err := auditor.Exec(t.Context(), `SELECT * FROM `+table); err != nil {
			t.Errorf("%s cannot be read: %v", table, err)
		}
		for _, sql := range []string{`INSERT INTO ` + table + ` DEFAULT VALUES`, `DELETE FROM ` + table, `TRUNCATE ` + table + ` CASCADE`} {
			if _, err := auditor.Exec(t.Context(), sql); !refused(err) {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
	for _, sql := range append(theTrail(), `SELECT 1 FROM changes FOR UPDATE`, `SELECT * FROM river.river_job`, `UPDATE numbers SET last = 9`) {
		if _, err := auditor.Exec(t.Context(), sql); !refused(err) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestRightsAreGivenToRolesThatExistAndToldOtherwise(t *testing.T) {
	t.Parallel()
	c := enter(t)
	owner, err := migrations.RoleOf(c.owner)
	must(t, err)
	member := role(t, c.super, "member")
	exec(t, c.super, `GRANT `+owner+` TO `+member)
	writer := role(t, c.super, "writer")
	exec(t, c.super, `GRANT pg_write_all_data TO `+writer)
	before := held(t, c.super, owner)
	for _, roles := range []migrations.Roles{
		{Program: "nobody; DROP TABLE events"},
		{Auditor: "nobody"},
		{Program: owner},
		{Program: member},
		{Auditor: owner},
		{Program: writer},
		{Auditor: writer},
		{Program: c.roles.Program, Auditor: c.roles.Program},
	} {
		notes, err := migrations.Grant(t.Context(), c.owner, roles)
		if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "role") {
			t.Errorf("%+v: %q, %v", roles, notes, err)
		}
	}
	if diff := cmp.Diff(before, held(t, c.super, owner)); diff != "" {
		t.Errorf("the owner's rights (-before +after):\n%s", diff)
	}
	if rights, err := migrations.Unguarded(t.Context(), c.super); err != nil || !strings.Contains(rights, "SUPERUSER") {
		t.Errorf("a superuser may %q, %v", rights, err)
	}
	for name, sharp := range map[string]bool{c.owner: true, as(t, c.owner, member): true, as(t, c.owner, writer): true, c.program: false} {
		if rights, err := migrations.Unguarded(t.Context(), connect(t, name)); err != nil || (rights != "") != sharp {
			t.Errorf("it may %q, %v", rights, err)
		}
	}
}

func TestSeveralMayGrantAtOnce(t *testing.T) {
	t.Parallel()
	c := enter(t)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, err := migrations.Grant(t.Context(), c.owner, c.roles); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// What decides about a change's moves is the table of the schema, whatever a
// session puts before it.
func TestTheProgramsRoleCannotPutAnotherTableOfMovesBeforeOurs(t *testing.T) {
	t.Parallel()
	c := enter(t)
	c.grant(t)
	exec(t, c.super, `INSERT INTO changes (number, version, phase, kind, requester, implementer, confidential, requested_at, document, last_seq, last_hash, last_at)
		SELECT n, 1, 'requested', 'x', 'U1', 'U1', false, now(), '{}', 0, '', now() FROM generate_series(1, 2) n`)
	exec(t, c.super, `CREATE SCHEMA elsewhere; GRANT ALL ON SCHEMA elsewhere TO `+c.roles.Program)
	for i, shadow := range []string{
		`CREATE TEMP TABLE phase_moves (from_phase TEXT, to_phase TEXT)`,
		`SET search_path = elsewhere, public; CREATE TABLE elsewhere.phase_moves (from_phase TEXT, to_phase TEXT)`,
	} {
		conn, err := pgx.Connect(t.Context(), c.program)
		must(t, err)
		for _, sql := range []string{shadow, `INSERT INTO phase_moves VALUES ('requested', 'closed')`} {
			_, err := conn.Exec(t.Context(), sql)
			must(t, err)
		}
		_, err = conn.Exec(t.Context(), `UPDATE changes SET phase = 'closed', version = version + 1 WHERE number = $1`, i+1)
		if problem, ok := errors.AsType[*pgconn.PgError](err); !ok || problem.Code != "23514" {
			t.Errorf("%s: the forbidden move: %v", shadow, err)
		}
		_, err = conn.Exec(t.Context(), `UPDATE changes SET phase = 'approved', version = version + 1 WHERE number = $1`, i+1)
		must(t, errors.Join(err, conn.Close(t.Context())))
	}
}
