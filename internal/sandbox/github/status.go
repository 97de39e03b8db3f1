// Package github is a stand-in for GitHub: its public status page,
// https://www.githubstatus.com, on which everything is operational until
// something is broken, and again once it is mended; and the part of its REST
// API that tells of pull requests, their reviews and their commits.
package github

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// The components that people ask about, by the names of the page.
const (
	GitOperations = "Git Operations"
	APIRequests   = "API Requests"
	Actions       = "Actions"
	PullRequests  = "Pull Requests"
)

// The conditions of a component.
const (
	Operational   = "operational"
	Degraded      = "degraded_performance"
	PartialOutage = "partial_outage"
	MajorOutage   = "major_outage"
)

type component struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

type incident struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Status    string    `json:"status"`
	Impact    string    `json:"impact"`
	StartedAt time.Time `json:"started_at"`
	Shortlink string    `json:"shortlink"`
}

// Status is the status page: an http.Handler with a Go API beside it. It is
// safe for concurrent use.
type Status struct {
	Faults fault.Plan // the one call is "status summary"

	now     func() time.Time
	handler http.Handler

	mu         sync.Mutex
	components []component
	incidents  []incident // unresolved
	count      int
	updated    time.Time
	violations []string
}

// NewStatus makes a page on which all is well.
func NewStatus(now func() time.Time) *Status {
	s := &Status{now: now, updated: now(), components: []component{
		{"8l4ygp009s5s", GitOperations, Operational},
		{"brv1bkgrwx7q", APIRequests, Operational},
		{"hhtssxt0f5v2", PullRequests, Operational},
		{"br0l2tvcx85d", Actions, Operational},
	}}
	s.handler = s.Faults.Handler(func(*http.Request) string { return "status summary" }, http.HandlerFunc(s.serve))
	return s
}

// Break puts components into a condition and opens an incident of that name.
func (s *Status) Break(name, condition string, components ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.updated = s.now()
	s.incidents = append(s.incidents, incident{
		ID: "inc" + strconv.Itoa(s.count), Name: name, Status: "investigating", Impact: impact(condition),
		StartedAt: s.updated.UTC(), Shortlink: "https://stspg.io/sandbox" + strconv.Itoa(s.count),
	})
	for n := range s.components {
		if slices.Contains(components, s.components[n].Name) {
			s.components[n].Status = condition
		}
	}
}

// Mend makes everything operational and closes every incident.
func (s *Status) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.incidents = nil
	s.updated = s.now()
	for n := range s.components {
		s.components[n].Status = Operational
	}
}

// Conditions is the condition of every component, by its name on the page.
func (s *Status) Conditions() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for _, c := range s.components {
		all[c.Name] = c.Status
	}
	return all
}

// Violations are the calls that the real page would not have known.
func (s *Status) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// ServeHTTP answers GET /api/v2/summary.json.
func (s *Status) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Status) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodGet || r.URL.Path != "/api/v2/summary.json" {
		s.violations = append(s.violations, "unknown call "+r.Method+" "+r.URL.Path)
		http.NotFound(w, r)
		return
	}
	worst := Operational
	for _, c := range s.components {
		if slices.Index(severity(), c.Status) > slices.Index(severity(), worst) {
			worst = c.Status
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the caller may have gone
		"page":       map[string]any{"id": "kctbh9vrtdwd", "name": "GitHub", "url": "https://www.githubstatus.com", "time_zone": "Etc/UTC", "updated_at": s.updated.UTC()},
		"status":     map[string]any{"indicator": impact(worst), "description": description(worst)},
		"components": s.components, "incidents": append([]incident{}, s.incidents...), "scheduled_maintenances": []any{},
	})
}

func severity() []string { return []string{Operational, Degraded, PartialOutage, MajorOutage} }

func impact(condition string) string {
	switch condition {
	case Operational:
		return "none"
	case Degraded:
		return "minor"
	case PartialOutage:
		return "major"
	}
	return "critical"
}

func description(condition string) string {
	switch condition {
	case Operational:
		return "All Systems Operational"
	case Degraded:
		return "Minor Service Outage"
	case PartialOutage:
		return "Partial System Outage"
	}
	return "Major Service Outage"
}
