package incidentio

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// ancient is when the organisation's settings were made.
func ancient() string { return stamp(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)) }

// Statuses lists the statuses that incidents may have, in order.
func (s *Server) Statuses() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.statuses)
}

// Severities lists the severities by name, the mildest first.
func (s *Server) Severities() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.severities)
}

func (s *Server) showIdentity(c *call) {
	c.answer(http.StatusOK, object{"identity": object{
		"name": "breakglass", "roles": s.roles, "team_roles": []string{}, "teams": []object{}, "dashboard_url": s.opts.AppURL,
	}})
}

func (s *Server) listSeverities(c *call) {
	all := make([]object, 0, len(s.severities))
	for _, name := range s.severities {
		all = append(all, s.severityBody(name))
	}
	c.answer(http.StatusOK, object{"severities": all})
}

func (s *Server) listTypes(c *call) {
	c.answer(http.StatusOK, object{"incident_types": []object{s.typeBody()}})
}

func (s *Server) listStatuses(c *call) {
	all := make([]object, 0, len(s.statuses))
	for _, status := range s.statuses {
		all = append(all, s.statusBody(status.Name))
	}
	c.answer(http.StatusOK, object{"incident_statuses": all})
}

func (s *Server) statusBody(name string) object {
	for rank, status := range s.statuses {
		if status.Name == name {
			return object{
				"id": "STATUS" + strconv.Itoa(rank), "name": name, "description": name, "rank": rank,
				"category": status.Category, "created_at": ancient(), "updated_at": ancient(),
			}
		}
	}
	return object{"id": "STATUS", "name": name, "description": name, "rank": 0, "category": "live", "created_at": ancient(), "updated_at": ancient()}
}

func (s *Server) statusByID(id string) string {
	for rank, status := range s.statuses {
		if "STATUS"+strconv.Itoa(rank) == id {
			return status.Name
		}
	}
	return ""
}

func (s *Server) severityBody(name string) object {
	rank := 0
	for n, known := range s.severities {
		if known == name {
			rank = n
		}
	}
	return object{"id": "SEVERITY" + strconv.Itoa(rank), "name": name, "description": name, "rank": rank, "created_at": ancient(), "updated_at": ancient()}
}

func (s *Server) severityByID(id string) string {
	for rank, name := range s.severities {
		if "SEVERITY"+strconv.Itoa(rank) == id {
			return name
		}
	}
	return ""
}

func (s *Server) typeBody() object {
	return object{
		"id": "TYPE0", "name": "Production", "description": "Production", "is_default": true, "private_incidents_only": false,
		"create_in_triage": "optional", "created_at": ancient(), "updated_at": ancient(),
	}
}
