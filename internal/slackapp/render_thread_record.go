package slackapp

import (
	"fmt"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// linkedLine tells what was added to the change.
func linkedLine(c *change.Change, e change.Event) string {
	switch e.Type { //nolint:exhaustive // other families tell the others
	case change.EventCoordinated:
		return coordinatedLine(c)
	case change.EventNoted:
		return by(e) + " added a note."
	case change.EventLinked:
		url := e.Texts["url"]
		if url == "" {
			return by(e) + " linked an address."
		}
		return by(e) + " linked " + reference(url, url) + "."
	case change.EventIncidentLinked:
		if c.Incident == nil {
			return by(e) + " linked an incident."
		}
		if e.Fact("opened") == "true" {
			return "Incident " + incidentWords(c.Incident) + " was opened."
		}
		return by(e) + " linked incident " + incidentWords(c.Incident) + "."
	case change.EventIncidentRefused:
		if i := c.Incident; i != nil && i.Opening != nil && i.Now.ID == "" {
			return said(e) + " The record is kept in " + recordSystem(c.Record.In) + "."
		}
		return "The incident takes no notes: " + said(e) + " The record is kept in " + oneLine(e.Fact("record_in"), 40) + "."
	case change.EventTicketLinked:
		return ticketLine(c, e)
	case change.EventTicketRefused:
		return "Ticket " + oneLine(e.Fact("ticket"), 60) + " was not taken: " + said(e) + ticketKept(e)
	}
	return ""
}

// ticketKept says which ticket stays linked where another was not taken.
func ticketKept(e change.Event) string {
	if kept := e.Fact("kept"); kept != "" {
		return " " + oneLine(kept, 60) + " stays linked."
	}
	return ""
}

func ticketLine(c *change.Change, e change.Event) string {
	ticket := oneLine(e.Fact("ticket"), 60)
	if c.Ticket != nil && c.Ticket.Key == e.Fact("ticket") {
		ticket = reference(c.Ticket.URL, c.Ticket.Key)
	}
	switch {
	case e.Fact("ours") == "true":
		return "Ticket " + ticket + " was opened."
	case e.Fact("checked") == "true":
		return "Ticket " + ticket + " was found in Jira."
	}
	return by(e) + " linked ticket " + ticket + "."
}

// recordLine tells how the record, its sign-off and the review came about.
func recordLine(_ *change.Change, e change.Event) string {
	switch e.Type { //nolint:exhaustive // other families tell the others
	case change.EventRecordWritten:
		s := by(e) + " wrote the record"
		if n := e.Fact("revision"); n != "" && n != "1" {
			s += ", revision " + escaped(n)
		}
		if e.Fact("after_sign_off") == "true" {
			s += ", after it was signed off by " + person(change.PersonID(e.Fact("signed_by")))
		}
		if e.Fact("nothing_changed") == "true" {
			s += ": nothing was changed"
		}
		return s + "."
	case change.EventSignedOff:
		return signedLine(e)
	case change.EventSignOffUndone:
		return "The sign-off by " + person(change.PersonID(e.Fact("by"))) + " counts no more: " + oneLine(e.Fact("why"), 200) + "."
	case change.EventReviewSubmitted:
		switch n := e.Fact("actions"); n {
		case "", "0":
			return by(e) + " submitted the post-incident review, without preventive actions."
		case "1":
			return by(e) + " submitted the post-incident review, with one preventive action."
		default:
			return by(e) + " submitted the post-incident review, with " + escaped(n) + " preventive actions."
		}
	case change.EventActionRecorded:
		return "Preventive action " + escaped(e.Fact("item")) + " is now " + followUpWords(e.Fact("ticket")) + "."
	}
	return ""
}

func signedLine(e change.Event) string {
	who := person(change.PersonID(e.Fact("by")))
	switch {
	case e.Fact("edited") == "true":
		return who + " edited the comment that signed it off; it still counts."
	case e.Fact("way") == string(change.SignOffByJiraComment):
		return who + " signed it off with a comment on the ticket."
	}
	return who + " signed it off."
}

// owedLine tells what happened to what is owed, and to its messages.
func owedLine(_ *change.Change, e change.Event) string {
	switch e.Type { //nolint:exhaustive // other families tell the others
	case change.EventReminded:
		return "Reminded of the " + owedName(e) + ", owed by " + stamped(e, "due") + "."
	case change.EventBreached:
		if e.Fact("delivery") == "true" {
			return fmt.Sprintf("The %s was written in time, but could not be delivered by %s. It is still being tried.", owedName(e), stamped(e, "due"))
		}
		return fmt.Sprintf("Overdue: the %s was owed by %s.", owedName(e), stamped(e, "due"))
	case change.EventWaived:
		return waivedLine(e)
	case change.EventOwnerChanged:
		return person(change.PersonID(e.Fact("from"))) + " has left; the " + owedName(e) + " passes on to those who stand for the CTO."
	case change.EventUndelivered:
		return "A message could not be delivered: " + said(e)
	}
	return ""
}

// owedName names the obligation that an event is about.
func owedName(e change.Event) string {
	o := change.Obligation{Name: change.ObligationName(e.Fact("obligation"))}
	if _, err := fmt.Sscan(e.Fact("item"), &o.Item); err != nil {
		o.Item = 0
	}
	return escaped(obligationWords(o))
}

// followUpWords names what a preventive action has become: a ticket has a key, a
// follow-up of an incident has none.
func followUpWords(ticket string) string {
	if ticket == "follow-up" {
		return "a follow-up of the incident"
	}
	return oneLine(ticket, 60)
}
