package slackapp

import (
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// incidentLinkLine shows a change's incident, and what is in the way of it.
func incidentLinkLine(i *change.IncidentLink) string {
	switch {
	case i.BeingOpened():
		return "*Incident:* " + incidentWords(i)
	case i.Refused != "" && i.Now.ID == "":
		return "*Incident:* “" + oneLine(i.Now.Name, 100) + "” – " + oneLine(i.Refused, 200)
	case i.Refused != "":
		return "*Incident:* " + incidentWords(i) + " – it takes no notes: " + oneLine(i.Refused, 200)
	}
	return "*Incident:* " + incidentWords(i)
}

// openingWords names an incident that is still being opened.
func openingWords(i *change.IncidentLink) string {
	s := "“" + oneLine(i.Opening.Name, 100) + "” (being opened"
	if i.Opening.Severity != "" {
		s += ", " + oneLine(i.Opening.Severity, 60)
	}
	return s + ")"
}

// incidentChecks say what approvers must know of the incident: that nobody knows
// its state, or that it is none that the kind of change demands.
func incidentChecks(c *change.Change) []string {
	i := c.Incident
	if i == nil || i.BeingOpened() || i.Refused != "" {
		return nil
	}
	required := c.Plan.Incident == change.NeedRequired && c.Report == nil
	switch seen := (i.AtRequest != nil && !i.AtRequest.SeenAt.IsZero()) || !i.Now.SeenAt.IsZero(); {
	case !seen:
		return []string{"*Incident not checked:* incident.io did not answer, so it is not known whether the incident is active. It is looked at as soon as possible, and again at the approval."}
	case required && i.Now.Category != change.IncidentLive:
		return []string{"*The incident is no longer active*, and this kind of change needs one that is."}
	case required && i.Now.Mitigated:
		return []string{"*The incident is mitigated already*, and this kind of change needs one that is not."}
	}
	return nil
}

// uncheckedApproval tells that a change was approved without incident.io having
// said what the incident was at that moment.
func uncheckedApproval(c *change.Change) []string {
	if c.Incident == nil || c.Plan.Incident != change.NeedRequired || c.Approved().IsZero() || c.Incident.AtApproval != nil || c.Incident.Refused != "" {
		return nil
	}
	return []string{"*Incident not checked at the approval:* incident.io did not answer. It is looked at as soon as possible."}
}

// doubtWords says what an incident was that was looked at too late. A private
// one is not named.
func doubtWords(c *change.Change, e change.Event) string {
	name := "The incident"
	if i := c.Incident; i != nil && i.Now.ID == e.Fact("incident") && !i.Now.Private && i.Now.Reference != "" {
		name = "Incident " + oneLine(i.Now.Reference, 60)
	}
	was := "not active"
	if e.Fact("mitigated") == "true" {
		was = "mitigated already"
	}
	s := name + " was " + was
	if status := e.Fact("status"); status != "" {
		s += " (" + oneLine(status, 60) + ")"
	}
	return s + " when it could at last be looked at for the " + escaped(e.Fact("at")) + "; this kind of change needs one that is active and not mitigated."
}

// incidentDoubtedMessage tells the change's people and its approver that the
// incident is none that the kind of change demands.
func incidentDoubtedMessage(c *change.Change, e change.Event, d change.Delivery) *message {
	m := heading(c, "the incident does not fit")
	line := doubtWords(c, e)
	m.say(line)
	key := buttonKey{Number: c.Number}
	show := button(actionShow, "Show", key)
	switch {
	case c.Phase == change.Requested:
		m.say("As it is, nobody can approve the change. Link another incident, or withdraw the change.")
		m.about(c)
		m.buttons(button(actionLinkRecord, "Link record", key), show)
	case (c.Phase == change.Approved || c.Phase == change.Active) && !c.Own(d.To):
		m.say("The change was approved before that was known. It goes on unless somebody ends it.")
		m.about(c)
		m.buttons(endNow(c), show)
	default:
		m.say("The change was approved before that was known. The audit channel is told.")
		m.about(c)
		m.buttons(show)
	}
	m.notify(c, line)
	return m
}

// notOpenedMessage tells the requester that there will be no incident.
func notOpenedMessage(c *change.Change, e change.Event) *message {
	m := heading(c, "the incident was not opened")
	line := said(e)
	m.say(line, "The record is kept in "+recordSystem(c.Record.In)+". An incident can still be linked.")
	if c.Phase == change.Requested && c.Plan.Incident == change.NeedRequired {
		m.say("This kind of change needs an active incident: until one is linked, nobody can approve it.")
	}
	m.about(c)
	m.buttons(button(actionLinkRecord, "Link record", buttonKey{Number: c.Number}))
	m.notify(c, line)
	return m
}

// overdueLines tell approvers which records the requester owes, overdue.
func overdueLines(c *change.Change, a *change.Ask) []string {
	if len(a.Overdue) == 0 || !a.Open() {
		return nil
	}
	line := "*Overdue:* " + overdueWords(c, a)
	if c.Plan.BlockWhenOverdue {
		line += " *Approve* asks for a reason."
	}
	return []string{line}
}

func overdueWords(c *change.Change, a *change.Ask) string {
	return mention(c.Requester) + " has not written the record of " + numbersOf(a.Overdue) + ", which is overdue."
}

func numbersOf(all []change.Number) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = n.String()
	}
	return strings.Join(words, ", ")
}

// inSpiteLines tell who approved although records were overdue, and why.
func inSpiteLines(c *change.Change) []string {
	var lines []string
	for _, a := range c.Asks {
		for _, d := range a.Decisions {
			if d.Approved && len(d.Overdue) > 0 {
				lines = append(lines, "*Approved although the record of "+numbersOf(d.Overdue)+" was overdue:* "+mention(d.By)+": "+oneLine(d.Reason, 300))
			}
		}
	}
	return lines
}
