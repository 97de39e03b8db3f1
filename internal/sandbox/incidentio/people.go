package incidentio

import (
	"net/http"
	"strings"
	"time"
)

// User is a person of the organisation.
type User struct {
	ID      string // filled in when empty
	Name    string
	Email   string
	SlackID string
}

// Shift is a time during which somebody is on call. An empty user id is a gap
// that the schedule shows without anybody in it.
type Shift struct {
	UserID     string
	Start, End time.Time
	Layer      Layer
}

// Layer says in which list of a schedule a shift stands.
type Layer string

// The layers. A schedule's final answer is what overrides have left.
const (
	Final     Layer = "" // who is really on call
	Scheduled Layer = "scheduled"
	Override  Layer = "override"
)

// AddUser adds a person and answers them with their id.
func (s *Server) AddUser(u User) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == "" {
		u.ID = s.newID()
	}
	s.users = append(s.users, u)
	s.touch()
	return u
}

// Schedule sets who is on call on a schedule, making the schedule if need be.
func (s *Server) Schedule(id string, shifts ...Shift) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shifts[id] = append([]Shift(nil), shifts...)
	s.touch()
}

func (s *Server) userByID(id string) *User {
	for n := range s.users {
		if s.users[n].ID == id {
			return &s.users[n]
		}
	}
	return nil
}

func (s *Server) listUsers(c *call) {
	ids, bodies := []string{}, []object{}
	for _, u := range s.users {
		if want := c.query.Get("slack_user_id"); want != "" && want != u.SlackID {
			continue
		}
		if want := c.query.Get("email"); want != "" && !strings.EqualFold(want, u.Email) {
			continue
		}
		body := userBody(u)
		role := object{"id": "01JSANDBOXROLE", "name": "Responder", "slug": "responder"}
		body["base_role"], body["custom_roles"], body["is_active"] = role, []object{}, true
		body["seats"] = object{"on_call": "full_access", "response": "full_access"}
		ids, bodies = append(ids, u.ID), append(bodies, body)
	}
	if from, to, size, ok := c.page(s, ids, 10000); ok {
		c.answer(http.StatusOK, object{"users": bodies[from:to], "pagination_meta": meta(ids, to, size)})
	}
}

func (s *Server) listShifts(c *call) {
	shifts, known := s.shifts[c.query.Get("schedule_id")]
	if !known {
		c.missing("schedule_id")
		return
	}
	start, err := time.Parse(time.RFC3339, c.query.Get("entry_window_start"))
	if err != nil {
		c.invalid("entry_window_start", "is no time")
		return
	}
	end, err := time.Parse(time.RFC3339, c.query.Get("entry_window_end"))
	if err != nil {
		c.invalid("entry_window_end", "is no time")
		return
	}
	lists := map[Layer][]object{Final: {}, Scheduled: {}, Override: {}}
	for _, shift := range shifts {
		if !shift.Start.Before(end) || !shift.End.After(start) {
			continue
		}
		body := object{"entry_id": "01JSANDBOXENTRY", "start_at": stamp(shift.Start), "end_at": stamp(shift.End)}
		if u := s.userByID(shift.UserID); u != nil {
			body["user"] = userBody(*u)
		}
		lists[shift.Layer] = append(lists[shift.Layer], body)
	}
	c.answer(http.StatusOK, object{"schedule_entries": object{
		"final": lists[Final], "scheduled": lists[Scheduled], "overrides": lists[Override],
	}})
}

func userBody(u User) object {
	body := object{"id": u.ID, "name": u.Name, "role": "responder"}
	if u.Email != "" {
		body["email"] = u.Email
	}
	if u.SlackID != "" {
		body["slack_user_id"] = u.SlackID
	}
	return body
}
