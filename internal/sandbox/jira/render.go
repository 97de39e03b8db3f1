package jira

import (
	"fmt"
	"html"
	"strings"
)

// Render writes an issue as plain text for a terminal. It is empty when there
// is no such issue.
func (s *Server) Render(idOrKey string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(idOrKey)
	if i == nil {
		return ""
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s  %s  [%s]", i.Key, i.Summary, i.Status)
	line("%s, made by %s on %s", i.Type, s.name(i.Creator), stamp(i.Created))
	if i.Assignee != "" {
		line("Assigned to %s", s.name(i.Assignee))
	}
	if i.Due != "" {
		line("Due %s", i.Due)
	}
	if len(i.Labels) > 0 {
		line("Labels: %s", strings.Join(i.Labels, ", "))
	}
	if i.Description != "" {
		line("\n%s", plain(i.Description))
	}
	for _, l := range i.Links {
		line("\nLink: %s <%s>", l.Title, l.URL)
	}
	for _, c := range i.Comments {
		line("\n%s, %s:", s.name(c.Author), stamp(c.Created))
		line("  %s", strings.ReplaceAll(plain(c.Body), "\n", "\n  "))
	}
	return b.String()
}

func (s *Server) name(accountID string) string {
	if a, ok := s.account(accountID); ok {
		return a.Name
	}
	return "a former user"
}

// plain shows wiki markup as a reader sees it, without any formatting.
func plain(markup string) string {
	var b strings.Builder
	for i := 0; i < len(markup); i++ {
		if markup[i] == '\\' && i+1 < len(markup) {
			i++
			if markup[i] == '\\' {
				b.WriteByte('\n')
				continue
			}
		} else if strings.ContainsRune("*[]", rune(markup[i])) {
			continue
		}
		b.WriteByte(markup[i])
	}
	return html.UnescapeString(b.String())
}
