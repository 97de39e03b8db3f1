package aws

import (
	"encoding/json"
	"slices"
	"time"
)

// Heard is a call of sso-admin, throttled or not.
type Heard struct {
	Operation string // such as ListAccountAssignments
	Account   string // that it was about; empty where it names none
	At        time.Time
	Throttled bool // because of CallsPerSecond
}

// Heard answers every call of sso-admin, oldest first, where Options.Record is set.
func (s *Server) Heard() []Heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

// hear keeps a call. The lock is held.
func (s *Server) hear(operation string, body []byte, now time.Time, throttled bool) {
	if !s.opt.Record {
		return
	}
	var about struct {
		AccountID string `json:"AccountId"`
		TargetID  string `json:"TargetId"`
	}
	_ = json.Unmarshal(body, &about) // what cannot be read is refused later
	s.heard = append(s.heard, Heard{Operation: operation, Account: about.AccountID + about.TargetID, At: now, Throttled: throttled})
}
