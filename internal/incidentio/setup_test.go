package incidentio_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// clock is a time that tests move by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const apiKey = "key-that-nobody-may-see"

// bundle is a stand-in behind a real listener and a client that talks to it.
type bundle struct {
	clock  *clock
	server *sandbox.Server
	url    string
	client *incidentio.Client
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{clock: newClock()}
	var err error
	if b.server, err = sandbox.New(sandbox.Options{Now: b.clock.now, APIKey: apiKey}); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(contract(t, b.server))
	t.Cleanup(listener.Close)
	b.url = listener.URL
	b.client = newClient(t, listener.URL, b.clock)
	t.Cleanup(func() {
		if broken := b.server.Violations(); len(broken) > 0 {
			t.Errorf("the API's rules were broken: %q", broken)
		}
	})
	return b
}

func newClient(t *testing.T, url string, c *clock) *incidentio.Client {
	t.Helper()
	client, err := incidentio.New(incidentio.Options{
		BaseURL: url, APIKey: apiKey, Now: c.now, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		MitigatedStatuses: []string{"monitoring"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// open opens one incident.
func (b *bundle) open(i sandbox.Incident) sandbox.Incident { return b.server.Open(i)[0] }

func (b *bundle) setStatus(t *testing.T, id, status string) {
	t.Helper()
	if err := b.server.SetStatus(id, status); err != nil {
		t.Fatal(err)
	}
}

func wantOutcome(t *testing.T, err error, want change.Outcome) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", want)
	}
	if got := change.OutcomeOf(err); got != want {
		t.Fatalf("outcome is %s, want %s: %v", got, want, err)
	}
}
