package migrations_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/migrations"
)

// ours are the tables that are not goose's.
const ours = `pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'goose_db_version'`

func TestEveryTableSaysWhatItHolds(t *testing.T) {
	t.Parallel()
	pool := migrated.Pool(t)
	if tables := list(t, pool, `SELECT relname FROM `+ours); len(tables) < 10 {
		t.Fatalf("found %v only", tables)
	}
	if silent := list(t, pool, `SELECT relname FROM `+ours+` AND coalesce(obj_description(c.oid), '') = ''`); len(silent) > 0 {
		t.Errorf("without a comment: %v", silent)
	}
}

func TestEveryColumnSaysWhatItHoldsUnlessItsNameDoes(t *testing.T) {
	t.Parallel()
	speaking := map[string]string{
		"phases": "phase", "phase_moves": "from_phase to_phase", "numbers": "name last", "chains": "chain",
		"changes":     "phase kind requester implementer confidential requested_at started_at ended_at ticket_id incident_id",
		"events":      "at type actor hash",
		"event_texts": "chain seq text",
		"obligations": "number name state due_at",
		"assignments": "id instance_arn account_id permission_set_arn user_id",
		"grants":      "number assignment_id",
		"deliveries":  "id kind system",
		"seen":        "id at",
		"seals":       "hash",

		"census":          "instance_arn",
		"census_findings": "id instance_arn account_id permission_set_arn user_id decided_at closed_at",
	}
	var want []string
	for table, columns := range speaking {
		for column := range strings.FieldsSeq(columns) {
			want = append(want, table+"."+column)
		}
	}
	got := list(t, migrated.Pool(t), `SELECT c.relname || '.' || a.attname FROM pg_attribute a, `+ours+`
		AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND coalesce(col_description(c.oid, a.attnum), '') = ''`)
	if diff := cmp.Diff(set(want), set(got)); diff != "" {
		t.Errorf("columns without a comment (-want +got):\n%s", diff)
	}
}

func set(all []string) map[string]bool {
	s := map[string]bool{}
	for _, v := range all {
		s[v] = true
	}
	return s
}

// A name that Postgres made up alters with the columns, and no code may rest on it.
func TestEveryConstraintWasGivenItsName(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(migrations.Files, "*.sql")
	must(t, err)
	var sql strings.Builder
	for _, name := range files {
		content, err := fs.ReadFile(migrations.Files, name)
		must(t, err)
		sql.Write(content)
	}
	names := list(t, migrated.Pool(t), `SELECT con.conname FROM pg_constraint con, `+ours+` AND con.conrelid = c.oid AND con.contype NOT IN ('n', 't')`)
	if len(names) < 20 {
		t.Fatalf("found %v only", names)
	}
	for _, name := range names {
		if !strings.Contains(sql.String(), "CONSTRAINT "+name+" ") {
			t.Errorf("%s has a name that Postgres made up", name)
		}
	}
}
