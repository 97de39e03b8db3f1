package httpserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/httpserver"
)

func check(name string, ready func(context.Context) error) httpserver.Check {
	return httpserver.Check{Name: name, Sentence: "The " + name + " is not well.", Ready: ready}
}

func well(context.Context) error { return nil }

func TestReadinessNamesWhatFailsOneSentenceEachAndKeepsTheErrorToTheLog(t *testing.T) {
	t.Parallel()
	ill := func(context.Context) error { return errors.New("password secret-7 refused") }
	stuck := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	panics := func(context.Context) error { panic("nobody home") }
	for name, c := range map[string]struct {
		checks []httpserver.Check
		status int
		body   string
	}{
		"nothing to check": {nil, http.StatusOK, "ready\n"},
		"all well":         {[]httpserver.Check{check("database", well), check("channel", well)}, http.StatusOK, "ready\n"},
		"one ill":          {[]httpserver.Check{check("database", well), check("channel", ill)}, http.StatusServiceUnavailable, "The channel is not well.\n"},
		"all ill, in order": {
			[]httpserver.Check{check("database", ill), check("queue", stuck), check("channel", panics)},
			http.StatusServiceUnavailable, "The database is not well.\nThe queue is not well.\nThe channel is not well.\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, httpserver.Options{Checks: c.checks, CheckTimeout: time.Second})
			got := do(t, "GET", server.url("/readyz"), "")
			if got.status != c.status || got.body != c.body {
				t.Errorf("got %d %q, want %d %q", got.status, got.body, c.status, c.body)
			}
			if c.status != http.StatusOK && !strings.Contains(server.log.String(), "not ready") {
				t.Error("the log does not say why")
			}
			if got := do(t, "GET", server.url("/healthz"), ""); got.status != http.StatusOK || got.body != "ok\n" {
				t.Errorf("/healthz: got %d %q, want 200 whatever the checks say", got.status, got.body)
			}
		})
	}
}

func TestMetricsAreServedOnTheirOwnListenerOnly(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{MetricsListen: "127.0.0.1:0", Metrics: answering("changes_total 12\n")})
	if got := do(t, "GET", "http://"+server.MetricsAddr()+"/metrics", ""); got.body != "changes_total 12\n" {
		t.Errorf("got %d %q, want the metrics", got.status, got.body)
	}
	if got := do(t, "GET", server.url("/metrics"), ""); got.status != http.StatusNotFound {
		t.Errorf("on the public listener: got %d, want 404", got.status)
	}
}

// occupied is an address that somebody else listens on.
func occupied(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func TestAMetricsAddressInUseKeepsNobodyFromWorkingAndIsSaid(t *testing.T) {
	t.Parallel()
	taken := occupied(t)
	server := start(t, httpserver.Options{MetricsListen: taken, Metrics: answering("")})
	got := do(t, "GET", server.url("/readyz"), "")
	want := "ready\nMetrics are not served: " + taken + " could not be opened.\n"
	if got.status != http.StatusOK || got.body != want {
		t.Errorf("got %d %q, want 200 %q", got.status, got.body, want)
	}
	if !strings.Contains(server.log.String(), "listen on "+taken) {
		t.Errorf("the log does not name the address:\n%s", server.log)
	}
}

func TestAPublicAddressInUseIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	taken := occupied(t)
	server, err := httpserver.New(complete(httpserver.Options{Listen: taken}, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "listen on "+taken) {
		t.Errorf("got error %v, want one that names %s", err, taken)
	}
}

func TestAnOptionThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	_, err := httpserver.New(httpserver.Options{Checks: []httpserver.Check{{Name: "database"}}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"Listen", "Log", "Now", "Checks[0].Sentence", "Checks[0].Ready"} {
		if !strings.Contains(err.Error(), name+" is missing") {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}
