package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// overInPlans is how many closed changes the ledger of these tests holds.
const overInPlans = 2500

// cold are the files of the ledger whose statements read all of it, now and then,
// page by page.
var cold = []string{"verify.go", "verify_page.go", "verify_row.go", "verify_seals.go", "export.go", "population.go"}

// Whatever the program asks the database for while people wait, or again and
// again, is found by an index: no statement looks at what is over.
func TestNoStatementOfAHotPathLooksAtWhatIsOver(t *testing.T) {
	t.Parallel()
	pool := busyLedger(t)
	saw := &sawSQL{all: map[string][]any{}}
	if err := playHot(t, pool, saw); err != nil {
		t.Fatal(err)
	}
	if n := len(saw.statements()); n < 60 {
		t.Errorf("only %d statements were seen", n)
	}
	for sql, problem := range badPlans(t.Context(), t, pool, saw) {
		t.Errorf("%s%s", problem, sql)
	}
	for _, sql := range unplayed(t, saw) {
		plan, err := planOfSource(t.Context(), pool, sql)
		if err != nil {
			t.Errorf("%v\n%s", err, sql)
		} else if problem := plan.problem(); problem != "" {
			t.Errorf("%s\n%s", problem, sql)
		}
	}
	if !t.Failed() {
		withoutIndexes(t, pool)
	}
}

// withoutIndexes takes indexes away, and demands that each is missed.
func withoutIndexes(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	none := func(err error) error {
		if errors.Is(err, ledger.ErrNotFound) {
			return nil
		}
		return err
	}
	for index, asks := range map[string]func(*ledger.Ledger) error{
		"changes_open_idx":        func(l *ledger.Ledger) error { _, err := l.OpenChanges(t.Context(), 0, 10); return err },
		"changes_next_at_idx":     func(l *ledger.Ledger) error { _, err := l.DueChanges(t.Context(), sceneStart, 10); return err },
		"changes_implementer_idx": func(l *ledger.Ledger) error { _, err := l.CountWith(t.Context(), sandbox.Engineer); return err },
		"seen_at_idx":             func(l *ledger.Ledger) error { return l.ForgetSeen(t.Context(), sceneStart) },
		"grants_last_idx":         func(l *ledger.Ledger) error { _, err := l.LastGranted(t.Context(), 1); return none(err) },
	} {
		saw := &sawSQL{all: map[string][]any{}}
		if err := asks(ledger.New(watched(t, pool, saw))); err != nil {
			t.Fatal(err)
		}
		if bad := badPlans(t.Context(), t, pool, saw); len(saw.all) == 0 || len(bad) > 0 {
			t.Errorf("with %s, %d statements: %v", index, len(saw.all), bad)
		}
		if _, err := pool.Exec(t.Context(), `DROP INDEX `+index); err != nil {
			t.Fatal(err)
		}
		if bad := badPlans(t.Context(), t, pool, saw); len(bad) == 0 {
			t.Errorf("without %s nothing is found wrong", index)
		}
	}
}

