package jira_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/jira"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

const (
	botID    = "5b10a0000000000000000001"
	ctoID    = "5b10a0000000000000000002"
	deputyID = "557058:f58131cb-b67d-43c7-b30d-6b58d40bd077"
	token    = "token-that-must-stay-secret"
)

// clock is moved by the test alone.
type clock struct {
	mu sync.Mutex
	at time.Time
}

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

// counter counts the requests that leave, by method.
type counter struct{ gets, posts, all atomic.Int32 }

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.all.Add(1)
	switch r.Method {
	case http.MethodGet:
		c.gets.Add(1)
	case http.MethodPost:
		c.posts.Add(1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// bundle is a client, the stand-in it speaks to, and what a test turns.
type bundle struct {
	*jira.Client
	jira  *sandbox.Server
	url   string
	clock *clock
	sent  *counter
}

// setup starts a stand-in and fails the test if anything careless was sent.
func setup(t *testing.T, alter ...func(*jira.Options)) *bundle {
	t.Helper()
	c := &clock{at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	task := func() []sandbox.IssueType { return []sandbox.IssueType{{Name: "Task"}} }
	s := sandbox.New(sandbox.Options{
		Now: c.now, Email: "bot@example.com", Token: token,
		Bot:      sandbox.Account{ID: botID, Name: "breakglass"},
		Accounts: []sandbox.Account{{ID: ctoID, Name: "The CTO"}, {ID: deputyID, Name: "The Deputy"}, {ID: "gone", Name: "Gone", Inactive: true}},
		Projects: []sandbox.Project{
			{Key: "OPS", Name: "Operations", IssueTypes: []sandbox.IssueType{
				{Name: "Task"},
				{Name: "Bare", OffScreen: []string{"labels", "duedate"}},
				{Name: "Strict", Required: []sandbox.Field{{ID: "customfield_10040", Name: "Severity"}, {ID: "customfield_10041", Name: "Team", HasDefault: true}}},
			}},
			{Key: "PLATFORM", Name: "Platform", IssueTypes: task()},
			{Key: "SECRET", Name: "Not ours", IssueTypes: task()},
		},
	})
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.Close()
		s.Close()
		for _, v := range s.Violations() {
			t.Errorf("sent carelessly: %s", v)
		}
	})
	sent := &counter{}
	opt := jira.Options{
		BaseURL: srv.URL, Email: "bot@example.com", Token: token, Project: "OPS", LinkProjects: []string{"PLATFORM", "OPS"},
		Transport: sent, Now: c.now,
	}
	for _, f := range alter {
		f(&opt)
	}
	client, err := jira.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return &bundle{Client: client, jira: s, url: srv.URL, clock: c, sent: sent}
}

func draft() change.TicketDraft {
	return change.TicketDraft{
		Project: "OPS", IssueType: "Task", Summary: "EC-12: Work on production directly",
		Description: []change.TicketSection{{Heading: "What", Text: "Restart the broker"}, {Heading: "Why", Text: "It hangs"}},
		Labels:      []string{"breakglass-ec-12-k3x9", "breakglass"},
	}
}

// create makes a ticket that the test takes for granted.
func (b *bundle) create(t *testing.T) change.TicketRef {
	t.Helper()
	ref, err := b.Create(t.Context(), draft())
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func outside(t *testing.T, err error) *change.OutsideError {
	t.Helper()
	e, ok := errors.AsType[*change.OutsideError](err)
	if !ok {
		t.Fatalf("error is %T (%v), want *change.OutsideError", err, err)
	}
	if e.System != change.SystemJira || e.Call == "" || e.Say == "" {
		t.Errorf("error does not say what failed: %+v", e)
	}
	return e
}

// wantOutcome demands an error of another system with this outcome.
func wantOutcome(t *testing.T, err error, want change.Outcome) {
	t.Helper()
	_ = outsideWith(t, err, want) // the rest of it does not matter here
}

// outsideWith is like wantOutcome, and gives the error.
func outsideWith(t *testing.T, err error, want change.Outcome) *change.OutsideError {
	t.Helper()
	e := outside(t, err)
	if e.Outcome != want {
		t.Errorf("outcome is %q (%v), want %q", e.Outcome, err, want)
	}
	return e
}
