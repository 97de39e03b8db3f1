package reconcile

import (
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// mergeRequestHeading names a merge request's part in its change.
func mergeRequestHeading(m *change.LinkedMergeRequest) string {
	if m.Fix {
		return "Permanent fix"
	}
	return "Merge request"
}

// mergeRequestSection refers to a merge request. Only an address that was rebuilt
// from its parts is shown as a link; any other stays text.
func mergeRequestSection(m *change.LinkedMergeRequest, more string) change.TicketSection {
	s := change.TicketSection{Heading: mergeRequestHeading(m), Text: m.Ref.String()}
	if m.Ref.Readable() {
		s.URL = m.Ref.URL
	}
	if m.Seen != nil {
		s.Text += ": " + m.Seen.Title
	}
	if more != "" {
		s.Text += "\n" + more
	}
	return s
}

// mergeRequests refers to every merge request that counts.
func (p *paper) mergeRequests(c *change.Change) {
	for i := range c.MergeRequests {
		if m := &c.MergeRequests[i]; m.Refused == "" {
			*p = append(*p, mergeRequestSection(m, ""))
		}
	}
}

// mergeRequestEvidence says of every merge request that counts what is known of
// it, by when, and who has reviewed it.
func (d *Deliverer) mergeRequestEvidence(p *paper, c *change.Change, name func(change.PersonID) string) {
	for i := range c.MergeRequests {
		m := &c.MergeRequests[i]
		if m.Refused != "" {
			continue
		}
		var lines []string
		if s := m.Seen; s != nil {
			state := "State: " + string(s.State)
			if !s.MergedAt.IsZero() {
				state = "Merged " + when(s.MergedAt) + ", commit " + s.MergedCommit
			}
			lines = append(lines, state+"; read "+when(s.SeenAt), "Author: "+orNobody(s.Author))
			if len(s.Labels) > 0 {
				lines = append(lines, "Labels: "+strings.Join(s.Labels, ", "))
			}
			lines = append(lines, "Approved by another person: "+orNobody(approversOn(c.IndependentApprovals(d.Workflow.Rules, m))))
		} else {
			lines = append(lines, "It has not been read.")
		}
		if m.Deployed != nil {
			lines = append(lines, "Deployed to "+m.Deployed.Environment+" "+when(m.Deployed.At)+", commit "+m.Deployed.Commit)
		}
		if m.Confirmed != "" {
			lines = append(lines, "Confirmed by "+name(m.Confirmed)+", "+when(m.ConfirmedAt))
		}
		*p = append(*p, mergeRequestSection(m, strings.Join(lines, "\n")))
	}
}

// approversOn lists user names, each once.
func approversOn(all []change.MRApproval) string {
	var users []string
	seen := map[string]bool{}
	for _, a := range all {
		if !seen[a.User] {
			seen[a.User] = true
			users = append(users, a.User)
		}
	}
	return strings.Join(users, ", ")
}

func orNobody(s string) string {
	if s == "" {
		return "nobody"
	}
	return s
}

// statusWords says what GitHub's status page said, and when it was read.
func statusWords(s *change.StatusSnapshot) string {
	if s == nil {
		return ""
	}
	lines := []string{when(s.TakenAt) + ": " + s.Description}
	for _, component := range s.Components {
		lines = append(lines, component.Name+": "+strings.ReplaceAll(component.Status, "_", " "))
	}
	for _, i := range s.Incidents {
		lines = append(lines, "Incident: "+i.Name+" ("+i.Status+", "+i.Impact+")")
	}
	return strings.Join(lines, "\n")
}
