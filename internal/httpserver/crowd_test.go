package httpserver_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/httpserver"
)

// broken waits until the other side has closed a connection.
func broken(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Error("the connection still stands")
	}
}

func TestWhoeverKeepsUsWaitingLongestLosesTheirPlace(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{MaxConnections: 3, Routes: map[string]http.Handler{"POST /in": answering("heard")}})
	first := sent(t, server.Addr(), "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ") // headers without an end
	second := sent(t, server.Addr(), "")                                            // says nothing
	sent(t, server.Addr(), "POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
	sent(t, server.Addr(), "") // and the first goes
	for range 20 {
		if got := do(t, "POST", server.url("/in"), "abcde", "Connection", "close"); got.status != http.StatusOK || got.body != "heard" {
			t.Fatalf("got %d %q", got.status, got.body)
		}
	}
	broken(t, first)
	broken(t, second)
	if lines := strings.Count(server.log.String(), "kept us waiting longest"); lines != 1 {
		t.Errorf("%d lines in the log, want one a minute", lines)
	}
}

func TestWhoeverIsWorkedForIsNotCutOff(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan struct{}), make(chan struct{})
	server := start(t, httpserver.Options{MaxConnections: 2, Routes: map[string]http.Handler{
		"GET /slow": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			inside <- struct{}{}
			<-leave
		}),
	}})
	done := make(chan string, 2)
	for range 2 {
		go func() { done <- outcome(t.Context(), server.url("/slow")) }()
		<-inside
	}
	if got := outcome(t.Context(), server.url("/healthz")); strings.HasPrefix(got, "200") {
		t.Errorf("a third connection was served: %s", got)
	}
	close(leave)
	for range 2 {
		if got := <-done; got != "200 OK" {
			t.Errorf("a request in hand got %s", got)
		}
	}
	if got := do(t, "GET", server.url("/healthz"), ""); got.status != http.StatusOK {
		t.Errorf("with room again: %d", got.status)
	}
}

func TestSlowBodiesTakeNoPlaceInHand(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{MaxInFlight: 1, Routes: map[string]http.Handler{"POST /in": answering("heard")}})
	for range 10 {
		sent(t, server.Addr(), "POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
	}
	for range 5 {
		if got := do(t, "POST", server.url("/in"), "abcde"); got.status != http.StatusOK {
			t.Errorf("got %d", got.status)
		}
	}
}

func TestBodiesTogetherAreBounded(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{MaxBodies: 64 << 10, Routes: map[string]http.Handler{"POST /in": answering("heard")}})
	var slow []net.Conn
	cut := make(chan struct{})
	const slowly = 6
	for range slowly { // each holds 16 KiB and never ends; four of them are all that fits
		c := sent(t, server.Addr(), fmt.Sprintf("POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", 32<<10, strings.Repeat("x", 16<<10)))
		slow = append(slow, c)
		go func() {
			broken(t, c)
			cut <- struct{}{}
		}()
	}
	<-cut // so the others hold what they sent, and came before what follows
	<-cut
	for range 10 {
		if got := do(t, "POST", server.url("/in"), strings.Repeat("x", 40<<10)); got.status != http.StatusOK {
			t.Errorf("got %d", got.status)
		}
	}
	<-cut // one that came in time had made room for itself
	if got := do(t, "POST", server.url("/in"), strings.Repeat("x", 65<<10)); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
		t.Errorf("more than all bodies may hold: got %d", got.status)
	}
	if got := do(t, "POST", server.url("/in"), "x"); got.status != http.StatusOK {
		t.Errorf("after that: got %d", got.status)
	}
	for _, c := range slow {
		_ = c.Close()
	}
	for range slowly - 3 {
		<-cut
	}
}

func TestAskingForReadinessOftenChecksRarely(t *testing.T) {
	t.Parallel()
	var now, checks atomic.Int64
	server := start(t, httpserver.Options{
		Now:    func() time.Time { return time.Unix(now.Load(), 0) },
		Checks: []httpserver.Check{check("database", func(context.Context) error { checks.Add(1); return nil })},
	})
	for range 50 {
		if got := do(t, "GET", server.url("/readyz"), ""); got.status != http.StatusOK {
			t.Errorf("got %d", got.status)
		}
	}
	now.Add(1)
	do(t, "GET", server.url("/readyz"), "")
	if n := checks.Load(); n != 2 {
		t.Errorf("checked %d times, want twice", n)
	}
}
