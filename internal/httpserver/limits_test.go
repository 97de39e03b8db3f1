package httpserver_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/httpserver"
)

func TestABodyWithinTheLimitReachesItsHandlerWhole(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{MaxBody: 8, Routes: map[string]http.Handler{
		"POST /in": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(body)
		}),
	}})
	if got := do(t, "POST", server.url("/in"), "12345678"); got.status != http.StatusOK || got.body != "12345678" {
		t.Errorf("got %d %q, want 200 and the body sent", got.status, got.body)
	}
}

func TestABodyOverTheLimitIs413AndNoHandlerSeesIt(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{MaxBody: 8, Routes: map[string]http.Handler{
		"POST /in": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }),
	}})
	for name, body := range map[string]io.Reader{
		"of a declared length":   strings.NewReader("123456789"),
		"of an unknown length":   io.MultiReader(strings.NewReader("123456789")),
		"far beyond the limit":   strings.NewReader(strings.Repeat("x", 1<<16)),
		"far beyond, in pieces":  io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<16))),
		"one byte too many, two": io.MultiReader(strings.NewReader("12345678"), strings.NewReader("9")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.url("/in"), body)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, response); got.status != http.StatusRequestEntityTooLarge {
				t.Errorf("got %d, want 413", got.status)
			}
		})
	}
}

// sent is a connection on which raw bytes were sent and nothing was read. It
// gives up after half a minute.
func sent(t *testing.T, address, raw string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	// Real time: the limits tested are deadlines of real connections, far
	// shorter than this one.
	if err := connection.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, raw); err != nil {
		t.Fatal(err)
	}
	return connection
}

// exchange sends raw bytes, keeps the connection open and returns the status
// line of the answer, or the error of reading it.
func exchange(t *testing.T, address, raw string) (string, error) {
	t.Helper()
	line, err := bufio.NewReader(sent(t, address, raw)).ReadString('\n')
	return strings.TrimSpace(line), err
}

func TestAClientThatNeverFinishesItsHeadersIsCutOff(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{ReadHeaderTimeout: 50 * time.Millisecond})
	line, err := exchange(t, server.Addr(), "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	if !errors.Is(err, io.EOF) && !strings.Contains(line, "408") {
		t.Errorf("got %q, %v; want the connection closed or 408", line, err)
	}
}

func TestABodyThatNeverFinishesIs408AndFreesItsPlace(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{
		ReadTimeout: time.Second, MaxInFlight: 1,
		Routes: map[string]http.Handler{"POST /in": answering("heard")},
	})
	line, err := exchange(t, server.Addr(), "POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
	if err != nil || !strings.Contains(line, "408") {
		t.Errorf("got %q, %v; want 408", line, err)
	}
	if got := do(t, "POST", server.url("/in"), "abcde"); got.status != http.StatusOK {
		t.Errorf("the next request got %d, want 200", got.status)
	}
}

func TestAConnectionLeftIdleIsClosed(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{IdleTimeout: 20 * time.Millisecond})
	connection := sent(t, server.Addr(), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	if all, err := io.ReadAll(connection); err != nil || !strings.HasSuffix(string(all), "ok\n") {
		t.Errorf("got %q, %v; want the answer and then the end", all, err)
	}
}

func TestAClientThatDoesNotReadHoldsNoHandler(t *testing.T) {
	t.Parallel()
	gaveUp := make(chan error, 1)
	server := start(t, httpserver.Options{WriteTimeout: 50 * time.Millisecond, Routes: map[string]http.Handler{
		"GET /endless": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					gaveUp <- err
					return
				}
			}
		}),
	}})
	sent(t, server.Addr(), "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-gaveUp:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the handler still writes")
	}
}

func TestHeadersOverTheLimitAre431(t *testing.T) {
	t.Parallel()
	server := start(t, httpserver.Options{MaxHeader: 1 << 10})
	// net/http grants 4 KiB on top of what it is told.
	if got := do(t, "GET", server.url("/healthz"), "", "X-Large", strings.Repeat("x", 6<<10)); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d, want 431", got.status)
	}
}

func TestOneRequestTooManyIsAskedToComeBackAndHealthIsStillAnswered(t *testing.T) {
	t.Parallel()
	inside, leave := make(chan struct{}), make(chan struct{})
	server := start(t, httpserver.Options{MaxInFlight: 1, Routes: map[string]http.Handler{
		"GET /slow": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			inside <- struct{}{}
			<-leave
		}),
		"GET /quick": answering("quick"),
	}})
	done := make(chan string)
	go func() { done <- outcome(t.Context(), server.url("/slow")) }()
	<-inside

	got := do(t, "GET", server.url("/quick"), "")
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
		t.Errorf("got %d with Retry-After %q, want 503 with 1", got.status, got.header.Get("Retry-After"))
	}
	if got := do(t, "GET", server.url("/healthz"), ""); got.status != http.StatusOK {
		t.Errorf("/healthz: got %d, want 200", got.status)
	}
	close(leave)
	if got := <-done; got != "200 OK" {
		t.Errorf("the request in hand got %q, want 200 OK", got)
	}
	if got := do(t, "GET", server.url("/quick"), ""); got.status != http.StatusOK {
		t.Errorf("with room again: got %d, want 200", got.status)
	}
}