// busyLedger is a ledger in which much is over, and nothing open.
func busyLedger(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool := scenePool(t)
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO seen (source, id, number, at) SELECT 'trigger', md5(i::text), i, timestamptz '2026-03-01' + i * interval '1 second' FROM generate_series(1, %d) i`, overInPlans),
		fmt.Sprintf(`INSERT INTO census_findings (kind, instance_arn, account_id, permission_set_arn, user_id, state, outcome, first_seen_at, last_seen_at, told_at, closed_at)
			SELECT 'unasked', 'arn', i::text, 'arn', i::text, 'closed', 'gone', '2026-01-01', '2026-01-02', '2026-01-01', '2026-01-02' FROM generate_series(1, %d) i`, overInPlans),
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := fillHistory(t.Context(), pool, sharedMolds(t), overInPlans); err != nil {
		t.Fatal(err)
	}
	return pool
}

// watched is another pool of the same database, all of whose statements are seen.
func watched(t *testing.T, pool *pgxpool.Pool, saw *sawSQL) *pgxpool.Pool {
	t.Helper()
	c := pool.Config()
	c.ConnConfig.Tracer = saw
	p, err := pgxpool.NewWithConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// playHot plays what the program does every day.
func playHot(t *testing.T, plain *pgxpool.Pool, saw *sawSQL) error {
	t.Helper()
	ctx, pool := t.Context(), watched(t, plain, saw)
	for _, story := range storyNames() {
		if _, err := playCell(ctx, pool, cell{story: story}); err != nil {
			return fmt.Errorf("%s: %w", story, err)
		}
	}
	s, err := openScene(ctx, pool, sceneOptions{deployments: true})
	if err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	for _, play := range []func(context.Context, *scene) error{playSlack, playLoops} {
		if err := play(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// playSlack is what people do in Slack besides the stories.
func playSlack(ctx context.Context, s *scene) error {
	mux := http.NewServeMux()
	mux.Handle("POST /slack/commands", s.app.Commands())
	mux.Handle("POST /slack/interactions", s.app.Interactions())
	mux.Handle("POST /slack/events", s.app.Events())
	door := httptest.NewServer(mux)
	defer door.Close()
	defer s.app.Wait()
	s.world.Slack.SetAppURL(door.URL)
	c, err := s.submit((&tale{}).access(), sandbox.Engineer)
	if err != nil {
		return err
	}
	if err := s.work(); err != nil {
		return err
	}
	engineer := s.world.Slack.Person(sandbox.Engineer)
	for _, text := range []string{"list", "show EC-2001", "show " + c.Number.String(), "note " + c.Number.String() + " It is under way", "help"} {
		if _, err := engineer.Command(ctx, sandbox.OtherChannel, "/emergency", text); err != nil {
			return err
		}
	}
	for _, who := range []string{sandbox.Engineer, sandbox.CTO} {
		if err := s.world.Slack.Person(who).OpenHome(ctx); err != nil {
			return err
		}
		s.app.Wait()
	}
	asked := s.world.Slack.DMs(sandbox.CTO)
	if len(asked) == 0 {
		return errors.New("the CTO was not asked")
	}
	return s.world.Slack.Person(sandbox.CTO).Click(ctx, asked[len(asked)-1], "Approve")
}

// playLoops is what the program does by itself besides the stories.
func playLoops(ctx context.Context, s *scene) error {
	clock := &reconcile.Clock{Ledger: s.ledger, Workflow: s.workflow, Now: s.time, Digests: true, Log: s.log}
	seal := &reconcile.Sealer{Ledger: s.ledger, Now: s.time, Post: true}
	_, err := clock.Tick(ctx)
	if err != nil {
		return err
	}
	s.own = append(s.own, 0)
	for _, do := range []func() error{
		func() error { return s.work() },
		func() error { s.later(26 * time.Hour); return seal.Seal(ctx) },
		func() error { return s.work() },
		func() error { return s.census.Work(ctx) },
		func() error { s.later(time.Hour); return s.census.Work(ctx) },
		func() error { _, err := s.ledger.Backlog(ctx, s.time()); return err },
		func() error { _, err := s.ledger.CensusFigures(ctx); return err },
		func() error { return s.ledger.ForgetSeen(ctx, s.time().Add(-7*24*time.Hour)) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// verbs begin the statements that are looked for in the ledger's source.
var verbs = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s`)

// unplayed lists the statements in the source of the ledger that were not seen,
// but for those that read all of it.
func unplayed(t *testing.T, saw *sawSQL) []string {
	t.Helper()
	folder := path.Join("..", "..", "internal", "ledger")
	names, err := fs.Glob(os.DirFS(folder), "*.go")
	if err != nil || len(names) < 10 {
		t.Fatalf("found %d files, %v", len(names), err)
	}
	files, known := map[string]*ast.File{}, constants{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path.Join(folder, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = parsed
		known.learn(parsed)
	}
	seen := saw.statements()
	var missing []string
	for name, parsed := range files {
		if slices.Contains(cold, name) {
			continue
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			expression, ok := node.(ast.Expr)
			if !ok {
				return true
			}
			text, whole := known.text(expression)
			if !whole || !verbs.MatchString(text) {
				return true // its parts may be
			}
			if !slices.ContainsFunc(seen, func(sql string) bool { return strings.Contains(sql, text) }) {
				missing = append(missing, text)
			}
			return false
		})
	}
	return missing
}

// constants are those of a package that are texts, by name.
type constants map[string]ast.Expr

func (c constants) learn(file *ast.File) {
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
			for i, name := range spec.Names {
				c[name.Name] = spec.Values[i]
			}
		}
		return true
	})
}

// text is what an expression of texts and constants is, if it is one.
func (c constants) text(e ast.Expr) (text string, whole bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.Ident:
		if value, known := c[e.Name]; known {
			return c.text(value)
		}
	case *ast.BinaryExpr:
		before, first := c.text(e.X)
		after, second := c.text(e.Y)
		return before + after, e.Op == token.ADD && first && second
	}
	return "", false
}
