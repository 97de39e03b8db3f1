package incidentio

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// route is one call of the API.
type route struct {
	method string
	path   string   // a last segment {id} matches anything
	name   string   // as the fault plan has it
	scope  string   // that the key must have; empty: none
	query  []string // parameters that it takes
	serve  func(*Server, *call)
}

func routes() []route {
	return []route{
		{"GET", "/v1/identity", "show identity", "", nil, (*Server).showIdentity},
		{"GET", "/v2/incidents", "list incidents", "incidents.view", []string{
			"page_size", "after", "sort_by", "filter_mode",
			"status_category[one_of]", "status_category[not_in]", "mode[one_of]",
		}, (*Server).listIncidents},
		{"POST", "/v2/incidents", "create incident", "incidents.create", nil, (*Server).createIncident},
		{"GET", "/v2/incidents/{id}", "show incident", "incidents.view", nil, (*Server).showIncident},
		{"GET", "/v2/incident_timeline_items", "list timeline items", "incidents.view", []string{"incident_id", "page_size", "after"}, (*Server).listNotes},
		{"POST", "/v2/incident_timeline_items", "create timeline item", "timeline_items.create", nil, (*Server).createNote},
		{"GET", "/v2/incident_updates", "list updates", "incidents.view", []string{"incident_id", "page_size", "after"}, (*Server).listUpdates},
		{"POST", "/v2/incident_updates", "create update", "incident_updates.create", nil, (*Server).createUpdate},
		{"GET", "/v1/incident_attachments", "list attachments", "attachments.view", []string{"incident_id", "external_id", "resource_type"}, (*Server).listAttachments},
		{"POST", "/v1/incident_attachments", "create attachment", "attachments.create", nil, (*Server).createAttachment},
		{"GET", "/v2/follow_ups", "list follow-ups", "actions.view", []string{"incident_id", "incident_mode"}, (*Server).listFollowUps},
		{"POST", "/v2/follow_ups", "create follow-up", "follow_ups.create", nil, (*Server).createFollowUp},
		{"GET", "/v2/users", "list users", "users.view", []string{"email", "slack_user_id", "page_size", "after"}, (*Server).listUsers},
		{"GET", "/v2/schedule_entries", "list schedule entries", "schedules.view", []string{"schedule_id", "entry_window_start", "entry_window_end"}, (*Server).listShifts},
		{"GET", "/v1/severities", "list severities", "severities.view", nil, (*Server).listSeverities},
		{"GET", "/v1/incident_types", "list incident types", "incident_types.view", nil, (*Server).listTypes},
		{"GET", "/v1/incident_statuses", "list incident statuses", "incident_statuses.view", nil, (*Server).listStatuses},
	}
}

// find answers the route of a request and its {id}, or nil.
func find(r *http.Request) (*route, string) {
	for _, c := range routes() {
		if c.method != r.Method {
			continue
		}
		if c.path == r.URL.Path {
			return &c, ""
		}
		if stem, ok := strings.CutSuffix(c.path, "{id}"); ok {
			if id, ok := strings.CutPrefix(r.URL.Path, stem); ok && id != "" && !strings.Contains(id, "/") {
				return &c, id
			}
		}
	}
	return nil, ""
}

func callName(r *http.Request) string {
	if c, _ := find(r); c != nil {
		return c.name
	}
	return "unknown"
}

// serve lets a call in and carries it out, one at a time.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{w: w, r: r, query: r.URL.Query()}
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !bearer:
		c.refuse(http.StatusUnauthorized, "authentication_error", "missing_authorization_material", "No authorization material provided in request", "")
		return
	case subtle.ConstantTimeCompare([]byte(key), []byte(s.opts.APIKey)) != 1:
		c.refuse(http.StatusUnauthorized, "authentication_error", "invalid_api_key", "The API key is not known", "")
		return
	case s.limited(c):
		return
	}
	found, id := find(r)
	if found == nil {
		s.violate("unknown call " + r.Method + " " + r.URL.Path)
		c.missing("")
		return
	}
	if s.without[found.scope] {
		c.refuse(http.StatusForbidden, "authorization_error", "missing_required_scope", "The API key lacks the scope "+found.scope, "")
		return
	}
	if !s.knownQuery(c, found) {
		return
	}
	c.id = id
	found.serve(s, c)
}

// limited counts the call and answers 429 above the limit.
func (s *Server) limited(c *call) bool {
	if s.opts.PerMinute <= 0 {
		return false
	}
	now := s.opts.Now()
	if now.Sub(s.window) >= time.Minute {
		s.window, s.calls = now, 0
	}
	if s.calls++; s.calls <= s.opts.PerMinute {
		return false
	}
	c.tooMany(s.window.Add(time.Minute), now, s.opts.PerMinute)
	return true
}

func (s *Server) knownQuery(c *call, found *route) bool {
	for name := range c.query {
		known := false
		for _, q := range found.query {
			known = known || q == name
		}
		if !known {
			s.violate("unknown parameter " + name + " of " + found.name)
			c.invalid(name, "is not a parameter of this call")
			return false
		}
	}
	return true
}
