package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// What is looked up while somebody waits for their form to be taken is spoiled over the
// wire in each way: they are answered within Slack's 3 s, to which the stand-in holds
// breakglass, nothing that was typed is lost, and what is not known is not taken for known.
func TestAFormIsTakenOrKeptWhateverItsLookUpsMeet(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(context.Context, act) *spoiledForm{"work on production": productionForm, "a hot patch": patchForm} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, a := open(t, stageOptions{})
			form := f(ctx, a)
			var err error
			if form.pool, err = pgxpool.New(ctx, a.dbURL); err != nil {
				t.Fatal(err)
			}
			defer form.pool.Close()
			calls, healthy := form.healthy(t)
			if len(calls) < form.least {
				t.Fatalf("only %v is looked up", calls)
			}
			spoiled := 0
			for _, c := range calls {
				ways := kinds()
				maps.Copy(ways, ownWords()[c.system])
				for _, how := range slices.Sorted(maps.Keys(ways)) {
					hit, err := form.spoil(c, ways[how], healthy)
					if err != nil {
						t.Errorf("%s, %s: %v", c.call, how, err)
					}
					if hit {
						spoiled++
					} else if err == nil && c.system != change.SystemSlack {
						t.Errorf("%s, %s: it was not called", c.call, how)
					}
				}
			}
			t.Logf("%d look-ups, %d of them spoiled", len(calls), spoiled)
		})
	}
}

// spoiledForm is a form that is filled in and submitted again and again.
type spoiledForm struct {
	act
	ctx   context.Context //nolint:containedctx // it is the test's own
	pool  *pgxpool.Pool
	fill  func() error
	typed []string // what must never be lost
	least int      // so many look-ups are known
}

func productionForm(ctx context.Context, a act) *spoiledForm {
	p := a.person(sandbox.Engineer)
	ticket := a.world.Jira.AddIssue(jira.Issue{Project: "OPS", Summary: "The queue is slow"})
	return &spoiledForm{act: a, ctx: ctx, least: 4, typed: []string{"Restart <it> & go", "Orders are not being processed", ticket}, fill: func() error {
		return a.begin(ctx, sandbox.Engineer, "The platform cannot recover without manual intervention", "Work on production directly", "Restart <it> & go",
			func() error { return p.Select(ctx, "Where", "Production") },
			func() error { return p.Select(ctx, "Permission set", "BreakGlassAdmin") },
			func() error { return p.Select(ctx, "For how long", "30m") },
			func() error { return p.Select(ctx, "Record", "Link an existing ticket") },
			func() error { return p.Type(ctx, "Ticket", ticket) })
	}}
}

func patchForm(ctx context.Context, a act) *spoiledForm {
	p := a.person(sandbox.Engineer)
	a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})
	return &spoiledForm{act: a, ctx: ctx, least: 2, typed: []string{"Patch <it> & go", "Orders are not being processed"}, fill: func() error {
		return a.begin(ctx, sandbox.Engineer, mitigateNow, "Post-deployment hot patch", "Patch <it> & go",
			func() error { return p.Select(ctx, "Active incident", ordersStuck) },
			func() error { return p.Type(ctx, "Merge request", a.world.MergeRequestURL(sandbox.HotPatches, 1)) })
	}}
}

// lookUp is a call that is made while a form is taken.
type lookUp struct {
	system change.System
	call   string
}

// tells is whether a request has what the call answers. Who is on call, and whom Slack
// knows, are looked up anew whenever it matters.
func (c lookUp) tells() bool {
	return c.system != change.SystemSlack && c.call != "list schedule entries"
}

// healthy submits the form undisturbed, and answers what was called until it was taken
// and what was known then.
func (f *spoiledForm) healthy(t *testing.T) ([]lookUp, map[string]string) {
	t.Helper()
	must(t, f.fill)
	before := f.called()
	must(t, func() error { return f.person(sandbox.Engineer).Submit(f.ctx) })
	var calls []lookUp
	for c, n := range f.called() {
		if n > before[c] && c.system != change.SystemSlack || c.call == "users.info" {
			calls = append(calls, c)
		}
	}
	slices.SortFunc(calls, func(a, b lookUp) int { return strings.Compare(a.call, b.call) })
	known, err := f.known()
	if err != nil {
		t.Fatal(err)
	}
	must(t, f.withdraw)
	return calls, known
}

