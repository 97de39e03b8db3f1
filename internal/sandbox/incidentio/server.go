// Package incidentio is a stateful stand-in for https://api.incident.io: it
// keeps incidents, timelines, updates, attachments, follow-ups, people and
// schedules in memory and answers the API's own shapes over real HTTP. It
// holds callers to the API's rules and records whoever breaks them.
//
// It imports the fault plan and the standard library only.
package incidentio

import (
	"net/http"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// Options are the settings of a stand-in. All have defaults but Now.
type Options struct {
	Now           func() time.Time // required
	APIKey        string           // the only bearer key let in; default "sandbox-key"
	AppURL        string           // where permalinks lead; default https://app.incident.io/sandbox
	PerMinute     int              // calls a minute before 429; 0: no limit (the real one is 1200)
	NotesWhenOver bool             // take notes on closed, declined, canceled and merged incidents instead of refusing them
	WebhookURL    string           // where webhooks go; empty: nowhere
	WebhookSecret string           // whsec_ and base64; needed with WebhookURL
}

// Server is the stand-in: an http.Handler with a Go API beside it. It is safe
// for concurrent use.
type Server struct {
	Faults fault.Plan // by call name, such as "create timeline item"; see the names in routes

	opts    Options
	handler http.Handler
	sender  *sender

	mu          sync.Mutex
	changed     chan struct{} // closed and replaced at every change
	nextID      int
	nextNumber  int
	incidents   []*Incident
	statuses    []Status
	severities  []string
	users       []User
	shifts      map[string][]Shift
	notes       []Note
	updates     []Update
	attachments []Attachment
	followUps   []FollowUp
	keys        map[string]string // call and idempotency key → id of what was made
	roles       []string
	without     map[string]bool // scopes that the key lacks
	violations  []string
	window      time.Time // start of the rate limit's minute
	calls       int       // within that minute
}

// New makes an empty organisation with the usual statuses and severities. It
// fails when the webhook's secret cannot be read.
func New(opts Options) (*Server, error) {
	if opts.APIKey == "" {
		opts.APIKey = "sandbox-key"
	}
	if opts.AppURL == "" {
		opts.AppURL = "https://app.incident.io/sandbox"
	}
	s := &Server{
		opts:       opts,
		changed:    make(chan struct{}),
		statuses:   usualStatuses(),
		severities: []string{"Minor", "Major", "Critical"},
		shifts:     map[string][]Shift{},
		keys:       map[string]string{},
		without:    map[string]bool{},
		roles:      []string{"viewer", "incident_creator", "incident_editor", "schedules_reader"},
	}
	if opts.WebhookURL != "" {
		var err error
		if s.sender, err = newSender(opts.WebhookURL, opts.WebhookSecret, opts.Now); err != nil {
			return nil, err
		}
	}
	s.handler = s.Faults.Handler(callName, http.HandlerFunc(s.serve))
	return s, nil
}

// ServeHTTP answers the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close waits for webhooks that are on their way.
func (s *Server) Close() {
	if s.sender != nil {
		s.sender.wait()
	}
}

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

// SetRoles sets the roles that the identity call tells of.
func (s *Server) SetRoles(roles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles = append([]string(nil), roles...)
}

// Without takes scopes, such as timeline_items.create, from the key; calling it
// with none gives all back. A resource type, such as jira_issue, is then one
// that the organisation has not connected.
func (s *Server) Without(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.without = map[string]bool{}
	for _, scope := range scopes {
		s.without[scope] = true
	}
}

// TakeNotesWhenOver says whether incidents that are over still take notes.
func (s *Server) TakeNotesWhenOver(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.NotesWhenOver = yes
}

// touch tells the waiting of a change; the caller holds the lock.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// violate records a broken rule; the caller holds the lock.
func (s *Server) violate(what string) { s.violations = append(s.violations, what) }
