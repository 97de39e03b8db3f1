package github

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// Options are the settings of a Server. All have defaults but Now.
type Options struct {
	Now       func() time.Time // required
	Token     string           // the only token let in; default "sandbox-github-token"
	Path      string           // where the API begins, such as /api/v3 on an enterprise server; empty: at the root
	PerHour   int              // calls an hour before the primary rate limit; 0: no limit
	Secondary int              // calls a minute before the secondary one; 0: no limit
}

// Server is a stand-in for GitHub's REST API, as far as pull requests, their
// reviews and commits go: an http.Handler with a Go API beside it. It is safe
// for concurrent use.
type Server struct {
	Faults fault.Plan // by call name, such as "get pull request"; see the names in routes

	opts    Options
	handler http.Handler

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced at every change
	lastID     int64
	users      []User
	pulls      []*Pull
	moved      map[string]bool // repositories that were renamed
	violations []string
	hour       meter
	minute     meter
}

// meter counts the calls within a span.
type meter struct {
	start time.Time
	calls int
}

// count counts a call and tells how many there were within the span.
func (m *meter) count(now time.Time, span time.Duration) int {
	if now.Sub(m.start) >= span {
		m.start, m.calls = now, 0
	}
	m.calls++
	return m.calls
}

// New makes an empty GitHub.
func New(opts Options) *Server {
	if opts.Token == "" {
		opts.Token = "sandbox-github-token"
	}
	opts.Path = strings.TrimRight(opts.Path, "/")
	s := &Server{opts: opts, changed: make(chan struct{}), lastID: 1000, moved: map[string]bool{}}
	s.handler = s.Faults.Handler(s.callName, http.HandlerFunc(s.serve))
	return s
}

// ServeHTTP answers the API, and the pages for people.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Changed is closed at the next change of anything; ask before looking.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Violations are the rules of the API that callers have broken so far.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

// Move renames a repository as far as callers see: its calls answer with a
// redirect.
func (s *Server) Move(repository string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved[strings.ToLower(repository)] = true
}

// touch tells the waiting of a change; the caller holds the lock.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// violate records a broken rule; the caller holds the lock.
func (s *Server) violate(what string) { s.violations = append(s.violations, what) }

// newID gives out the next id; the caller holds the lock.
func (s *Server) newID() int64 {
	s.lastID++
	return s.lastID
}
