package jira

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// Options says what the stand-in starts with.
type Options struct {
	Now      func() time.Time // required
	Email    string           // with Token, the Basic auth that is accepted
	Token    string
	Bot      Account // whose credentials these are
	Accounts []Account
	Projects []Project

	SearchLag      time.Duration // an issue is found so long after its creation
	SearchLagCalls int           // and not before it was missed by so many searches
}

// Server is the stand-in. It is an http.Handler, safe for concurrent use; Close
// ends it. Faults may be planned at any time by the call names of routes.go.
type Server struct {
	Faults *fault.Plan

	opt   Options
	serve http.Handler
	hooks hooks

	mu         sync.Mutex
	lag        time.Duration
	lagCalls   int
	accounts   []Account
	projects   []Project
	issues     []*Issue          // oldest first
	byKey      map[string]*Issue // under every key they ever had
	numbers    map[string]int    // last number given out, by project
	lastID     int
	violations []string
	changed    chan struct{}
}

// New starts a stand-in.
func New(opt Options) *Server {
	s := &Server{
		Faults: &fault.Plan{}, opt: opt, lag: opt.SearchLag, lagCalls: opt.SearchLagCalls,
		accounts: append([]Account{opt.Bot}, opt.Accounts...),
		byKey:    map[string]*Issue{}, numbers: map[string]int{}, lastID: 10000, changed: make(chan struct{}),
	}
	for _, p := range opt.Projects {
		p.ID = s.idOr(p.ID)
		p.IssueTypes = slices.Clone(p.IssueTypes)
		for i := range p.IssueTypes {
			p.IssueTypes[i].ID = s.idOr(p.IssueTypes[i].ID)
		}
		s.projects = append(s.projects, p)
	}
	s.serve = s.routes()
	return s
}

// ServeHTTP answers the REST API and the pages for people.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve.ServeHTTP(w, r) }

// Close waits for the webhooks under way; each gives up after some seconds.
func (s *Server) Close() { s.hooks.wait() }

// SetSearchLag changes for new issues how far search lags behind.
func (s *Server) SetSearchLag(lag time.Duration, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag, s.lagCalls = lag, calls
}

// Changed answers a channel that is closed at the next change of any issue. Ask
// for it before looking, so that no change is missed.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// touch marks an issue as changed and wakes whoever waits. The lock is held.
func (s *Server) touch(i *Issue) {
	i.Updated = s.opt.Now()
	close(s.changed)
	s.changed = make(chan struct{})
}

// newID gives out the next id. The lock is held, or nobody else knows s yet.
func (s *Server) newID() string {
	s.lastID++
	return strconv.Itoa(s.lastID)
}

func (s *Server) idOr(id string) string {
	if id != "" {
		return id
	}
	return s.newID()
}

// find answers the issue of an id or of any key it ever had, or nil. The lock is held.
func (s *Server) find(idOrKey string) *Issue {
	if i := s.byKey[idOrKey]; i != nil {
		return i
	}
	for _, i := range s.issues {
		if i.ID == idOrKey {
			return i
		}
	}
	return nil
}

func (s *Server) project(idOrKey string) (Project, bool) {
	for _, p := range s.projects {
		if p.Key == idOrKey || p.ID == idOrKey {
			return p, true
		}
	}
	return Project{}, false
}

func (s *Server) account(id string) (Account, bool) {
	for _, a := range s.accounts {
		if a.ID == id {
			return a, true
		}
	}
	return Account{}, false
}
