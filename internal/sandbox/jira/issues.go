package jira

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

func (s *Server) getIssue(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	return answer{http.StatusOK, s.issueJSON(r, i, r.URL.Query().Get("fields"))}
}

// issueJSON writes an issue with the wanted fields; none named means all.
func (s *Server) issueJSON(r *http.Request, i *Issue, wanted string) map[string]any {
	p, _ := s.project(i.Project)
	all := map[string]any{
		"summary": i.Summary, "description": orNil(i.Description), "labels": notNil(i.Labels), "duedate": orNil(i.Due),
		"created": stamp(i.Created), "updated": stamp(i.Updated),
		"project":   map[string]any{"id": p.ID, "key": p.Key, "name": p.Name},
		"issuetype": map[string]any{"name": i.Type},
		"status":    map[string]any{"name": i.Status, "statusCategory": map[string]any{"key": category(i.Status), "name": i.Status}},
		"creator":   s.userJSON(r, i.Creator), "reporter": s.userJSON(r, i.Creator), "assignee": nil,
	}
	if i.Assignee != "" {
		all["assignee"] = s.userJSON(r, i.Assignee)
	}
	for name, v := range i.Custom {
		all[name] = v
	}
	fields := all
	if names := strings.Split(wanted, ","); wanted != "" && !slices.Contains(names, "*all") {
		fields = map[string]any{}
		for _, name := range names {
			if v, ok := all[name]; ok {
				fields[name] = v
			}
		}
	}
	return map[string]any{"id": i.ID, "key": i.Key, "self": base(r) + api + "issue/" + i.ID, "fields": fields}
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func notNil(list []string) []string { return append([]string{}, list...) }

// category is Jira's own name for where a status stands.
func category(status string) string {
	switch status {
	case "Done":
		return "done"
	case "In Progress":
		return "indeterminate"
	}
	return "new"
}

func (s *Server) editIssue(r *http.Request) answer {
	var in edit
	if bad := read(r, &in); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	next := i.clone()
	errs := s.set(&next, in.Fields, nil)
	for _, op := range in.Update["labels"] {
		var l string
		if raw, ok := op["add"]; ok && json.Unmarshal(raw, &l) == nil && !slices.Contains(next.Labels, l) {
			next.Labels = append(next.Labels, l)
		}
		if raw, ok := op["remove"]; ok && json.Unmarshal(raw, &l) == nil {
			next.Labels = slices.DeleteFunc(next.Labels, func(have string) bool { return have == l })
		}
	}
	if say := badLabel(next.Labels); say != "" {
		errs["labels"] = say
	}
	if len(errs) > 0 {
		return refusedFields(errs)
	}
	*i = next
	s.touch(i)
	return answer{http.StatusNoContent, nil}
}

func (s *Server) getProperty(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	v, ok := i.Properties[r.PathValue("property")]
	if !ok {
		return refused(http.StatusNotFound, "The property with key '"+r.PathValue("property")+"' does not exist.")
	}
	return answer{http.StatusOK, map[string]any{"key": r.PathValue("property"), "value": v}}
}

func (s *Server) setProperty(r *http.Request) answer {
	var v json.RawMessage
	if bad := read(r, &v); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.PathValue("key"))
	if i == nil {
		return noIssue()
	}
	_, had := i.Properties[r.PathValue("property")]
	i.Properties[r.PathValue("property")] = v
	s.touch(i)
	if had {
		return answer{http.StatusOK, nil}
	}
	return answer{http.StatusCreated, nil}
}

// Issue answers a copy of the issue with an id or any key it ever had.
func (s *Server) Issue(idOrKey string) (Issue, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(idOrKey)
	if i == nil {
		return Issue{}, false
	}
	return i.clone(), true
}

// Issues answers copies of all issues, oldest first.
func (s *Server) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Issue, 0, len(s.issues))
	for _, i := range s.issues {
		all = append(all, i.clone())
	}
	return all
}

// AddIssue makes an issue as a person would in the browser and answers its key.
// Project, Type, Summary and Creator are taken as they are.
func (s *Server) AddIssue(i Issue) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := i.clone()
	kept.Created = s.opt.Now()
	if kept.Status == "" {
		kept.Status = "To Do"
	}
	kept.Custom, kept.Properties = map[string]any{}, map[string]json.RawMessage{}
	s.add(&kept)
	return kept.Key
}

// MoveIssue moves an issue to another project and answers its new key. The id
// stays, and the old key still leads to it.
func (s *Server) MoveIssue(idOrKey, project string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(idOrKey)
	if _, ok := s.project(project); i == nil || !ok {
		return "", false
	}
	i.Project, i.Key = project, s.nextKey(project)
	s.byKey[i.Key] = i
	s.touch(i)
	return i.Key, true
}

// SetStatus puts an issue into To Do, In Progress or Done.
func (s *Server) SetStatus(idOrKey, status string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(idOrKey)
	if i == nil {
		return false
	}
	i.Status = status
	s.touch(i)
	return true
}

// DeleteIssue takes an issue away for good.
func (s *Server) DeleteIssue(idOrKey string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(idOrKey)
	if i == nil {
		return false
	}
	s.issues = slices.DeleteFunc(s.issues, func(other *Issue) bool { return other == i })
	for k, other := range s.byKey {
		if other == i {
			delete(s.byKey, k)
		}
	}
	s.touch(i)
	return true
}

// stamp writes a time as Jira does.
func stamp(t time.Time) string { return t.Format(timeLayout) }
