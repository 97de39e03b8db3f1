package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/migrations"
)

// served is a world and a configuration, with the world's secrets set.
func served(t *testing.T, database string) (file string) {
	t.Helper()
	_, file = servedBeside(t, database, sandbox.Options{Now: time.Now})
	return file
}

func servedBeside(t *testing.T, database string, opts sandbox.Options) (world *sandbox.World, file string) {
	t.Helper()
	world, err := sandbox.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	file = configured(t, string(world.Config(deploy.Example, "127.0.0.1:0")))
	for _, v := range world.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	t.Setenv("DATABASE_URL", database)
	return world, file
}

func execute(t *testing.T, database, sql string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // it may be called to clean up
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Error(err)
	}
	if err := conn.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestServeRefusesADatabaseThatIsNotOfItsVersion(t *testing.T) {
	database := databases.URL(t)
	file := served(t, database)
	code, _, problems := called(t, "serve", "--config", file)
	if code != exitFailed || !strings.Contains(problems, "run `breakglass migrate`") {
		t.Errorf("unmigrated: exit %d, %s", code, problems)
	}
	if code, out, problems := called(t, "migrate"); code != exitFine || !strings.Contains(out, "up to date") {
		t.Fatalf("migrate: exit %d, %s", code, problems)
	}
	// Told to stop before it began, it starts and stops gracefully.
	ctx, cancel := context.WithCancel(t.Context())
	var log strings.Builder
	stopper := writer(func(line string) {
		log.WriteString(line)
		if strings.Contains(line, "breakglass is up") {
			cancel()
		}
	})
	if code := run(ctx, []string{"serve", "--config", file}, io.Discard, stopper); code != exitFine {
		t.Errorf("migrated: exit %d, %s", code, log.String())
	}
	cancel()
	execute(t, database, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`)
	execute(t, database, `COMMENT ON TABLE goose_db_version IS 'Programs that know migration 9999 may run on this database.'`)
	code, _, problems = called(t, "serve", "--config", file)
	if code != exitFailed || !strings.Contains(problems, "newer version of breakglass") {
		t.Errorf("newer: exit %d, %s", code, problems)
	}
}

// writer hands over what is written, one write at a time as a log does it.
type writer func(string)

func (w writer) Write(p []byte) (int, error) { w(string(p)); return len(p), nil }

func TestServeEndsWhenItsAddressIsTaken(t *testing.T) {
	database := databases.URL(t)
	if err := migrations.Up(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	file := served(t, database)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	})
	taken := listener.Addr().String()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), "listen: 127.0.0.1:0", "listen: "+taken, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, problems := called(t, "serve", "--config", file)
	if code != exitFailed || !strings.Contains(problems, "breakglass: listen on "+taken) {
		t.Errorf("exit %d, %s", code, problems)
	}
}

func TestMigrateSaysWhichVariableIsMissing(t *testing.T) {
	configured(t, "")
	for _, args := range [][]string{{"migrate"}, {"audit", "verify"}, {"report"}} {
		if code, out, problems := called(t, args...); code != exitMistake || out != "" || !strings.Contains(problems, "DATABASE_URL is not set") || strings.Contains(problems, "mistake") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, problems)
		}
	}
}

func TestADatabaseThatCannotBeReachedDoesNotShowItsPassword(t *testing.T) {
	for _, database := range []string{
		"postgres://me:very-secret@127.0.0.1:1/x?sslmode=disable&connect_timeout=5", "postgres://me:very-secret@127.0.0.1:port/x",
		"host=127.0.0.1 port=1 user=me password=very-secret sslmode=disable", "host=127.0.0.1 port=port password='very-secret",
	} {
		file := served(t, database)
		for _, args := range [][]string{{"migrate"}, {"audit", "verify"}, {"report"}, {"serve", "--config", file}, {"serve", "--migrate", "--config", file}} {
			code, out, problems := called(t, args...)
			if code == exitFine || problems == "" || strings.Contains(out+problems, "very-secret") {
				t.Errorf("%v: exit %d, %q, %q", args, code, out, problems)
			}
		}
	}
}

// asked asks the child over HTTP.
func asked(t *testing.T, c *child, path string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(content)
}

func TestHealthAndReadinessAreTold(t *testing.T) {
	t.Parallel()
	_, a := open(t, stageOptions{})
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if status, body := asked(t, a.child, path); status != http.StatusOK || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	execute(t, a.dbURL, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`)
	execute(t, a.dbURL, `COMMENT ON TABLE goose_db_version IS 'Programs that know migration 9999 may run on this database.'`)
	if err := a.forward(2 * time.Second); err != nil { // an answer holds for a second
		t.Fatal(err)
	}
	if status, body := asked(t, a.child, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "The database does not have this version's schema: run breakglass migrate.\n") {
		t.Errorf("with another schema: %d %q", status, body)
	}
	name := a.dbURL[strings.LastIndex(a.dbURL, "/")+1:]
	if u, err := url.Parse(a.dbURL); err == nil {
		name = strings.TrimPrefix(u.Path, "/")
	}
	execute(t, databases.URL(t), "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	if err := a.forward(2 * time.Second); err != nil { // an answer holds for a second
		t.Fatal(err)
	}
	status, body := asked(t, a.child, "/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "The database does not answer.\n") {
		t.Errorf("without a database: %d %q", status, body)
	}
	if status, body := asked(t, a.child, "/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("without a database: %d %q", status, body)
	}
}

