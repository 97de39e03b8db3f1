package httpserver_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/httpserver"
)

// untilClosed returns when nobody listens on address any more.
func untilClosed(t *testing.T, address string) {
	t.Helper()
	var dialer net.Dialer
	for t.Context().Err() == nil {
		connection, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			return
		}
		if err := connection.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStopWaitsForARequestInHand(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	server, err := httpserver.New(complete(httpserver.Options{Routes: map[string]http.Handler{
		"GET /slow": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(inside)
			<-leave
			if err := r.Context().Err(); err != nil {
				t.Errorf("the request was cancelled: %v", err)
			}
			w.WriteHeader(http.StatusAccepted)
		}),
	}}, &syncBuffer{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	go func() { done <- outcome(t.Context(), "http://"+server.Addr()+"/slow") }()
	<-inside
	cancel() // as a signal does

	stopped := make(chan error)
	go func() { stopped <- server.Stop(context.WithoutCancel(ctx)) }()
	untilClosed(t, server.Addr())
	select {
	case err := <-stopped:
		t.Fatalf("Stop returned %v with a request in hand", err)
	default:
	}
	close(leave)
	if got := <-done; got != "202 Accepted" {
		t.Errorf("the request in hand got %s, want its own answer 202 Accepted", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
	select {
	case err := <-server.Failed():
		t.Errorf("stopping counts as a failure: %v", err)
	default:
	}
}

func TestStopSaysWhatItCutOffWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(leave) })
	server := start(t, httpserver.Options{Routes: map[string]http.Handler{
		"GET /slow": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(inside); <-leave }),
	}})
	done := make(chan string)
	go func() { done <- outcome(t.Context(), server.url("/slow")) }()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := server.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cut off 1 requests") {
		t.Errorf("Stop: got %v, want the number cut off and the deadline", err)
	}
	if got := <-done; !strings.HasSuffix(got, "EOF") {
		t.Errorf("the client of the request cut off saw %q, want the connection broken", got)
	}
}

func TestUnknownPathsAre404AndWrongMethods405(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{Routes: map[string]http.Handler{"POST /in": answering("heard")}})
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"POST", "/in", http.StatusOK},
		{"GET", "/in", http.StatusMethodNotAllowed},
		{"POST", "/healthz", http.StatusMethodNotAllowed},
		{"POST", "/in/", http.StatusNotFound},
		{"GET", "/", http.StatusNotFound},
	} {
		if got := do(t, c.method, server.url(c.path), ""); got.status != c.want {
			t.Errorf("%s %s: got %d, want %d", c.method, c.path, got.status, c.want)
		}
	}
}

func TestAPanicIs500AndLoggedAndTheServerGoesOn(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{Routes: map[string]http.Handler{
		"GET /panic": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a slip") }),
		"GET /well":  answering("well"),
	}})
	if got := do(t, "GET", server.url("/panic"), ""); got.status != http.StatusInternalServerError || strings.Contains(got.body, "a slip") {
		t.Errorf("got %d %q, want 500 without the cause", got.status, got.body)
	}
	if log := server.log.String(); !strings.Contains(log, `panic="a slip"`) || !strings.Contains(log, "server_test.go") {
		t.Errorf("the log lacks the cause or the stack:\n%s", log)
	}
	if got := do(t, "GET", server.url("/well"), ""); got.status != http.StatusOK {
		t.Errorf("the next request got %d, want 200", got.status)
	}
}

func TestAPanicAfterTheAnswerBeganBreaksTheConnection(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{Routes: map[string]http.Handler{
		"GET /half": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic("half way")
		}),
	}})
	if got := outcome(t.Context(), server.url("/half")); !strings.HasSuffix(got, "EOF") {
		t.Errorf("got %q, want the connection broken", got)
	}
}
