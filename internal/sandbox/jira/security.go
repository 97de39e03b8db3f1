package jira

import (
	"encoding/json"
	"fmt"
	"slices"
)

// setSecurity puts an issue under a security level of its type, by id or name.
// The lock is held.
func (s *Server) setSecurity(i *Issue, raw json.RawMessage) string {
	var want struct{ ID, Name string }
	_ = json.Unmarshal(raw, &want) // what cannot be read names nothing
	p, _ := s.project(i.Project)
	at := slices.IndexFunc(p.IssueTypes, func(t IssueType) bool { return t.Name == i.Type })
	if at < 0 || len(p.IssueTypes[at].Levels) == 0 {
		return fmt.Sprintf(notOnScreen, "security")
	}
	for _, l := range p.IssueTypes[at].Levels {
		if (want.ID != "" && l.ID == want.ID) || (want.ID == "" && l.Name == want.Name) {
			i.Security = l.Name
			return ""
		}
	}
	return "The security level is not valid for this issue."
}
