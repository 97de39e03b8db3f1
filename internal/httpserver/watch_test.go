package httpserver_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/httpserver"
)

func TestARequestKeepsAWellFormedIDAndIsGivenOneOtherwise(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{Routes: map[string]http.Handler{
		"GET /id": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, httpserver.RequestID(r.Context()))
		}),
	}})
	for name, c := range map[string]struct {
		sent string
		kept bool
	}{
		"none":             {"", false},
		"a proxy's":        {"7f3a-22_B.9", true},
		"the longest":      {strings.Repeat("a", 64), true},
		"one longer":       {strings.Repeat("a", 65), false},
		"forging a line":   {"a\" level=ERROR", false},
		"another alphabet": {"é", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := do(t, "GET", server.url("/id"), "", "X-Request-Id", c.sent)
			if got.body == "" || got.body != got.header.Get("X-Request-Id") {
				t.Errorf("the handler saw %q, the client %q; want the same, not empty", got.body, got.header.Get("X-Request-Id"))
			}
			if kept := got.body == c.sent; kept != c.kept {
				t.Errorf("sent %q, got %q; kept: %t, want %t", c.sent, got.body, kept, c.kept)
			}
		})
	}
}

func TestTheAccessLogHasTheIDAndNeitherQueryNorBody(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{Routes: map[string]http.Handler{"POST /in": answering("heard")}})
	do(t, "POST", server.url("/in?token=query-secret"), "body-secret", "X-Request-Id", "abc")
	// The line is written after the answer is sent; Stop waits for it.
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := server.log.String()
	for _, want := range []string{"level=DEBUG", "method=POST", "path=/in", "status=200", "request_id=abc"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "secret") {
		t.Errorf("the log holds what was sent:\n%s", log)
	}
}

func TestOutsideARequestTheLogHasNoID(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	logger := slog.New(httpserver.LogHandler(slog.NewTextHandler(&log, nil))).With("part", "tick").WithGroup("g")
	logger.InfoContext(t.Context(), "woke")
	if got := log.String(); strings.Contains(got, "request_id") || !strings.Contains(got, "part=tick") {
		t.Errorf("got %s", got)
	}
}

func TestEachFinishedRequestIsObservedByRouteStatusAndTime(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	clock := time.Unix(1_700_000_000, 0)
	server := start(t, httpserver.Options{
		Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			clock = clock.Add(time.Second)
			return clock
		},
		Observe: func(route string, status int, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			seen[fmt.Sprintf("%s|%d|%s", route, status, took)] = true
		},
		Routes: map[string]http.Handler{
			"GET /thing/{id}": answering("thing"),
			"GET /panic":      http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a slip") }),
		},
	})
	for _, path := range []string{"/thing/12", "/panic", "/nowhere/13"} {
		do(t, "GET", server.url(path), "")
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"GET /thing/{id}|200|1s", "GET /panic|500|1s", "|404|1s"} {
		if !seen[want] {
			t.Errorf("%q was not observed; seen: %v", want, seen)
		}
	}
}
