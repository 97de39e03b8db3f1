// Package gitlab is a stateful stand-in for GitLab's REST API v4, as far as
// merge requests, their approvals, notes and commits, and deployments go. It
// answers the API's own shapes over real HTTP, keeps GitLab's own rules, such
// as no approvals after merging, and records callers that break them.
//
// It imports the fault plan and the standard library only.
package gitlab

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// Options are the settings of a stand-in. All have defaults but Now.
type Options struct {
	Now       func() time.Time // required
	Token     string           // the only token let in; default "sandbox-gitlab-token"
	Path      string           // where GitLab begins, such as /gitlab; empty: at the root
	PerMinute int              // calls a minute before 429; 0: no limit
	NoTimes   bool             // do not tell when somebody approved, as older versions do not
}

// Server is the stand-in: an http.Handler with a Go API beside it. It is safe
// for concurrent use.
type Server struct {
	Faults fault.Plan // by call name, such as "get merge request"; see the names in routes

	opts    Options
	handler http.Handler

	mu            sync.Mutex
	changed       chan struct{} // closed and replaced at every change
	lastID        int
	users         []User
	projects      []*project
	mergeRequests []*MergeRequest
	deployments   []Deployment
	violations    []string
	window        time.Time // start of the rate limit's minute
	calls         int       // within that minute
}

// New makes an empty GitLab.
func New(opts Options) *Server {
	if opts.Token == "" {
		opts.Token = "sandbox-gitlab-token"
	}
	opts.Path = strings.TrimRight(opts.Path, "/")
	s := &Server{opts: opts, changed: make(chan struct{}), lastID: 100}
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

// touch tells the waiting of a change; the caller holds the lock.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// violate records a broken rule; the caller holds the lock.
func (s *Server) violate(what string) { s.violations = append(s.violations, what) }

// newID gives out the next id; the caller holds the lock.
func (s *Server) newID() int {
	s.lastID++
	return s.lastID
}