func TestWithoutASocketTheProgramIsNotReady(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{world: sandbox.Options{SocketMode: true}, empty: true})
	a.world.Slack.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "apps.connections.open"})
	c, err := startChild(ctx, a.logFile(), append(a.world.Env(), "DATABASE_URL="+a.dbURL),
		"serve", "--migrate", "--stop-with-stdin", "--config", a.configFile(), "--clock-offset-file", a.clockFile())
	if err != nil {
		t.Fatal(err)
	}
	a.child = c
	status, body := asked(t, c, "/readyz")
	for range 50 { // it may not have begun to connect when it is up
		if status == http.StatusServiceUnavailable {
			break
		}
		if err := a.forward(2 * time.Second); err != nil { // an answer holds for a second
			t.Fatal(err)
		}
		status, body = asked(t, c, "/readyz")
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "There is no connection to Slack.\n") {
		t.Errorf("without a socket: %d %q", status, body)
	}
	if status, body := asked(t, c, "/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("without a socket: %d %q", status, body)
	}
}

func TestASignalStopsTheProgramGracefully(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	if err := a.child.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-a.child.ended:
		if a.child.err != nil {
			t.Errorf("it ended with %v", a.child.err)
		}
	case <-time.After(stopWithin + 10*time.Second):
		t.Error("it did not stop")
	}
	if err := a.startChild(ctx); err != nil { // and may begin anew
		t.Error(err)
	}
}

func TestNoSecretIsEverLogged(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	if err := a.child.stop(); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "debug.log")
	secrets := map[string]string{"JIRA_WEBHOOK_SECRET": "very-secret-jira", "INCIDENT_IO_WEBHOOK_SECRET": "whsec_dmVyeS1zZWNyZXQ=", "GITLAB_TOKEN": "very-secret-gitlab", "GITHUB_TOKEN": "very-secret-github"}
	var env []string
	for name, value := range secrets {
		env = append(env, name+"="+value)
	}
	for _, v := range a.world.Env() {
		name, value, _ := strings.Cut(v, "=")
		env = append(env, v)
		if value != "true" && value != "sandbox" && name != "JIRA_EMAIL" {
			secrets[name] = value
		}
	}
	password := "very-secret-password"
	database := a.dbURL + "&password=" + password
	c, err := startChild(ctx, log, append(env, "DATABASE_URL="+database),
		"serve", "--stop-with-stdin", "--log-level", "debug", "--config", a.configFile(), "--clock-offset-file", a.clockFile())
	if err != nil {
		t.Fatal(err)
	}
	a.child = c
	a.world.Slack.SetAppURL("http://" + c.address)
	ada := a.world.Slack.Person(sandbox.Engineer)
	_, commandErr := ada.Command(ctx, sandbox.Channel, "/emergency", "help")
	asked(t, c, "/readyz?token="+password)
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	if err := a.startChild(ctx); err != nil { // for the stage to close
		t.Fatal(err)
	}
	content, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(content), `"level":"DEBUG"`) {
		t.Fatalf("the log is no debug log: %v (%v)\n%s", err, commandErr, content)
	}
	secrets["DATABASE_URL"] = password
	for name, value := range secrets {
		if strings.Contains(string(content), value) {
			t.Errorf("the log shows %s", name)
		}
	}
}
