//go:build bench

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/migrations"
)

// atTheDoor notes when calls of one kind arrive, and passes them on.
type atTheDoor struct {
	next http.Handler
	is   func(r *http.Request) bool

	mu      sync.Mutex
	arrived []time.Time
}

// ServeHTTP passes a call on.
func (d *atTheDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.is(r) {
		d.mu.Lock()
		d.arrived = append(d.arrived, time.Now())
		d.mu.Unlock()
	}
	d.next.ServeHTTP(w, r)
}

// after is how many calls have arrived since a time, and when the first and the last did.
func (d *atTheDoor) after(began time.Time) (count int, first, last time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, at := range d.arrived {
		if took := at.Sub(began); took >= 0 {
			if count++; count == 1 {
				first = took
			}
			last = took
		}
	}
	return count, first, last
}

// benchForm measures how long the form is not asked for after the command, by one
// person and by ten at once, with the example's configuration and with 300 targets
// of 300 permission sets each.
func benchForm(ctx context.Context, t *testing.T, b *bench) {
	for _, size := range []struct {
		name  string
		alter func([]byte) []byte
	}{{"the example", nil}, {"300 × 300", manyTargets}} {
		one, ten := forms(ctx, t, size.alter)
		for _, m := range []struct {
			who  string
			took []time.Duration
		}{{"one person", one}, {"the last of ten at once", ten}} {
			got := quantile(m.took, 0.99)
			b.add(figure{
				what: fmt.Sprintf("views.open after the command, %s, %s: p50 %s, p99", size.name, m.who, brief(quantile(m.took, 0.5))), got: brief(got),
				goal: "≤ 20 ms", met: atMost(float64(got), float64(20*time.Millisecond)),
			})
		}
	}
}

var targetList = regexp.MustCompile(`(?s)\ntargets:.*?\nreasons:`)

// manyTargets is the example with 300 targets of 300 permission sets each.
func manyTargets(example []byte) []byte {
	var all strings.Builder
	all.WriteString("\ntargets:\n")
	for target := range 300 {
		id, account := fmt.Sprintf("target-%d", target), fmt.Sprintf("%012d", 200000000000+target)
		if target == 0 {
			id, account = "production", sandbox.Production
		}
		fmt.Fprintf(&all, "  - id: %s\n    name: Target %d\n    account_id: %q\n    permission_sets:\n", id, target, account)
		for set := range 300 {
			fmt.Fprintf(&all, "      - {id: set-%d, name: Set%d, arn: \"arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-%016d\", max_duration: 8h}\n", set, set, set+1)
		}
	}
	return targetList.ReplaceAll(example, []byte(all.String()+"\nreasons:"))
}

// forms opens the form again and again.
func forms(ctx context.Context, t *testing.T, alter func([]byte) []byte) (one, ten []time.Duration) {
	t.Helper()
	world, err := sandbox.Start(ctx, sandbox.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	}()
	door := &atTheDoor{next: world.Slack, is: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/views.open") }}
	slackDoor := httptest.NewServer(door)
	defer slackDoor.Close()
	cfg := bytes.ReplaceAll(world.Config(deploy.Example, "127.0.0.1:0"), []byte(world.Slack.APIURL()), []byte(slackDoor.URL+"/api/"))
	if alter != nil {
		cfg = alter(cfg)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "breakglass.yaml")
	if err := os.WriteFile(file, cfg, 0o600); err != nil {
		t.Fatal(err)
	}
	c := served1(ctx, t, world, folder, file)
	defer func() {
		if err := c.kill(); err != nil {
			t.Error(err)
		}
	}()
	opened := func(people ...string) time.Duration {
		began := time.Now()
		var all sync.WaitGroup
		for _, p := range people {
			all.Go(func() {
				if _, err := world.Slack.Person(p).Command(ctx, sandbox.OtherChannel, "/emergency", ""); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		count, _, last := door.after(began)
		if count != len(people) {
			t.Errorf("%d forms were asked for, not %d", count, len(people))
		}
		for _, p := range people {
			if err := world.Slack.Person(p).CloseView(ctx); err != nil {
				t.Error(err)
			}
		}
		return last
	}
	everybody := []string{
		sandbox.Engineer, sandbox.Colleague, sandbox.CTO, sandbox.Deputy, sandbox.OnCall,
		sandbox.ReleaseManager, sandbox.AppSec, sandbox.Maintainer, "U0MAINT2", "U0CONTRACTOR",
	}
	for range 20 {
		opened(sandbox.Engineer)
	}
	for range 200 {
		one = append(one, opened(sandbox.Engineer))
	}
	for range 100 {
		ten = append(ten, opened(everybody...))
	}
	return one, ten
}

// served1 starts the ordinary build on a database of its own.
func served1(ctx context.Context, t *testing.T, world *sandbox.World, folder, file string) *child {
	t.Helper()
	database := databases.URL(t)
	if err := migrations.Up(ctx, database); err != nil {
		t.Fatal(err)
	}
	c, err := startProgram(ctx, binary(t, build{name: "ordinary"}), filepath.Join(folder, "breakglass.log"), append(world.Env(), "DATABASE_URL="+database),
		"serve", "--config", file, "--stop-with-stdin")
	if err != nil {
		t.Fatal(err)
	}
	world.Slack.SetAppURL("http://" + c.address)
	return c
}
