package jira

import (
	"net/http"
	"slices"
	"strconv"
)

func (s *Server) getProject(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.project(r.PathValue("key"))
	if !ok {
		return refused(http.StatusNotFound, "No project could be found with key '"+r.PathValue("key")+"'.")
	}
	types := []any{}
	for _, t := range p.IssueTypes {
		types = append(types, map[string]any{"id": t.ID, "name": t.Name, "subtask": false})
	}
	return answer{http.StatusOK, map[string]any{"id": p.ID, "key": p.Key, "name": p.Name, "issueTypes": types}}
}

// metaTypes lists the issue types that may be created in a project.
func (s *Server) metaTypes(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.project(r.PathValue("key"))
	if !ok {
		return refused(http.StatusBadRequest, "No project could be found with key or id '"+r.PathValue("key")+"'.")
	}
	types := []any{}
	for _, t := range p.IssueTypes {
		types = append(types, map[string]any{"id": t.ID, "name": t.Name, "subtask": false})
	}
	return page(r, "issueTypes", types)
}

// metaFields lists the fields on the create screen of an issue type.
func (s *Server) metaFields(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.project(r.PathValue("key"))
	if !ok {
		return refused(http.StatusBadRequest, "No project could be found with key or id '"+r.PathValue("key")+"'.")
	}
	at := slices.IndexFunc(p.IssueTypes, func(t IssueType) bool { return t.ID == r.PathValue("type") })
	if at < 0 {
		return refused(http.StatusBadRequest, "The issue type with id '"+r.PathValue("type")+"' does not exist.")
	}
	fields := []any{}
	add := func(id, name string, required, hasDefault bool) {
		fields = append(fields, map[string]any{
			"fieldId": id, "key": id, "name": name, "required": required, "hasDefaultValue": hasDefault,
			"operations": []string{"set"}, "schema": map[string]any{"type": "string"},
		})
	}
	t := p.IssueTypes[at]
	for _, f := range systemFields {
		if !slices.Contains(t.OffScreen, f.ID) {
			add(f.ID, f.Name, f.ID == "project" || f.ID == "issuetype" || f.ID == "summary", f.HasDefault)
		}
	}
	for _, f := range t.Required {
		add(f.ID, f.Name, true, f.HasDefault)
	}
	return page(r, "fields", fields)
}

// systemFields are the fields of every create screen, if they are not off it.
var systemFields = []Field{
	{"project", "Project", false},
	{"issuetype", "Issue Type", false},
	{"summary", "Summary", false},
	{"description", "Description", false},
	{"labels", "Labels", false},
	{"assignee", "Assignee", false},
	{"duedate", "Due date", false},
	{"reporter", "Reporter", true},
}

// page cuts a list as startAt and maxResults say.
func page(r *http.Request, name string, all []any) answer {
	start, most := number(r, "startAt", 0), min(number(r, "maxResults", 50), 200)
	cut := all[min(start, len(all)):min(start+most, len(all))]
	return answer{http.StatusOK, map[string]any{"startAt": start, "maxResults": most, "total": len(all), name: cut}}
}

// number reads a query parameter that is not negative.
func number(r *http.Request, name string, otherwise int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}
