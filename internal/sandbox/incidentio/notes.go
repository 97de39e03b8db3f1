package incidentio

import (
	"net/http"
	"regexp"
	"time"
)

// Note is an item of an incident's timeline.
type Note struct {
	ID          string
	IncidentID  string
	At          time.Time // when it happened
	Title       string
	Description string // markdown
	Created     time.Time
}

// Update is an update of an incident: a message, a move to another status, or both.
type Update struct {
	ID         string
	IncidentID string
	Message    string // markdown
	Status     string // after the update
	MergedInto string
	Created    time.Time
}

// Timeline answers the notes of an incident, in the order they were written.
func (s *Server) Timeline(id string) []Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	var notes []Note
	for _, n := range s.notes {
		if n.IncidentID == id {
			notes = append(notes, n)
		}
	}
	return notes
}

// Updates answers the updates of an incident, oldest first.
func (s *Server) Updates(id string) []Update {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updatesOf(id)
}

func (s *Server) updatesOf(id string) []Update {
	var updates []Update
	for _, u := range s.updates {
		if u.IncidentID == id {
			updates = append(updates, u)
		}
	}
	return updates
}

// writable answers the incident that is written to, having refused the call if
// there is none or it is over.
func (s *Server) writable(c *call, id string) *Incident {
	i := s.find(id)
	switch {
	case id == "":
		c.required("incident_id")
	case i == nil:
		c.missing("incident_id")
	case s.over(i):
		c.refuse(http.StatusUnprocessableEntity, "validation_error", "incident_not_active", "The incident is "+s.category(i.Status), "incident_id")
	default:
		return i
	}
	return nil
}

func (s *Server) createNote(c *call) {
	var in struct {
		IncidentID     string    `json:"incident_id"`
		Timestamp      time.Time `json:"timestamp"`
		Title          string    `json:"title"`
		Description    string    `json:"description"`
		IdempotencyKey string    `json:"idempotency_key"`
	}
	if !c.decode(s, &in) {
		return
	}
	for _, f := range []struct {
		name string
		gone bool
	}{{"timestamp", in.Timestamp.IsZero()}, {"title", in.Title == ""}, {"idempotency_key", in.IdempotencyKey == ""}} {
		if f.gone {
			c.required(f.name)
			return
		}
	}
	if id := s.keys["note/"+in.IdempotencyKey]; id != "" {
		for _, n := range s.notes {
			if n.ID == id {
				c.answer(http.StatusCreated, object{"incident_timeline_item": noteBody(n)})
			}
		}
		return
	}
	if s.writable(c, in.IncidentID) == nil {
		return
	}
	s.checkMarkdown("timeline item", in.Title+"\n"+in.Description)
	n := Note{ID: s.newID(), IncidentID: in.IncidentID, At: in.Timestamp, Title: in.Title, Description: in.Description, Created: s.opts.Now()}
	s.notes = append(s.notes, n)
	s.keys["note/"+in.IdempotencyKey] = n.ID
	s.touch()
	c.answer(http.StatusCreated, object{"incident_timeline_item": noteBody(n)})
}

func (s *Server) listNotes(c *call) {
	var ids []string
	var bodies []object
	for _, n := range s.notes {
		if n.IncidentID == c.query.Get("incident_id") {
			ids, bodies = append(ids, n.ID), append(bodies, noteBody(n))
		}
	}
	if from, to, size, ok := c.page(s, ids, 250); ok {
		c.answer(http.StatusOK, object{"incident_timeline_items": append([]object{}, bodies[from:to]...), "pagination_meta": meta(ids, to, size)})
	}
}

func noteBody(n Note) object {
	return object{
		"id": n.ID, "incident_id": n.IncidentID, "timestamp": stamp(n.At), "title": n.Title, "description": n.Description,
		"creator": creator(), "created_at": stamp(n.Created), "updated_at": stamp(n.Created),
	}
}

func (s *Server) createUpdate(c *call) {
	var in struct {
		IncidentID         string `json:"incident_id"`
		IdempotencyKey     string `json:"idempotency_key"`
		Message            string `json:"message"`
		ToIncidentStatusID string `json:"to_incident_status_id"`
	}
	if !c.decode(s, &in) {
		return
	}
	if in.IdempotencyKey == "" {
		c.required("idempotency_key")
		return
	}
	if id := s.keys["update/"+in.IdempotencyKey]; id != "" {
		for _, u := range s.updates {
			if u.ID == id {
				c.answer(http.StatusCreated, object{"incident_update": s.updateBody(u)})
			}
		}
		return
	}
	i := s.writable(c, in.IncidentID)
	if i == nil {
		return
	}
	status := i.Status
	if in.ToIncidentStatusID != "" {
		if status = s.statusByID(in.ToIncidentStatusID); status == "" {
			c.invalid("to_incident_status_id", "is not known")
			return
		}
	}
	s.checkMarkdown("update", in.Message)
	if status != i.Status {
		if err := s.setStatus(i.ID, status, "", in.Message); err != nil {
			c.invalid("to_incident_status_id", "cannot be set")
			return
		}
	} else {
		s.updates = append(s.updates, Update{ID: s.newID(), IncidentID: i.ID, Message: in.Message, Status: status, Created: s.opts.Now()})
		s.touch()
	}
	made := s.updates[len(s.updates)-1]
	s.keys["update/"+in.IdempotencyKey] = made.ID
	c.answer(http.StatusCreated, object{"incident_update": s.updateBody(made)})
}

// listUpdates answers newest first.
func (s *Server) listUpdates(c *call) {
	updates := s.updatesOf(c.query.Get("incident_id"))
	ids, bodies := make([]string, len(updates)), make([]object, len(updates))
	for n, u := range updates {
		last := len(updates) - 1 - n
		ids[last], bodies[last] = u.ID, s.updateBody(u)
	}
	if from, to, size, ok := c.page(s, ids, 250); ok {
		c.answer(http.StatusOK, object{"incident_updates": bodies[from:to], "pagination_meta": meta(ids, to, size)})
	}
}

func (s *Server) updateBody(u Update) object {
	body := object{
		"id": u.ID, "incident_id": u.IncidentID, "new_incident_status": s.statusBody(u.Status), "updater": creator(),
		"message": u.Message, "created_at": stamp(u.Created),
	}
	if u.MergedInto != "" {
		body["merged_into_incident_id"] = u.MergedInto
	}
	return body
}

// alarming is markdown that would reach out to somebody: mentions, images, HTML.
var alarming = regexp.MustCompile(`@[A-Za-z0-9]|<[!@#A-Za-z/]|!\[`)

func (s *Server) checkMarkdown(where, text string) {
	if found := alarming.FindString(text); found != "" {
		s.violate(where + " holds live markup: " + found)
	}
}
