package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/web"
)

// within bounds everything that a test waits for.
const within = 20 * time.Second

// bench is the page on a server, with a world, a small application behind it,
// and a clock that the page moves.
type bench struct {
	t        *testing.T
	world    *sandbox.World
	app      *app
	url      string
	offset   atomic.Int64
	restarts atomic.Int32
	ledger   atomic.Pointer[web.LedgerView]
}

func (b *bench) now() time.Time { return time.Now().Add(time.Duration(b.offset.Load())) }

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	b.ledger.Store(&web.LedgerView{Whole: true, Said: "Every chain is whole."})
	var err error
	b.world, err = sandbox.Start(t.Context(), sandbox.Options{Now: b.now})
	must(t, err)
	t.Cleanup(func() {
		if err := b.world.Close(); err != nil {
			t.Errorf("close the world: %v", err)
		}
	})
	b.app = &app{t: t, world: b.world}
	appServer := httptest.NewServer(b.app)
	t.Cleanup(appServer.Close)
	b.world.Slack.SetAppURL(appServer.URL)
	page, err := web.New(web.Options{
		World: b.world, Now: b.now,
		Forward: func(by time.Duration) error {
			if b.app.asked.Load() > 0 {
				t.Error("the clock was moved while somebody's click was on its way")
			}
			b.offset.Add(int64(by))
			return nil
		},
		Restart: func(context.Context) error { b.restarts.Add(1); return nil },
		Ledger: func(context.Context) (web.LedgerView, error) {
			if v := b.ledger.Load(); v != nil {
				return *v, nil
			}
			return web.LedgerView{}, errors.New("the database is down")
		},
	})
	must(t, err)
	server := httptest.NewServer(page)
	t.Cleanup(server.CloseClientConnections) // streams never end by themselves
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// post does a deed as the page does it, and answers the status and what was said.
func (b *bench) post(path string, body any) (int, map[string]any) {
	b.t.Helper()
	raw, err := json.Marshal(body)
	must(b.t, err)
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+"/api/"+path, bytes.NewReader(raw))
	must(b.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", b.url)
	resp, err := http.DefaultClient.Do(req)
	must(b.t, err)
	defer func() { _ = resp.Body.Close() }()
	var said map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		b.t.Fatalf("%s: status %d, no JSON: %v", path, resp.StatusCode, err)
	}
	return resp.StatusCode, said
}

// did does a deed that has to succeed.
func (b *bench) did(path string, body any) map[string]any {
	b.t.Helper()
	status, said := b.post(path, body)
	if status != http.StatusOK {
		b.t.Fatalf("%s: status %d: %v", path, status, said)
	}
	return said
}

// fetch calls an address as it is.
func (b *bench) fetch(method, url string) *http.Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, url, nil)
	must(b.t, err)
	resp, err := http.DefaultClient.Do(req)
	must(b.t, err)
	return resp
}

type object = map[string]any

// stream is what a page hears.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	seen  map[string]string // the newest body of each section
}

func (b *bench) listen(person string) *stream {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), within)
	b.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/api/live?as="+person, nil)
	must(b.t, err)
	resp, err := http.DefaultClient.Do(req)
	must(b.t, err)
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		b.t.Fatalf("the stream answers %d %s", resp.StatusCode, got)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	return &stream{t: b.t, lines: lines, seen: map[string]string{}}
}

// until reads on until a section says something.
func (s *stream) until(section, says string) {
	s.t.Helper()
	if strings.Contains(s.seen[section], says) {
		return
	}
	name := ""
	for s.lines.Scan() {
		line := s.lines.Text()
		if event, ok := strings.CutPrefix(line, "event: "); ok {
			name = event
		}
		if body, ok := strings.CutPrefix(line, "data: "); ok {
			s.seen[name] = body
			if name == section && strings.Contains(body, says) {
				return
			}
		}
	}
	s.t.Fatalf("the stream ended (%v) without %q in %s, which last said %s", s.lines.Err(), says, section, s.seen[section])
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
