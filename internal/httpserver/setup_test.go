package httpserver_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/httpserver"
)

// started is a running server with the log it writes.
type started struct {
	*httpserver.Server
	log *syncBuffer
}

// start runs a server on a free port of 127.0.0.1 until the test ends.
func start(t *testing.T, options httpserver.Options) started {
	t.Helper()
	log := &syncBuffer{}
	options = complete(options, log)
	server, err := httpserver.New(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context has ended by now; a second is plenty for loopback.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Stop(ctx) // tests of Stop look at its error themselves
	})
	return started{Server: server, log: log}
}

func complete(options httpserver.Options, log io.Writer) httpserver.Options {
	if options.Listen == "" {
		options.Listen = "127.0.0.1:0"
	}
	if options.Now == nil {
		options.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	}
	options.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return options
}

func (s started) url(path string) string { return "http://" + s.Addr() + path }

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

func do(t *testing.T, method, url, body string, header ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

func read(t *testing.T, response *http.Response) reply {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return reply{status: response.StatusCode, header: response.Header, body: string(content)}
}

// outcome is the status of a GET, or what broke it; it may be called from
// another goroutine than the test's.
func outcome(ctx context.Context, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err.Error()
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	if err := response.Body.Close(); err != nil {
		return err.Error()
	}
	return response.Status
}

// answering is a handler that answers 200 with text.
func answering(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text) // the client's side of it is what tests look at
	})
}

type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
