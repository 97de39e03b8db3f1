package slackapp

import (
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// stateWords says in full where a change stands.
func stateWords(c *change.Change) string {
	switch c.Phase {
	case change.Requested:
		return requestedWords(c)
	case change.Approved:
		return approvedWords(c)
	case change.Active:
		return "active from " + moment(c.Window.Start) + " until " + moment(c.Window.Until)
	case change.Ended, change.Closed:
		return endedWords(c)
	case change.Denied:
		return deniedWords(c)
	case change.Withdrawn:
		return "withdrawn; no access was given"
	case change.Lapsed:
		return "lapsed: nobody decided in time"
	case change.Failed:
		return "failed: " + oneLine(c.Reply, 500)
	}
	return string(c.Phase)
}

func requestedWords(c *change.Change) string {
	s := "waiting for approval since " + moment(c.RequestedAt)
	if a := c.OpenAsk(); a != nil && a.Quiet {
		s = "waiting for the people on the call since " + moment(c.RequestedAt)
	}
	if a := c.OpenAsk(); a != nil && !a.LapseAt.IsZero() {
		s += "; it lapses " + moment(a.LapseAt)
	}
	return s
}

func approvedWords(c *change.Change) string {
	s := "approved"
	if by := approvedByWords(c); by != "" {
		s += " by " + by
	}
	s += "; access on its way"
	if c.Access != nil && c.Access.GivenUp {
		return s + " no more: AWS did not give it in time"
	}
	if c.Access != nil && !c.Access.GrantBy.IsZero() {
		s += ", at the latest by " + moment(c.Access.GrantBy)
	}
	return s
}

func endedWords(c *change.Change) string {
	s := "ended " + moment(c.Window.Ended)
	switch {
	case c.Report != nil:
		s = "reported; it was made " + moment(c.Report.MadeAt)
	case c.Window.EndedBy != "":
		s += " by " + mention(c.Window.EndedBy)
	}
	if c.Phase == change.Closed {
		s = "closed; " + s + ", and nothing is owed any more"
	}
	return s
}

func deniedWords(c *change.Change) string {
	s := "denied"
	for _, a := range c.Asks {
		if d, ok := denial(&a); ok && a.For == change.ForChange {
			s += " by " + person(d.By)
		}
	}
	if c.Reply != "" {
		s += ": " + oneLine(c.Reply, 500)
	}
	return s
}

// denial gives the decision that denied a question.
func denial(a *change.Ask) (change.Decision, bool) {
	for _, d := range a.Decisions {
		if !d.Approved {
			return d, true
		}
	}
	return change.Decision{}, false
}

// accessLines tell what has become of the access.
func accessLines(c *change.Change) []string {
	a := c.Access
	if a == nil || c.Report != nil {
		return nil
	}
	var lines []string
	if a.Standing {
		lines = append(lines, "The access had been there before this change. It is left alone: the end of the change removes nothing.")
	}
	over := c.Phase == change.Ended || c.Phase == change.Closed
	switch {
	case !over || a.IntendedAt.IsZero() || a.Standing:
	case a.GoneAt.IsZero():
		lines = append(lines, "The access is being removed; AWS has not shown yet that it is gone.")
	default:
		lines = append(lines, "The access is gone since "+moment(a.GoneAt)+".")
	}
	if over && !a.SessionsEndBy.IsZero() {
		lines = append(lines, "Sessions that were open then may live until "+moment(a.SessionsEndBy)+".")
	}
	return lines
}

// nextWords says who is to act next.
func nextWords(c *change.Change) string {
	switch c.Phase {
	case change.Requested:
		if a := c.OpenAsk(); a != nil && a.Quiet {
			return "the people on the call: " + mentions(c.Unconfirmed())
		}
		return approversWords(c)
	case change.Approved:
		return "breakglass, which asks AWS for the access"
	case change.Active:
		s := mention(c.Implementer) + " makes the change and then presses *Finish*"
		if c.OpenAsk() != nil {
			s += "; for more time, " + approversWords(c)
		}
		return s
	case change.Ended:
		return owersWords(c)
	case change.Closed, change.Denied, change.Withdrawn, change.Lapsed, change.Failed:
		return "nobody"
	}
	return "nobody"
}

// owersWords names whoever owes something, each once.
func owersWords(c *change.Change) string {
	var who []string
	seen := map[string]bool{}
	for _, o := range c.Owing() {
		if w := ownerWords(o); o.Part.IsZero() && w != "" && !seen[w] {
			seen[w] = true
			who = append(who, w)
		}
	}
	if len(who) == 0 {
		return "breakglass, which waits for other systems"
	}
	return strings.Join(who, ", ")
}

// approversWords names the groups who are asked, and from when.
func approversWords(c *change.Change) string {
	ask := c.OpenAsk()
	if ask == nil {
		return "the approvers"
	}
	var rules []string
	for _, rule := range c.Missing() {
		s := names(rule.From) + " (asked " + moment(ask.At) + ")"
		switch {
		case len(rule.Fallback) == 0:
		case ask.Fallback:
			s += ", " + names(rule.Fallback) + " (asked too)"
		case !ask.EscalateAt.IsZero():
			s += ", " + names(rule.Fallback) + " from " + moment(ask.EscalateAt)
		}
		rules = append(rules, s)
	}
	s := "the approvers: " + strings.Join(rules, "; and ")
	if given := approvedBy(ask); len(given) > 0 {
		s += "; " + mentions(given) + " approved already"
	}
	for _, away := range ask.Away {
		s += "; " + pausedWords(away.Person, away.Until)
	}
	return s
}

// approvedBy lists who has approved a question.
func approvedBy(a *change.Ask) []change.PersonID {
	var people []change.PersonID
	for _, d := range a.Decisions {
		if d.Approved {
			people = append(people, d.By)
		}
	}
	return people
}