func (f *spoiledForm) called() map[lookUp]int {
	all := map[lookUp]int{}
	for _, s := range allSystems() {
		for _, plan := range planOf(f.world, s) {
			for call, n := range plan.Calls() {
				all[lookUp{s, call}] += n
			}
		}
	}
	return all
}

// known are the facts of the newest change's beginning.
func (f *spoiledForm) known() (map[string]string, error) {
	n, err := f.newest()
	if err != nil {
		return nil, err
	}
	all, err := ledger.New(f.pool).Events(f.ctx, n, 0, 100)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for _, e := range all {
		if !e.At.Equal(all[0].At) {
			break
		}
		for name := range e.Facts {
			if v := e.Fact(name); v != "" {
				known[string(e.Type)+" "+name] = v
			}
		}
	}
	return known, nil
}

// newest is the number of the newest change; zero: there is none.
func (f *spoiledForm) newest() (n change.Number, err error) {
	err = f.pool.QueryRow(f.ctx, `SELECT coalesce(max(number), 0) FROM changes`).Scan(&n)
	return n, err
}

// withdraw ends the newest change, so that nothing of it is looked up any more.
func (f *spoiledForm) withdraw() error {
	n, err := f.newest()
	if err != nil {
		return err
	}
	_, err = f.person(sandbox.Engineer).Command(f.ctx, sandbox.OtherChannel, "/emergency", "withdraw "+n.String())
	return errors.Join(err, f.forward(time.Minute)) // whoever was told to wait need not any more
}

// spoil submits the form while a call is spoiled, and, where it was not taken, again
// when all is well. It tells whether the call was made at all.
func (f *spoiledForm) spoil(c lookUp, way fault.Fault, healthy map[string]string) (hit bool, err error) {
	p := f.person(sandbox.Engineer)
	before, err := f.newest()
	if err != nil {
		return false, err
	}
	if err := f.fill(); err != nil {
		return false, err
	}
	way.Call = c.call
	hits := f.hits()
	for _, plan := range planOf(f.world, c.system) {
		plan.Add(way)
	}
	begun := time.Now()
	err = p.Submit(f.ctx)
	took := time.Since(begun)
	hit = f.hits() > hits
	known, knowing := f.known()
	for _, plan := range planOf(f.world, c.system) {
		plan.Clear()
	}
	if knowing != nil {
		return hit, knowing
	}
	after, counting := f.newest()
	if counting != nil {
		return hit, counting
	}
	if refused, ok := errors.AsType[*slack.FormError](err); ok {
		if len(refused.ByLabel) == 0 || after != before {
			return hit, fmt.Errorf("it was refused with %v, and there are %d changes more", refused.ByLabel, after-before)
		}
		view, _ := f.world.Slack.View(sandbox.Engineer)
		shown := f.world.Slack.RenderView(view)
		for _, want := range f.typed {
			if !strings.Contains(shown, want) {
				return hit, fmt.Errorf("the form has lost %q:\n%s", want, shown)
			}
		}
		if err := p.Submit(f.ctx); err != nil {
			return hit, fmt.Errorf("when all was well again: %w", err)
		}
		return hit, f.withdraw()
	}
	switch {
	case err != nil:
		return hit, fmt.Errorf("after %s: %w", took, err)
	case after != before+1:
		return hit, fmt.Errorf("it was taken, and there are %d changes more", after-before)
	case hit && c.tells() && len(known) >= len(healthy):
		return hit, fmt.Errorf("all is known although it could not be looked up: %v", known)
	}
	return hit, f.withdraw()
}

func (f *spoiledForm) hits() (n int) {
	for _, s := range allSystems() {
		for _, plan := range planOf(f.world, s) {
			n += plan.Hits()
		}
	}
	return n
}
