package incidentio

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Server) listIncidents(c *call) {
	oneOf, notIn := c.query["status_category[one_of]"], c.query["status_category[not_in]"]
	modes := c.query["mode[one_of]"]
	var matching []*Incident
	for _, i := range s.incidents {
		category := s.category(i.Status)
		if (len(modes) == 0 || slices.Contains(modes, i.Mode)) && (len(oneOf) == 0 || slices.Contains(oneOf, category)) && !slices.Contains(notIn, category) {
			matching = append(matching, i)
		}
	}
	slices.SortStableFunc(matching, func(a, b *Incident) int {
		if byTime := b.Created.Compare(a.Created); byTime != 0 {
			return byTime
		}
		return b.Number - a.Number
	})
	if c.query.Get("sort_by") == "created_at_oldest_first" {
		slices.Reverse(matching)
	}
	ids := make([]string, len(matching))
	for n, i := range matching {
		ids[n] = i.ID
	}
	from, to, size, ok := c.page(s, ids, 250)
	if !ok {
		return
	}
	page := make([]object, 0, to-from)
	for _, i := range matching[from:to] {
		page = append(page, s.incidentBody(i))
	}
	m := meta(ids, to, size)
	m["total_record_count"] = len(ids)
	c.answer(http.StatusOK, object{"incidents": page, "pagination_meta": m})
}

func (s *Server) showIncident(c *call) {
	i := s.find(c.id)
	if i == nil {
		c.missing("id")
		return
	}
	c.answer(http.StatusOK, object{"incident": s.incidentBody(i)})
}

func (s *Server) createIncident(c *call) {
	var in struct {
		IdempotencyKey   string `json:"idempotency_key"`
		Visibility       string `json:"visibility"`
		Name             string `json:"name"`
		Summary          string `json:"summary"`
		SeverityID       string `json:"severity_id"`
		IncidentTypeID   string `json:"incident_type_id"`
		IncidentStatusID string `json:"incident_status_id"`
		Mode             string `json:"mode"`
	}
	if !c.decode(s, &in) {
		return
	}
	switch {
	case in.IdempotencyKey == "":
		c.required("idempotency_key")
		return
	case in.Visibility != "public" && in.Visibility != "private":
		c.invalid("visibility", "must be public or private")
		return
	case !slices.Contains([]string{"", "standard", "retrospective", "test", "tutorial"}, in.Mode):
		c.invalid("mode", "is not known")
		return
	}
	if id := s.keys["incident/"+in.IdempotencyKey]; id != "" {
		if before := s.keys["opened/"+in.IdempotencyKey]; before != fmt.Sprint(in) {
			s.violate("the idempotency key " + in.IdempotencyKey + " was used for another incident before")
		}
		c.answer(http.StatusOK, object{"incident": s.incidentBody(s.find(id))})
		return
	}
	i := Incident{Name: in.Name, Summary: in.Summary, Mode: in.Mode, Private: in.Visibility == "private"}
	if in.SeverityID != "" {
		if i.Severity = s.severityByID(in.SeverityID); i.Severity == "" {
			c.invalid("severity_id", "is not known")
			return
		}
	} else if in.Mode != "retrospective" {
		c.required("severity_id")
		return
	}
	if in.IncidentStatusID != "" {
		if i.Status = s.statusByID(in.IncidentStatusID); i.Status == "" {
			c.invalid("incident_status_id", "is not known")
			return
		}
	}
	if strings.TrimSpace(in.Name) == "" || strings.Contains(in.Name, "\n") {
		s.violate(fmt.Sprintf("an incident is opened with the name %q, which people cannot tell from others", in.Name))
	}
	opened := s.open(i)
	s.keys["incident/"+in.IdempotencyKey], s.keys["opened/"+in.IdempotencyKey] = opened.ID, fmt.Sprint(in)
	c.answer(http.StatusOK, object{"incident": s.incidentBody(opened)})
}

// incidentBody is the API's IncidentV2.
func (s *Server) incidentBody(i *Incident) object {
	visibility := "public"
	if i.Private {
		visibility = "private"
	}
	names := make([]string, 0, len(i.Reached))
	for name := range i.Reached {
		names = append(names, name)
	}
	slices.Sort(names)
	timestamps := make([]object, 0, len(names))
	for rank, name := range names {
		timestamps = append(timestamps, object{
			"incident_timestamp": object{"id": "TIMESTAMP" + strconv.Itoa(rank), "name": name, "rank": rank},
			"value":              object{"value": stamp(i.Reached[name])},
		})
	}
	return object{
		"id": i.ID, "reference": i.Reference(), "name": i.Name, "summary": i.Summary, "visibility": visibility, "mode": i.Mode,
		"creator": creator(), "incident_role_assignments": []object{}, "custom_field_entries": []object{},
		"incident_status": s.statusBody(i.Status), "severity": s.severityBody(i.Severity), "incident_type": s.typeBody(),
		"incident_timestamp_values": timestamps,
		"slack_team_id":             "T0SANDBOX00", "slack_channel_id": i.SlackChannel, "slack_channel_name": strings.ToLower(i.Reference()),
		"permalink":  s.opts.AppURL + "/incidents/" + strconv.Itoa(i.Number),
		"created_at": stamp(i.Created), "updated_at": stamp(i.Updated),
	}
}

func creator() object { return object{"api_key": object{"id": "01JSANDBOXKEY", "name": "breakglass"}} }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
