package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// circles counts the circles, so that each has marks of its own.
var circles atomic.Int64

// tester is what a test and a rapid check have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// circle is the whole program, in this process, beside a world of its own. What
// is due of a change is worked by hand, so that the world is looked at when it
// is at rest.
type circle struct {
	t      tester
	world  *sandbox.World
	p      *program
	offset atomic.Int64
	log    *lockedBuffer
	folder string
	mark   string // stands in every text of its change that must not get out
}

func (c *circle) marked(what string) string { return c.mark + " " + what }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func openCircle(t tester, databaseURL, folder string, alter ...string) *circle {
	t.Helper()
	ctx := context.Background()
	c := &circle{t: t, log: &lockedBuffer{}, folder: folder, mark: fmt.Sprintf("zqx%dx", circles.Add(1))}
	var err error
	if c.world, err = sandbox.Start(ctx, sandbox.Options{Now: c.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.world.Close() })
	cfg, err := c.config(databaseURL, alter)
	if err != nil {
		t.Fatal(err)
	}
	if c.p, err = newProgram(ctx, cfg, c.now, slog.New(slog.NewJSONHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.p.close)
	mux := http.NewServeMux()
	mux.Handle("POST /slack/commands", c.p.app.Commands())
	mux.Handle("POST /slack/interactions", c.p.app.Interactions())
	mux.Handle("POST /slack/events", c.p.app.Events())
	door := httptest.NewServer(mux)
	t.Cleanup(door.Close)
	t.Cleanup(c.p.app.Wait)
	c.world.Slack.SetAppURL(door.URL)
	return c
}

func (c *circle) now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

func (c *circle) config(databaseURL string, alter []string) (*config.Config, error) {
	text := instead(c.world.Config(deploy.Example, "127.0.0.1:0"), alter...)
	path := filepath.Join(c.folder, "breakglass.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	env := append(c.world.Env(), "DATABASE_URL="+databaseURL)
	for _, e := range env { // the SDK's chain of credentials reads them itself
		if name, value, _ := strings.Cut(e, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Setenv(name, value); err != nil {
				return nil, fmt.Errorf("set %s: %w", name, err)
			}
		}
	}
	lookup := func(name string) (string, bool) {
		for _, e := range env {
			if value, found := strings.CutPrefix(e, name+"="); found {
				return value, true
			}
		}
		return "", false
	}
	return config.Load(path, lookup, os.ReadFile)
}

// work delivers what is due of a change, until nothing is.
func (c *circle) work(n change.Number) {
	c.t.Helper()
	for range 6 {
		for _, system := range []change.System{change.SystemSlack, change.SystemJira, change.SystemIncident} {
			if err := c.p.deliverer.Work(context.Background(), ledger.Work{Number: n, System: system}); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	c.p.app.Wait()
}

func (c *circle) change(n change.Number) change.Change {
	c.t.Helper()
	got, err := c.p.ledger.Change(context.Background(), n)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// as is somebody with the groups of the moment.
func (c *circle) as(who string, got *change.Change) change.Actor {
	ctx := context.Background()
	ids := []change.GroupID{"engineers", "cto", "deputies", "on-call", "release-managers", "appsec", "maintainers"}
	if got != nil {
		ids = append(ids, got.ReaderGroups(c.p.cfg.Rules)...)
	}
	return change.Actor{ID: change.PersonID(who), Standing: change.Member, Groups: c.p.directory.Groups(ctx, ids), Via: "slack"}
}

// do carries a command out, which may be refused.
func (c *circle) do(n change.Number, who string, cmd change.Command) error {
	got := c.change(n)
	actor := c.as(who, &got)
	if who == "" {
		actor = change.Itself("test")
	}
	_, err := c.p.workflow.Do(context.Background(), n, cmd, actor)
	return err
}

// outsiders are those of the world who may not see a change.
func (c *circle) outsiders(n change.Number) []string {
	got := c.change(n)
	view := c.p.directory.Groups(context.Background(), got.ReaderGroups(c.p.cfg.Rules))
	var all []string
	for _, u := range c.world.Slack.Users() {
		if may, _ := got.MayRead(c.p.cfg.Rules, view, change.PersonID(u.ID)); (!may || u.Restricted) && !u.Bot {
			all = append(all, u.ID)
		}
	}
	return all
}

// leaks says where anything marked can be seen by those outside.
func (c *circle) leaks(n change.Number) []string {
	c.t.Helper()
	var found []string
	look := func(where string, what any) {
		raw, err := json.Marshal(what)
		if err != nil {
			c.t.Fatal(err)
		}
		if at := strings.Index(string(raw), c.mark); at >= 0 {
			found = append(found, where+": …"+string(raw[max(0, at-150):min(len(raw), at+80)])+"…")
		}
	}
	for _, who := range c.outsiders(n) {
		screen, _ := c.world.Slack.Screen(who)
		for i := range screen.Channels { // what an edit has replaced is on no screen
			for j := range screen.Channels[i].Messages {
				screen.Channels[i].Messages[j].Edits = nil
			}
		}
		look("the screen of "+who, screen)
	}
	for _, i := range c.world.Jira.Issues() {
		if i.Security == "" {
			look(i.Key, i)
		}
	}
	for _, i := range c.publicIncidents() {
		look("incident "+i, c.world.IncidentIO.Text(i))
		look("follow-ups of "+i, c.world.IncidentIO.FollowUps(i))
	}
	for format, written := range c.reports() {
		look("the report as "+format, written)
	}
	look("the log", c.log.String())
	return found
}

// reports are those that are written for everybody.
func (c *circle) reports() map[string]string {
	c.t.Helper()
	now := c.now()
	opts := report.Options{Since: now.AddDate(-1, 0, 0), Until: now.Add(time.Hour), AsOf: now}
	rows := func(yield func(ledger.PopulationRow) error) error {
		return c.p.ledger.Population(context.Background(), ledger.Period{Since: opts.Since, Until: opts.Until}, yield)
	}
	written := map[string]string{}
	var page, table, object bytes.Buffer
	for _, err := range []error{report.HTML(&page, rows, opts), report.CSV(&table, rows, opts), report.JSON(&object, rows, opts)} {
		if err != nil {
			c.t.Fatal(err)
		}
	}
	digest, err := c.p.digest(context.Background(), opts.Since, opts.Until)
	if err != nil {
		c.t.Fatal(err)
	}
	written["HTML"], written["CSV"], written["JSON"], written["digest"] = page.String(), table.String(), object.String(), strings.Join(digest, "\n")
	return written
}

// publicIncidents are the ids of the incidents that everybody sees.
func (c *circle) publicIncidents() []string {
	live, err := c.p.systems.incident.Recent(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	var ids []string
	for _, i := range live {
		if !i.Private {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// buttons lists the texts of a message's or view's buttons.
func buttonsOf(blocks []slack.Block) []string {
	var all []string
	for _, b := range blocks {
		elements, _ := b["elements"].([]any)
		if accessory, ok := b["accessory"]; ok {
			elements = append(slices.Clone(elements), accessory)
		}
		for _, e := range elements {
			element, _ := e.(map[string]any)
			text, _ := element["text"].(map[string]any)
			if name, ok := text["text"].(string); ok && element["type"] == "button" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
