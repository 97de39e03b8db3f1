package incidentio

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Text shows an incident with its timeline as plain text, oldest first.
func (s *Server) Text(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(id)
	if i == nil {
		return "no such incident\n"
	}
	var b strings.Builder
	private := ""
	if i.Private {
		private = " · private"
	}
	fmt.Fprintf(&b, "%s %s\n%s (%s) · %s%s\n", i.Reference(), i.Name, i.Status, s.category(i.Status), i.Severity, private)
	if into := s.find(i.MergedInto); into != nil {
		fmt.Fprintf(&b, "merged into %s\n", into.Reference())
	}
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	for _, n := range s.notes {
		if n.IncidentID == id {
			lines = append(lines, line{n.At, n.Title + indent(n.Description)})
		}
	}
	for _, u := range s.updatesOf(id) {
		lines = append(lines, line{u.Created, "[" + u.Status + "]" + indent(u.Message)})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	for _, l := range lines {
		fmt.Fprintf(&b, "  %s  %s\n", l.at.UTC().Format("2006-01-02 15:04"), l.text)
	}
	for _, a := range s.attachments {
		if a.IncidentID == id {
			fmt.Fprintf(&b, "  attached: %s (%s)\n", a.URL, a.ResourceType)
		}
	}
	for _, f := range s.followUps {
		if f.IncidentID == id {
			fmt.Fprintf(&b, "  follow-up: %s\n", f.Title)
		}
	}
	return b.String()
}

func indent(text string) string {
	if text == "" {
		return ""
	}
	return "\n      " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n      ")
}
