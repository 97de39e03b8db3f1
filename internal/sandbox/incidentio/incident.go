package incidentio

import (
	"fmt"
	"strings"
	"time"
)

// Incident is an incident of the stand-in. Open fills in what is empty.
type Incident struct {
	ID           string
	Number       int // 12 for INC-12
	Name         string
	Summary      string
	Status       string // by name; default Investigating
	Severity     string // by name; default Major
	Mode         string // default standard
	Private      bool
	SlackChannel string
	MergedInto   string // id
	Created      time.Time
	Updated      time.Time
	Reached      map[string]time.Time // timestamps by name, such as "Closed at"
}

// Reference is the incident's name for people, such as INC-12.
func (i Incident) Reference() string { return fmt.Sprintf("INC-%d", i.Number) }

// Status is a status that incidents may have.
type Status struct {
	Name     string
	Category string
}

func usualStatuses() []Status {
	return []Status{
		{"Triage", "triage"},
		{"Investigating", "live"},
		{"Fixing", "live"},
		{"Monitoring", "live"},
		{"Paused", "paused"},
		{"Documenting", "learning"},
		{"Closed", "closed"},
		{"Declined", "declined"},
		{"Canceled", "canceled"},
		{"Merged", "merged"},
	}
}

// AddStatus adds a status, also of a category that nobody has heard of yet.
func (s *Server) AddStatus(name, category string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses = append(s.statuses, Status{name, category})
}

// Open adds incidents and answers them as they are now.
func (s *Server) Open(incidents ...Incident) []Incident {
	s.mu.Lock()
	defer s.mu.Unlock()
	var opened []Incident
	for _, i := range incidents {
		opened = append(opened, *s.open(i))
	}
	return opened
}

func (s *Server) open(i Incident) *Incident {
	now := s.opts.Now()
	if i.ID == "" {
		i.ID = s.newID()
	}
	if i.Number == 0 {
		s.nextNumber++
		i.Number = s.nextNumber
	}
	s.nextNumber = max(s.nextNumber, i.Number)
	if i.Name == "" {
		i.Name = "Something is wrong"
	}
	if i.Status == "" {
		i.Status = "Investigating"
	}
	if i.Severity == "" {
		i.Severity = "Major"
	}
	if i.Mode == "" {
		i.Mode = "standard"
	}
	if i.SlackChannel == "" {
		i.SlackChannel = fmt.Sprintf("C%010d", i.Number)
	}
	if i.Created.IsZero() {
		i.Created = now
	}
	if i.Updated.IsZero() {
		i.Updated = i.Created
	}
	reached := map[string]time.Time{"Reported at": i.Created}
	for name, at := range i.Reached {
		reached[name] = at
	}
	i.Reached = reached
	kept := i
	s.incidents = append(s.incidents, &kept)
	s.updates = append(s.updates, Update{ID: s.newID(), IncidentID: i.ID, Status: i.Status, Created: i.Created})
	s.touch()
	s.tell("incident_created_v2", &kept, s.incidentBody(&kept))
	return &kept
}

// SetStatus moves an incident to a status, by the status's name.
func (s *Server) SetStatus(id, status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.setStatus(id, status, "", "")
}

// Merge merges an incident into another one.
func (s *Server) Merge(id, into string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(into) == nil {
		return fmt.Errorf("merge %s: there is no incident %s", id, into)
	}
	return s.setStatus(id, "Merged", into, "")
}

func (s *Server) setStatus(id, status, into, message string) error {
	i := s.find(id)
	if i == nil {
		return fmt.Errorf("set status: there is no incident %s", id)
	}
	if s.category(status) == "" {
		return fmt.Errorf("set status of %s: there is no status %s", i.Reference(), status)
	}
	before := i.Status
	now := s.opts.Now()
	i.Status, i.Updated, i.MergedInto = status, now, into
	if name := reachedName(s.category(status)); name != "" {
		i.Reached[name] = now
	}
	s.updates = append(s.updates, Update{ID: s.newID(), IncidentID: id, Status: status, MergedInto: into, Message: message, Created: now})
	s.touch()
	s.tell("incident_status_updated_v2", i, object{
		"incident": s.incidentBody(i), "previous_status": s.statusBody(before), "new_status": s.statusBody(status),
	})
	return nil
}

func reachedName(category string) string {
	switch category {
	case "learning":
		return "Resolved at"
	case "closed", "declined", "canceled", "merged":
		return strings.ToUpper(category[:1]) + category[1:] + " at"
	}
	return ""
}

// Incident answers an incident by its id.
func (s *Server) Incident(id string) (Incident, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(id); i != nil {
		return *i, true
	}
	return Incident{}, false
}

// Incidents answers every incident, oldest first.
func (s *Server) Incidents() []Incident {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Incident, 0, len(s.incidents))
	for _, i := range s.incidents {
		all = append(all, *i)
	}
	return all
}

func (s *Server) find(id string) *Incident {
	for _, i := range s.incidents {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// category answers the category of a status, or nothing when there is no such status.
func (s *Server) category(status string) string {
	for _, known := range s.statuses {
		if known.Name == status {
			return known.Category
		}
	}
	return ""
}

// over says whether an incident no longer takes notes.
func (s *Server) over(i *Incident) bool {
	switch s.category(i.Status) {
	case "closed", "declined", "canceled", "merged":
		return !s.opts.NotesWhenOver
	}
	return false
}

// newID looks like the ULIDs of the API and sorts by age.
func (s *Server) newID() string {
	s.nextID++
	return fmt.Sprintf("01JSANDBOX%016d", s.nextID)
}
