package slackapp

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// shownLinks and shownOwed bound what one message lists.
const (
	shownLinks   = 5
	shownAnswers = 5
	shownOwed    = 12
)

// whoWords says who makes the change and who asked for it.
func whoWords(c *change.Change) string {
	s := mention(c.Implementer)
	if c.Implementer != c.Requester {
		s += ", asked for by " + mention(c.Requester)
	}
	if c.Report != nil && c.Report.GivenBy != "" {
		s += "; access given by " + mention(c.Report.GivenBy)
	}
	if len(c.Witnesses) > 0 && c.Self == nil {
		s += "; on the call: " + mentions(c.Witnesses)
	}
	return s
}

// accessWords names what access is asked for, and where.
func accessWords(c *change.Change) string {
	a := c.Access
	if a == nil {
		return "no access through breakglass"
	}
	where := oneLine(a.TargetName, roomForName)
	if a.Key.AccountID != "" {
		where += " (" + escaped(a.Key.AccountID) + ")"
	}
	if a.PermissionSetName == "" {
		return where
	}
	return oneLine(a.PermissionSetName, roomForName) + " in " + where
}

// lengthWords says for how long: as asked while it is open, else as approved.
func lengthWords(c *change.Change) string {
	a := c.Access
	switch {
	case c.Report != nil:
		return ""
	case a == nil:
		return "until it is finished, at most " + change.ShortDuration(c.Plan.NoneEndsAfter)
	case a.Approved > 0:
		return change.ShortDuration(a.Approved)
	}
	if ask := c.OpenAsk(); ask != nil {
		return askedLength(c, ask)
	}
	return change.ShortDuration(a.Asked)
}

// askedLength is the duration that approvers are asked for.
func askedLength(c *change.Change, ask *change.Ask) string {
	s := change.ShortDuration(ask.Duration)
	if ask.Shortened == "" {
		return s
	}
	if ask.For == change.ForChange && c.Access != nil {
		return s + " (" + change.ShortDuration(c.Access.Asked) + " were asked for, " + mention(ask.Shortened) + " shortened it)"
	}
	return s + " (shortened by " + mention(ask.Shortened) + ")"
}

// facts are the lines that every full message about a change begins with.
func facts(c *change.Change) []string {
	lines := []string{
		"*Who:* " + whoWords(c),
		"*Why not the release process:* " + oneLine(c.ReasonLabel, roomForName),
		"*Where:* " + accessWords(c),
		statusLine(c),
	}
	if length := lengthWords(c); length != "" {
		lines = append(lines, "*For how long:* "+length)
	}
	if words := coordinatorWords(c); words != "" {
		lines = append(lines, "*Coordinated with:* "+words)
	}
	if c.Again != 0 {
		lines = append(lines, "*Asks again for:* "+c.Again.String())
	}
	return lines
}

// more says how many of a thing, named in the singular, are left out.
func more(n int, of string) string {
	if n == 1 {
		return "1 more " + of
	}
	return fmt.Sprintf("%d more %ss", n, of)
}

// texts shows what the requester typed.
func (m *message) texts(c *change.Change, limit int) {
	m.quote("What", c.What, limit)
	m.quote("Why", c.Why, limit)
	for i, a := range c.Answers {
		if i == shownAnswers {
			m.small(more(len(c.Answers)-i, "answer") + ": Show")
			return
		}
		m.quote(a.Label, a.Text, roomForAnswer)
	}
}

// incidentWords names an incident and its state; a private one only by its
// reference, for whoever linked it need not be one of its people.
func incidentWords(i *change.IncidentLink) string {
	now := i.Now
	if i.BeingOpened() {
		return openingWords(i)
	}
	if now.Private {
		return reference(now.URL, now.Reference) + " (private)"
	}
	s := reference(now.URL, strings.TrimSpace(now.Reference+" “"+clip(now.Name, 100)+"”"))
	if now.Status != "" {
		s += " (" + oneLine(now.Status, 60) + ")"
	}
	return s
}

// recordWords says where the change is recorded, and whether it is signed off.
func recordWords(c *change.Change) string {
	signed := ", with a sign-off by " + names(c.Plan.SignOff.From)
	switch {
	case c.Record.In == change.RecordInIncident && c.Incident != nil:
		return "in " + incidentWords(c.Incident) + "; no separate sign-off"
	case c.Record.In == change.RecordInIncident:
		return "in incident.io; no separate sign-off"
	case c.Ticket != nil:
		return "in Jira, " + reference(c.Ticket.URL, c.Ticket.Key) + signed
	case c.Record.Choice == change.TicketNow:
		return "in a Jira ticket that is opened now" + signed
	}
	return "in a Jira ticket that is opened later" + signed
}

// links lists what the change is linked to.
func links(c *change.Change) []string {
	var lines []string
	if t := c.Ticket; t != nil {
		line := "*Ticket:* " + reference(t.URL, t.Key)
		if !t.Checked {
			line += " (not seen in Jira yet)"
		}
		lines = append(lines, line)
	}
	if i := c.Incident; i != nil {
		lines = append(lines, incidentLinkLine(i))
	}
	lines = append(lines, mergeRequestLines(c, shownMergeRequests)...)
	for i, url := range c.Links {
		if i == shownLinks {
			return append(lines, more(len(c.Links)-i, "link")+": Show")
		}
		lines = append(lines, "*Link:* "+reference(url, url))
	}
	return lines
}

// owing lists what is still owed, by whom and by when.
func owing(c *change.Change) []string {
	var lines []string
	for i, o := range c.Owing() {
		if i == shownOwed {
			return append(lines, fmt.Sprintf("• and %d more: Show", len(c.Owing())-i))
		}
		lines = append(lines, "• "+owedWords(c, o))
	}
	return lines
}

// owedWords is one thing that is owed.
func owedWords(c *change.Change, o change.Obligation) string {
	s := obligationWords(o) + " – " + ownerWords(o)
	if !o.Due.IsZero() {
		s += ", by " + moment(o.Due)
	}
	switch {
	case !o.Part.IsZero():
		s += "; written, not in " + recordSystem(c.Record.In) + " yet"
	case !o.Breached.IsZero():
		s += ": overdue"
	}
	return s
}

// recordSystem names the system that holds a record, as it writes itself.
func recordSystem(in change.RecordPlace) string {
	if in == change.RecordInJira {
		return string(change.SystemJira)
	}
	return string(change.SystemIncident)
}

func ownerWords(o change.Obligation) string {
	if o.Owner != "" {
		return mention(o.Owner)
	}
	return names(o.Groups)
}

// waiting lists the systems that the change waits for.
func waiting(p change.Posting) []string {
	var lines []string
	for _, system := range slices.Sorted(maps.Keys(p.Waiting)) {
		lines = append(lines, "• "+string(system)+": "+oneLine(p.Waiting[system], 300))
	}
	if a := p.Change.Access; a != nil && a.Trouble != "" {
		lines = append(lines, "• AWS: "+oneLine(a.Trouble, 300))
	}
	return lines
}

// headed puts a headline over lines, if there are any.
func headed(headline string, lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	return append([]string{"*" + headline + "*"}, lines...)
}
