package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// marked is a secret of the program, and the only system that may see it.
type marked struct{ variable, value, shownTo string }

// overheard keeps everything that the program sends to one system.
type overheard struct {
	mu   sync.Mutex
	sent bytes.Buffer
}

func (o *overheard) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent.String()
}

// between stands between the program and a system, and listens.
func (o *overheard) between(t *testing.T, system string) string {
	t.Helper()
	to, err := url.Parse(system)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A call that its caller gave up has sent no more than was read.
		body, err := io.ReadAll(r.Body)
		o.mu.Lock()
		fmt.Fprintln(&o.sent, r.Method, r.URL, r.Header, r.Trailer, string(body))
		o.mu.Unlock()
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// before stands before the program, and listens to what it answers.
func (o *overheard) before(t *testing.T, program string) string {
	t.Helper()
	to, err := url.Parse(program)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			o.mu.Lock()
			fmt.Fprintln(&o.sent, r.Status, r.Header, string(body))
			o.mu.Unlock()
			r.Body = io.NopCloser(bytes.NewReader(body))
			return err
		},
	})
	t.Cleanup(server.Close)
	return server.URL
}

// everyRow is the whole database as text.
func everyRow(t *testing.T, database string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'river')`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 15 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	var all string
	for _, table := range tables {
		var text string
		if err := conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(t::text, ' '), '') FROM `+table+` t`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		all += text
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return all
}

func TestNoSecretIsWrittenOrSentAnywhereButToItsOwnSystem(t *testing.T) {
	t.Parallel()
	database := databases.URL(t)
	owner, program, _ := rolesOf(t, database)
	ctx, a := open(t, stageOptions{databaseURL: program, environment: []string{"DATABASE_MIGRATE_URL=" + owner}})
	if err := a.child.stop(); err != nil {
		t.Fatal(err)
	}
	marks := []marked{
		{"DATABASE_URL", "of-the-test", "the database"},
		{"JIRA_WEBHOOK_SECRET", "marked-jira-webhook", ""},
		{"INCIDENT_IO_WEBHOOK_SECRET", "whsec_bWFya2VkLWluY2lkZW50LXdlYmhvb2s=", ""},
		{"AWS_SECRET_ACCESS_KEY", "marked-aws-secret-key", ""}, // it signs, and is never sent
		{"AWS_SESSION_TOKEN", "marked-aws-session", "AWS"},
	}
	env := append(a.world.Env(), "DATABASE_URL="+program, "DATABASE_MIGRATE_URL="+owner)
	own := len(marks)
	for _, v := range a.world.Env() {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case "SLACK_BOT_TOKEN":
			marks = append(marks, marked{name, value, "Slack"})
		case "SLACK_SIGNING_SECRET":
			marks = append(marks, marked{name, value, ""})
		case "JIRA_API_TOKEN":
			marks = append(marks, marked{name, value, ""}, marked{name, base64.StdEncoding.EncodeToString([]byte("breakglass@example.com:" + value)), "Jira"})
		case "GITLAB_TOKEN":
			marks = append(marks, marked{name, value, "GitLab"})
		case "GITHUB_TOKEN":
			marks = append(marks, marked{name, value, "GitHub"})
		case "INCIDENT_IO_API_KEY":
			marks = append(marks, marked{name, value, "incident.io"})
		}
	}
	for _, m := range marks[1:own] {
		env = append(env, m.variable+"="+m.value)
	}
	written := map[string]func() string{}
	text, err := os.ReadFile(a.configFile())
	if err != nil {
		t.Fatal(err)
	}
	heard := []string{} // each address, and where we listen in its stead
	for _, system := range a.world.Addresses() {
		o := &overheard{}
		heard = append(heard, system.URL, o.between(t, system.URL))
		text = bytes.ReplaceAll(text, []byte(system.URL), []byte(heard[len(heard)-1]))
		written[system.Name] = o.String
	}
	if err := os.WriteFile(a.configFile(), text, 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "debug.log")
	c, err := startChild(ctx, log, env, "serve", "--migrate", "--stop-with-stdin", "--log-level", "debug", "--config", a.configFile(), "--clock-offset-file", a.clockFile())
	if err != nil {
		t.Fatal(err)
	}
	a.child = c
	answers := &overheard{}
	a.world.Slack.SetAppURL(answers.before(t, "http://"+c.address))
	written["the answers to Slack"] = answers.String
	if err := mainStory(ctx, a.stage, newNarrator(io.Discard)); err != nil {
		t.Fatal(err)
	}
	listenedTo := strings.NewReplacer(heard...)
	must(t,
		func() error {
			return a.fastTrack(ctx, sandbox.Engineer, listenedTo.Replace(a.world.MergeRequestURL(sandbox.AppProject, 1)))
		},
		func() error {
			return a.fastTrack(ctx, sandbox.CTO, listenedTo.Replace(a.world.PullRequestURL(sandbox.Repository, 1)))
		},
		func() error {
			return a.until(ctx, "GitHub's status was looked at", func() bool {
				return slices.ContainsFunc(a.world.Slack.Messages(sandbox.Channel), func(m slack.Message) bool {
					return strings.Contains(a.world.Slack.RenderMessage("", m), "GitHub said")
				})
			})
		},
	)
	written["the log"] = func() string { return readWhole(t, log) }
	written["the database"] = func() string { return everyRow(t, database) }
	if runtime.GOOS == "linux" {
		written["the arguments"] = func() string { return readWhole(t, fmt.Sprintf("/proc/%d/cmdline", c.cmd.Process.Pid)) }
	}
	for name, say := range written {
		said := say()
		if len(said) < 20 {
			t.Errorf("%s: nothing was seen of it: %q", name, said)
		}
		for _, m := range marks {
			if shown := strings.Contains(said, m.value); shown && name != m.shownTo {
				t.Errorf("%s holds %s", name, m.variable)
			} else if !shown && name == m.shownTo && name != "the database" {
				t.Errorf("%s does not hold %s: it was not listened to", name, m.variable)
			}
		}
	}
	if !strings.Contains(readWhole(t, log), `"level":"DEBUG"`) {
		t.Error("the log is no debug log")
	}
}

func readWhole(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
