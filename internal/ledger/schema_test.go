package ledger_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestTheSchemaHasTheSamePhasesAndMovesAsTheDomain(t *testing.T) {
	s := open(t)
	rows, err := s.pool.Query(s.ctx, `SELECT from_phase, to_phase FROM phase_moves ORDER BY 1, 2`)
	s.must(err)
	moves, err := pgx.CollectRows(rows, pgx.RowToStructByPos[change.Move])
	s.must(err)
	want := change.Moves()
	slices.SortFunc(want, func(a, b change.Move) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	slices.SortFunc(moves, func(a, b change.Move) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	if diff := gocmp.Diff(want, moves); diff != "" {
		t.Errorf("the moves differ:\n%s", diff)
	}
	final := map[change.Phase]bool{}
	rows, err = s.pool.Query(s.ctx, `SELECT phase, final FROM phases`)
	s.must(err)
	var phase change.Phase
	var is bool
	_, err = pgx.ForEachRow(rows, []any{&phase, &is}, func() error { final[phase] = is; return nil })
	s.must(err)
	foreseen := map[change.Phase]bool{}
	for _, p := range change.Phases() {
		foreseen[p] = p.Final()
	}
	if diff := gocmp.Diff(foreseen, final); diff != "" {
		t.Errorf("the phases differ:\n%s", diff)
	}
}

// refusedAs demands that Postgres refuses a statement with a code and words.
func (s *stand) refusedAs(code, says, sql string, args ...any) {
	s.t.Helper()
	_, err := s.pool.Exec(s.ctx, sql, args...)
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code != code || !strings.Contains(pg.Message, says) {
		s.t.Errorf("%s: %v; want %s %q", sql, err, code, says)
	}
}

const (
	checkViolation    = "23514"
	restrictViolation = "23001"
)

func TestTheSchemaRefusesEveryMoveThatTheDomainDoesNotKnow(t *testing.T) {
	s := open(t)
	n := s.submit(false)
	for _, from := range change.Phases() {
		s.tamper(fmt.Sprintf(`UPDATE changes SET phase = '%s' WHERE number = %d`, from, n))
		for _, to := range change.Phases() {
			if from == to {
				continue
			}
			if !from.May(to) {
				s.refusedAs(checkViolation, fmt.Sprintf("EC-1 cannot go from %s to %s", from, to), `UPDATE changes SET phase = $2 WHERE number = $1`, n, to)
				continue
			}
			tag, err := s.pool.Exec(s.ctx, `UPDATE changes SET phase = $2 WHERE number = $1`, n, to)
			if err != nil || tag.RowsAffected() != 1 {
				t.Errorf("from %s to %s: %v", from, to, err)
			}
			s.tamper(fmt.Sprintf(`UPDATE changes SET phase = '%s' WHERE number = %d`, from, n))
		}
	}
}

func TestTheSchemaRefusesToRewriteThePast(t *testing.T) {
	s := open(t)
	n := s.submit(false)
	s.refusedAs(restrictViolation, "append-only", `UPDATE events SET actor = 'X' WHERE chain = $1`, n)
	s.refusedAs(restrictViolation, "append-only", `DELETE FROM events WHERE chain = $1`, n)
	s.refusedAs(restrictViolation, "append-only", `TRUNCATE events CASCADE`)
	s.refusedAs(restrictViolation, "append-only", `UPDATE event_texts SET text = 'x'`)
	s.refusedAs(restrictViolation, "never deleted", `DELETE FROM changes WHERE number = $1`, n)
	s.refusedAs(checkViolation, "back in time", `UPDATE changes SET version = version - 1`)
	s.refusedAs(checkViolation, "back in time", `UPDATE changes SET last_seq = last_seq - 1`)
	s.refusedAs(checkViolation, "back in time", `UPDATE changes SET number = 9`)
	s.refusedAs(checkViolation, "cannot begin as approved", `INSERT INTO changes SELECT 2, 1, 'approved', kind, requester, implementer, confidential,
		requested_at, started_at, ended_at, next_at, ticket_id, incident_id, document, last_seq, last_hash, last_at FROM changes`)
	s.refusedAs(restrictViolation, "never deleted", `TRUNCATE changes CASCADE`)
}

// TestWhatIsDueIsFoundByAnIndex fills the tables until a planner that could not
// use an index would show it.
func TestWhatIsDueIsFoundByAnIndex(t *testing.T) {
	s := open(t)
	s.tamper(`INSERT INTO changes SELECT n, 1, 'closed', 'k', 'r', 'r', FALSE, now(), NULL, NULL,
			CASE WHEN n % 100 = 0 THEN now() END, NULL, NULL, '{}', 1, '', now() FROM generate_series(1, 20000) n`,
		`INSERT INTO deliveries (number, kind, key, system, mode, recipient, ref, wanted, next_try)
			SELECT n, 'card', 'card', 'Slack', 'once', '', '{}', 1, CASE WHEN n % 100 = 0 THEN now() END FROM generate_series(1, 20000) n`,
		`INSERT INTO assignments (instance_arn, account_id, permission_set_arn, user_id, next_try)
			SELECT 'i', 'a', 'p', n::TEXT, CASE WHEN n % 100 = 0 THEN now() END FROM generate_series(1, 20000) n`)
	s.exec(`ANALYZE changes, deliveries, assignments`)
	for index, look := range map[string]func() error{
		"changes_next_at_idx":      func() error { _, err := s.DueChanges(s.ctx, start, 10); return err },
		"deliveries_next_try_idx":  func() error { _, err := s.DueWork(s.ctx, change.SystemSlack, start, 10); return err },
		"assignments_next_try_idx": func() error { _, err := s.DueAssignments(s.ctx, start, 10); return err },
	} {
		before := s.scans(index)
		s.must(look())
		if s.scans(index) == before {
			t.Errorf("%s was not used", index)
		}
	}
}

// scans counts the uses of an index, after every connection has told of its own.
func (s *stand) scans(index string) int64 {
	s.t.Helper()
	for range s.pool.Stat().MaxConns() {
		s.exec(`SELECT pg_stat_force_next_flush()`)
	}
	return one[int64](s, `SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = $1`, index)
}
