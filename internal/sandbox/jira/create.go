package jira

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

var duePattern = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// edit is the body of a create and of an edit.
type edit struct {
	Fields     map[string]json.RawMessage              `json:"fields"`
	Update     map[string][]map[string]json.RawMessage `json:"update"`
	Properties []struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
}

func (s *Server) createIssue(r *http.Request) answer {
	var in edit
	if bad := read(r, &in); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, t, bad := s.screen(in.Fields)
	if bad != nil {
		return *bad
	}
	i := &Issue{
		Project: p.Key, Type: t.Name, Status: "To Do", Creator: s.opt.Bot.ID, Created: s.opt.Now(),
		Custom: map[string]any{}, Properties: map[string]json.RawMessage{},
	}
	errs := s.set(i, in.Fields, t.OffScreen)
	if i.Summary == "" && errs["summary"] == "" {
		errs["summary"] = "You must specify a summary of the issue."
	}
	for _, f := range t.Required {
		if _, given := in.Fields[f.ID]; !given && !f.HasDefault {
			errs[f.ID] = f.Name + " is required."
		}
	}
	if len(errs) > 0 {
		return refusedFields(errs)
	}
	for _, prop := range in.Properties {
		i.Properties[prop.Key] = prop.Value
	}
	s.add(i)
	return answer{http.StatusCreated, map[string]any{"id": i.ID, "key": i.Key, "self": base(r) + api + "issue/" + i.ID}}
}

// add numbers an issue and keeps it. The lock is held.
func (s *Server) add(i *Issue) {
	if len(i.Labels) > 0 {
		for _, other := range s.issues {
			if len(other.Labels) > 0 && other.Labels[0] == i.Labels[0] {
				s.violateLocked("create issue: a second one with the label %s", i.Labels[0])
				break
			}
		}
	}
	i.ID = s.newID()
	i.Key = s.nextKey(i.Project)
	i.searchable, i.searchesLeft = i.Created.Add(s.lag), s.lagCalls
	s.issues = append(s.issues, i)
	s.byKey[i.Key] = i
	s.touch(i)
}

func (s *Server) nextKey(project string) string {
	s.numbers[project]++
	return project + "-" + strconv.Itoa(s.numbers[project])
}

// screen finds the project and the issue type of a create.
func (s *Server) screen(fields map[string]json.RawMessage) (Project, IssueType, *answer) {
	var project struct{ ID, Key string }
	var issueType struct{ ID, Name string }
	_ = json.Unmarshal(orNull(fields["project"]), &project) // what cannot be read names nothing
	_ = json.Unmarshal(orNull(fields["issuetype"]), &issueType)
	p, ok := s.project(project.Key + project.ID)
	if !ok {
		a := refusedFields(map[string]string{"project": "Specify a valid project ID or key"})
		return Project{}, IssueType{}, &a
	}
	at := slices.IndexFunc(p.IssueTypes, func(t IssueType) bool {
		return t.ID == issueType.ID || (issueType.ID == "" && t.Name == issueType.Name)
	})
	if at < 0 {
		a := refusedFields(map[string]string{"issuetype": "Specify a valid issue type"})
		return Project{}, IssueType{}, &a
	}
	return p, p.IssueTypes[at], nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// set puts fields into an issue and answers what Jira says against them.
func (s *Server) set(i *Issue, fields map[string]json.RawMessage, offScreen []string) map[string]string {
	errs := map[string]string{}
	if raw, given := fields["security"]; given {
		if say := s.setSecurity(i, raw); say != "" {
			errs["security"] = say
		}
	}
	for name, raw := range fields {
		if name == "security" {
			continue
		}
		if slices.Contains(offScreen, name) {
			errs[name] = fmt.Sprintf(notOnScreen, name)
			continue
		}
		if say := s.setOne(i, name, raw); say != "" {
			errs[name] = say
		}
	}
	return errs
}

func (s *Server) setOne(i *Issue, name string, raw json.RawMessage) string {
	switch name {
	case "project", "issuetype":
		return ""
	case "summary":
		return setSummary(i, raw)
	case "description":
		if json.Unmarshal(raw, &i.Description) != nil {
			return notAString
		}
		s.inspectMarkup("description", i.Description)
		if length(i.Description) > 32767 {
			return tooLong
		}
	case "labels":
		if json.Unmarshal(raw, &i.Labels) != nil {
			return "data was not an array"
		}
		return badLabel(i.Labels)
	case "assignee":
		return s.setAssignee(i, raw)
	case "duedate":
		if json.Unmarshal(raw, &i.Due) != nil || !duePattern.MatchString(i.Due) {
			return "Error parsing date string: " + string(raw)
		}
	default:
		if !strings.HasPrefix(name, "customfield_") {
			return fmt.Sprintf(notOnScreen, name)
		}
		var v any
		_ = json.Unmarshal(raw, &v) // it was read as JSON once already
		i.Custom[name] = v
	}
	return ""
}

func setSummary(i *Issue, raw json.RawMessage) string {
	switch err := json.Unmarshal(raw, &i.Summary); {
	case err != nil:
		return notAString
	case strings.ContainsAny(i.Summary, "\r\n"):
		return "The summary is invalid because it contains newline characters."
	case length(i.Summary) > 255:
		return "Summary can't exceed 255 characters."
	case strings.TrimSpace(i.Summary) == "":
		return "You must specify a summary of the issue."
	}
	return ""
}

func (s *Server) setAssignee(i *Issue, raw json.RawMessage) string {
	var who struct {
		AccountID string `json:"accountId"`
	}
	_ = json.Unmarshal(raw, &who) // what cannot be read names nobody
	a, ok := s.account(who.AccountID)
	if !ok || a.Inactive {
		return "User '" + who.AccountID + "' cannot be assigned issues."
	}
	i.Assignee = a.ID
	return ""
}

func badLabel(labels []string) string {
	for _, l := range labels {
		if strings.ContainsAny(l, " \t\n") {
			return "The label '" + l + "' contains spaces which is invalid."
		}
		if length(l) > 255 {
			return "The label '" + l + "' exceeds the maximum length of 255 characters."
		}
	}
	return ""
}

// length counts as Jira does: in UTF-16.
func length(s string) int { return len(utf16.Encode([]rune(s))) }
