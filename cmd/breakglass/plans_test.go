package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// sawSQL writes down every statement that a pool sends, with the arguments that it
// had first.
type sawSQL struct {
	mu  sync.Mutex
	all map[string][]any
}

func (s *sawSQL) saw(sql string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.all[sql]; !known {
		s.all[sql] = slices.Clone(args)
	}
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *sawSQL) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.saw(data.SQL, data.Args)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *sawSQL) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (s *sawSQL) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (s *sawSQL) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	s.saw(data.SQL, data.Args)
}

// TraceBatchEnd implements pgx.BatchTracer.
func (s *sawSQL) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// planned are the statements that have a plan.
var planned = regexp.MustCompile(`(?i)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b`)

// statements lists what was seen, but for what has no plan.
func (s *sawSQL) statements() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, sql := range slices.Sorted(maps.Keys(s.all)) {
		if planned.MatchString(sql) {
			all = append(all, sql)
		}
	}
	return all
}

// The tables that do not grow with the changes, nor with the days.
var smallTables = []string{"phases", "phase_moves", "numbers", "chains", "census"}

// mostTouched is how many rows of the tables one statement of these tests may look
// at: more than all that is open, and far fewer than there are.
const mostTouched = 600

// planNode is what EXPLAIN tells of a step.
type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Rows     float64    `json:"Actual Rows"`
	Filtered float64    `json:"Rows Removed by Filter"`
	Recheck  float64    `json:"Rows Removed by Index Recheck"`
	Loops    float64    `json:"Actual Loops"`
	Plans    []planNode `json:"Plans"`
}

// walk gives a step and all below it.
func (n *planNode) walk(visit func(*planNode)) {
	visit(n)
	for i := range n.Plans {
		n.Plans[i].walk(visit)
	}
}

// problem says what is wrong with a plan; empty: nothing.
func (n *planNode) problem() string {
	var wrong []string
	touched := 0.0
	n.walk(func(x *planNode) {
		if x.Type == "Seq Scan" && !slices.Contains(smallTables, x.Relation) {
			wrong = append(wrong, "no index can find it in "+x.Relation)
		}
		if x.Relation != "" && strings.HasSuffix(x.Type, "Scan") {
			touched += (x.Rows + x.Filtered + x.Recheck) * x.Loops
		}
	})
	if touched > mostTouched {
		wrong = append(wrong, fmt.Sprintf("it looks at %.0f rows", touched))
	}
	return strings.Join(wrong, "; ")
}

// planOfStatement explains a statement: as it is planned for its arguments, or for any
// (generic), which Postgres comes to after some executions. Sequential scans are
// so dear in it that one is left only where no index would do. The statement is
// carried out and rolled back, where it can be carried out once more.
func planOfStatement(ctx context.Context, pool *pgxpool.Pool, sql string, args []any, generic bool) (*planNode, error) {
	args = slices.Clone(args)
	for i, a := range args {
		if raw, ok := a.([]byte); ok { // JSON; in text it would be taken for bytes
			args[i] = string(raw)
		}
	}
	for _, explain := range []string{"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ", "EXPLAIN (FORMAT JSON) "} {
		var raw string
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SET LOCAL enable_seqscan = off`); err != nil {
				return err
			}
			run, using := explain+sql, args
			if generic {
				if _, err := tx.Exec(ctx, `SET LOCAL plan_cache_mode = force_generic_plan`); err != nil {
					return err
				}
				name := fmt.Sprintf("looked_at_%d", preparedSoFar.Add(1)) // it stays, whatever becomes of the transaction
				if _, err := tx.Exec(ctx, `PREPARE `+name+` AS `+sql, pgx.QueryExecModeSimpleProtocol); err != nil {
					return err
				}
				run = explain + "EXECUTE " + name + placeholders(len(args))
			}
			if err := tx.QueryRow(ctx, run, append([]any{pgx.QueryExecModeSimpleProtocol}, using...)...).Scan(&raw); err != nil {
				return err
			}
			return errRollback
		})
		if errors.Is(err, errRollback) {
			var plans []struct{ Plan planNode }
			if err := json.Unmarshal([]byte(raw), &plans); err != nil {
				return nil, err
			}
			return &plans[0].Plan, nil
		}
		if strings.HasPrefix(explain, "EXPLAIN (FORMAT") {
			return nil, err
		}
	}
	return nil, nil
}

// preparedSoFar counts the statements that were prepared, for their names.
var preparedSoFar atomic.Int64

// planOfSource explains a statement that was not seen, as the source has it: as it
// is planned for any arguments. It is not carried out.
func planOfSource(ctx context.Context, pool *pgxpool.Pool, sql string) (*planNode, error) {
	name := fmt.Sprintf("looked_at_%d", preparedSoFar.Add(1))
	var raw string
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, run := range []string{`SET LOCAL enable_seqscan = off`, `SET LOCAL plan_cache_mode = force_generic_plan`, `PREPARE ` + name + ` AS ` + sql} {
			if _, err := tx.Exec(ctx, run, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		var parameters int
		if err := tx.QueryRow(ctx, `SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = $1`, name).Scan(&parameters); err != nil {
			return err
		}
		run := "EXPLAIN (FORMAT JSON) EXECUTE " + name
		if parameters > 0 {
			run += "(NULL" + strings.Repeat(", NULL", parameters-1) + ")"
		}
		return tx.QueryRow(ctx, run, pgx.QueryExecModeSimpleProtocol).Scan(&raw)
	})
	if err != nil {
		return nil, err
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal([]byte(raw), &plans); err != nil {
		return nil, err
	}
	return &plans[0].Plan, nil
}

var errRollback = errors.New("nothing of it is to stay")

// placeholders is the list of n arguments of EXECUTE.
func placeholders(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("$%d", i+1))
	}
	if n == 0 {
		return ""
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// badPlans says which statements are slow where much is over.
func badPlans(ctx context.Context, t *testing.T, pool *pgxpool.Pool, saw *sawSQL) map[string]string {
	t.Helper()
	bad := map[string]string{}
	for _, sql := range saw.statements() {
		for how, generic := range map[string]bool{"planned for its arguments": false, "planned for any arguments": true} {
			plan, err := planOfStatement(ctx, pool, sql, saw.all[sql], generic)
			if err != nil {
				t.Errorf("%s: %v\n%s", how, err, sql)
				continue
			}
			if problem := plan.problem(); problem != "" {
				bad[sql] += how + ": " + problem + "\n"
			}
		}
	}
	return bad
}
