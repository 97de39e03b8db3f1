package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// play plays the stories of n engineers on an arena, half of them during an
// incident, and judges what came of them.
func play(ctx context.Context, t testing.TB, opts arenaOptions, n int, meanwhile func(ctx context.Context, a *arena)) (a *arena, err error) {
	t.Helper()
	a, err = openArena(ctx, t, opts)
	if err != nil {
		return nil, err
	}
	defer func() {
		a.trace, a.died = a.reached(), a.dead()
		if err != nil {
			a.showLogs(t)
		}
		if closing := a.close(); closing != nil {
			t.Logf("close the arena: %v", closing)
		}
	}()
	incidents := a.world.IncidentIO.Open(incidentio.Incident{Name: "Orders are stuck"})
	if opts.troupe == nil {
		opts.troupe = func(a *arena, in ...incidentio.Incident) []*player { return a.players(n, in...) }
	}
	players := opts.troupe(a, incidents...)
	a.changes = int64(len(players))
	during, over := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if meanwhile != nil {
			meanwhile(during, a)
		}
	}()
	err = playAll(ctx, players)
	over()
	<-done
	if err == nil {
		err = a.rest(ctx)
	}
	if err != nil {
		return a, err
	}
	return a, a.judge(ctx, players)
}

// showLogs tells what can be known of a story that went wrong.
func (a *arena) showLogs(t testing.TB) {
	t.Helper()
	const state = `SELECT 'EC-' || number || ' ' || phase || ' next ' || coalesce(next_at::TEXT, 'never') FROM changes WHERE phase <> 'closed'
		UNION ALL SELECT 'EC-' || number || ' ' || kind || ' ' || key || ' ' || state || ' next ' || next_try || ' lease ' || coalesce(lease_until::TEXT, '-') || ' ' || claim || ' ' || last_error
			FROM deliveries WHERE next_try IS NOT NULL
		UNION ALL SELECT 'EC-' || number || ' owes ' || name FROM obligations WHERE state = 'owed'
		UNION ALL SELECT 'EC-' || chain || ' ' || type || ' ' || at FROM events JOIN changes ON number = chain WHERE phase <> 'closed' AND type <> 'reminded'
		UNION ALL SELECT 'assignment ' || id || ' ' || operation || ' next ' || next_try || ' lease ' || coalesce(lease_until::TEXT, '-') || ' ' || claim || ' ' || trouble
			FROM assignments WHERE next_try IS NOT NULL`
	rows, err := a.pool.Query(context.WithoutCancel(t.Context()), state)
	if err == nil {
		var left []string
		left, err = pgx.CollectRows(rows, pgx.RowTo[string])
		t.Logf("now is %s; problems %v; what is due (%v):\n%s", a.now(), a.problems, err, strings.Join(left, "\n"))
	}
	for _, r := range a.replicas {
		log, err := os.ReadFile(filepath.Join(a.folder, fmt.Sprintf("replica-%d.log", r.number)))
		t.Logf("the log of replica %d (%v):\n%s", r.number, err, tail(string(log), 60))
	}
}

// point is a point of the program, and how often the stories reach it.
type point struct {
	name  string
	times int
}

// enumerate plays the stories once, and answers every point that was reached,
// in the order in which they came first.
func enumerate(ctx context.Context, t testing.TB, opts arenaOptions) ([]point, error) {
	t.Helper()
	opts.programs = []string{binary(t, armed)}
	a, err := play(ctx, t, opts, 2, nil)
	if err != nil {
		return nil, err
	}
	var all []point
	at := map[string]int{}
	for _, name := range a.trace {
		if _, known := at[name]; !known {
			at[name] = len(all)
			all = append(all, point{name: name})
		}
		all[at[name]].times++
	}
	return all, nil
}

// first and later name an occurrence of a point at which to die.
func (p point) first() string { return p.name + "#1" }

func (p point) later(random *rand.Rand) string {
	if p.times < 2 {
		return ""
	}
	return fmt.Sprintf("%s#%d", p.name, 2+random.IntN(p.times-1))
}

// killAt plays the stories, and lets the program die at each of the points.
func killAt(ctx context.Context, t testing.TB, opts arenaOptions, points []string) (*arena, error) {
	t.Helper()
	opts.programs, opts.kill = []string{binary(t, armed)}, points
	a, err := play(ctx, t, opts, 2, nil)
	if err != nil {
		err = fmt.Errorf("killed at %q: %w", a.died, err)
	}
	return a, err
}

func TestKilledAtAPointItMakesGood(t *testing.T) {
	t.Parallel()
	binary(t, armed) // outside the time that a story may take
	for name, c := range map[string]struct {
		world sandbox.Options
		every int // so many-th point is one to die at
	}{
		"over HTTP":        {sandbox.Options{}, 18},
		"over Socket Mode": {sandbox.Options{SocketMode: true}, 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), testWithin)
			defer cancel()
			all, err := enumerate(ctx, t, arenaOptions{world: c.world})
			if err != nil {
				t.Fatal(err)
			}
			if len(all) < 200 {
				t.Errorf("only %d points were found", len(all))
			}
			var some []string
			for i, p := range all {
				if i%c.every == 5 {
					some = append(some, p.first())
				}
			}
			begun := time.Now()
			a, err := killAt(ctx, t, arenaOptions{world: c.world}, some)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.died) < len(some)*8/10 {
				t.Errorf("of %d points only %d killed; not %q", len(some), len(a.died), slices.DeleteFunc(some, func(p string) bool { return slices.Contains(a.died, p) }))
			}
			t.Logf("%d points, killed at %d of them, %s", len(all), len(a.died), time.Since(begun))
		})
	}
}
