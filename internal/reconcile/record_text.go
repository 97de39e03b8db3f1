package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// entry is something to be written into a record. All of it is plain text.
type entry struct {
	title    string // one line
	at       time.Time
	sections []change.TicketSection
	stub     string // what may be read where the change is confidential
}

// stub is all that others learn of a confidential change.
func stub(c *change.Change) string { return c.Number.String() + ", a confidential change" }

// forJira is an entry as a comment. Of a confidential change, and so of a private
// incident, nothing reaches Jira but the number, unless its ticket is under the
// configured security level.
func forJira(c *change.Change, e entry) []change.TicketSection {
	if !c.InTicket() {
		return []change.TicketSection{{Text: e.stub}}
	}
	return append([]change.TicketSection{{Heading: e.title}}, e.sections...)
}

// markdown is sections as incident.io shows them. People's words are escaped.
func (d *Deliverer) markdown(sections []change.TicketSection) string {
	var parts []string
	for _, s := range sections {
		var lines []string
		if s.Heading != "" {
			lines = append(lines, "**"+d.Project.EscapeMarkdown(s.Heading)+"**")
		}
		if s.Text != "" {
			lines = append(lines, d.Project.EscapeMarkdown(s.Text))
		}
		if s.URL != "" {
			lines = append(lines, s.URL)
		}
		parts = append(parts, strings.Join(lines, "\n\n"))
	}
	return strings.Join(parts, "\n\n")
}

// paper collects sections, and leaves empty ones out.
type paper []change.TicketSection

func (p *paper) add(heading, text string) {
	if strings.TrimSpace(text) != "" {
		*p = append(*p, change.TicketSection{Heading: heading, Text: text})
	}
}

// name is what people call somebody; their id when nobody can say.
func (d *Deliverer) name(ctx context.Context, id change.PersonID) string {
	if id == "" {
		return "breakglass"
	}
	person, err := d.Directory.Person(ctx, id)
	if err != nil || strings.TrimSpace(person.Name) == "" {
		return string(id)
	}
	return person.Name
}

func (d *Deliverer) names(ctx context.Context, ids []change.PersonID) string {
	var all []string
	for _, id := range ids {
		all = append(all, d.name(ctx, id))
	}
	return strings.Join(all, ", ")
}

// when writes a time for the record, which people of all time zones read.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// where says what access a change asks for.
func where(c *change.Change) string {
	a := c.Access
	if a == nil {
		return ""
	}
	s := fmt.Sprintf("%s (AWS account %s)", a.TargetName, a.Key.AccountID)
	if a.PermissionSetName != "" {
		s += ", " + a.PermissionSetName
	}
	return s
}

// approvers lists who approved what ask asked for, first to last.
func approvers(a change.Ask) []change.PersonID {
	var people []change.PersonID
	for _, dec := range a.Decisions {
		if dec.Approved {
			people = append(people, dec.By)
		}
	}
	return people
}

// approved says who approved the change and when.
func (d *Deliverer) approved(ctx context.Context, c *change.Change) string {
	for _, a := range c.Asks {
		if a.For == change.ForChange && a.Result == change.AskApproved {
			return d.approval(ctx, c, a) + ", " + when(a.Settled)
		}
	}
	return ""
}

// plan is what was asked for.
func (d *Deliverer) plan(ctx context.Context, c *change.Change) paper {
	var p paper
	p.add("What is changed", c.What)
	p.add("Why it is needed now", c.Why)
	p.add("Why the release process cannot be used", c.ReasonLabel)
	p.add("Kind of change", c.KindName)
	p.add("Asked for by", d.name(ctx, c.Requester)+", "+when(c.RequestedAt))
	if c.Implementer != c.Requester {
		p.add("Made by", d.name(ctx, c.Implementer))
	}
	p.add("Where", where(c))
	if c.Access != nil && c.Access.Asked > 0 {
		p.add("For how long", change.ShortDuration(c.Access.Asked))
	}
	if c.Report != nil {
		p.add("Made at", when(c.Report.MadeAt)+", before breakglass heard of it")
		if c.Report.GivenBy != "" {
			p.add("Access given by", d.name(ctx, c.Report.GivenBy))
		}
	}
	for _, a := range c.Answers {
		p.add(a.Label, a.Text)
	}
	if len(c.Witnesses) > 0 {
		p.add("On the call", d.names(ctx, c.Witnesses))
	}
	p.add("Coordinated by", d.names(ctx, c.Coordinators))
	p.mergeRequests(c)
	p.add("Links", strings.Join(c.Links, "\n"))
	p.add("What GitHub's status page said", statusWords(c.Status))
	return p
}

// stateWords say in which state a change was when its ticket was opened.
var stateWords = map[change.Phase]string{
	change.Requested: "Requested; it waits for an approval.",
	change.Approved:  "Approved; the access is on its way.",
	change.Active:    "Active; the change is being made.",
	change.Ended:     "Ended; what was done is still to be recorded, signed off and reviewed.",
	change.Closed:    "Closed.",
	change.Denied:    "Denied; nothing was changed.",
	change.Withdrawn: "Withdrawn; nothing was changed.",
	change.Lapsed:    "Lapsed without an answer; nothing was changed.",
	change.Failed:    "Failed; the access was never there.",
}

// ticketDraft is the change's ticket. A confidential change's says its number and
// no more, unless it is made under a security level.
func (d *Deliverer) ticketDraft(ctx context.Context, c *change.Change, label, level string) change.TicketDraft {
	draft := change.TicketDraft{Project: d.Project.Key, IssueType: d.Project.IssueType, Labels: []string{label, "breakglass"}}
	if c.Confidential && level == "" {
		draft.Summary = stub(c)
		text := stub(c) + "."
		if c.Record.In == change.RecordInIncident {
			text += " It is recorded in a private incident."
		}
		draft.Description = []change.TicketSection{{Text: text}}
		return draft
	}
	if c.Confidential {
		draft.Security = level
	}
	draft.Summary = c.Number.String() + ": " + c.What
	p := d.plan(ctx, c)
	if i := c.Incident; i != nil && !i.Now.Private {
		p.add("Incident", incidentLine(i))
	}
	p.add("Approved by", d.approved(ctx, c))
	if c.Record.Moved != "" {
		p.add("Why it is recorded here", c.Record.Moved)
	}
	p.add("State when this ticket was opened", stateWords[c.Phase])
	draft.Description = p
	return draft
}

// recordEntry is what was done and why, with who approved it and what access
// there was.
func (d *Deliverer) recordEntry(ctx context.Context, c *change.Change) entry {
	r := c.Record
	var p paper
	if r.NothingChanged {
		p.add("What was done", "Nothing was changed.")
	}
	p.add("What was done", r.Done)
	p.add("Why", r.Why)
	p.add("Written by", d.name(ctx, r.By)+", "+when(r.At))
	p.add("Made by", d.name(ctx, c.Implementer))
	p.add("Approved by", d.approved(ctx, c))
	p.add("Approved although a record was overdue", d.inSpite(ctx, c))
	for _, a := range c.Answers {
		p.add(a.Label, a.Text)
	}
	p.add("Access", where(c))
	p.add("Window", window(c))
	d.mergeRequestEvidence(&p, c, func(who change.PersonID) string { return d.name(ctx, who) })
	p.add("What GitHub's status page said", statusWords(c.Status))
	if r.Moved != "" {
		p.add("Why it is recorded here", r.Moved)
	}
	title := c.Number.String() + ": what was done"
	if r.Revision > 1 {
		title += fmt.Sprintf(" (revision %d)", r.Revision)
	}
	s := stub(c) + ": what was done has been written down."
	if r.In == change.RecordInJira && c.Incident != nil && c.Incident.Now.Private {
		s += " It belongs to a private incident, so it is kept in breakglass alone."
	}
	return entry{title: title, at: r.At, sections: p, stub: s}
}

// window says from when to when the change was made.
func window(c *change.Change) string {
	w := c.Window
	switch {
	case w.Start.IsZero():
		return ""
	case !w.Ended.IsZero():
		return when(w.Start) + " to " + when(w.Ended)
	case !w.Until.IsZero():
		return "from " + when(w.Start) + ", until " + when(w.Until) + " at most"
	}
	return "from " + when(w.Start)
}

// noteEntry is a person's note.
func (d *Deliverer) noteEntry(ctx context.Context, c *change.Change, e change.Event) entry {
	var p paper
	p.add("", e.Texts["text"])
	return entry{title: c.Number.String() + ": a note by " + d.name(ctx, e.Actor), at: e.At, sections: p, stub: stub(c) + ": a note was added to its record."}
}

// signOffEntry says for whom breakglass writes that they signed off.
func (d *Deliverer) signOffEntry(ctx context.Context, c *change.Change, e change.Event) entry {
	var p paper
	who := d.name(ctx, change.PersonID(e.Fact("by")))
	p.add("", who+" signed this change off in Slack, "+when(e.At)+". breakglass wrote this for them.")
	return entry{title: c.Number.String() + ": signed off by " + who, at: e.At, sections: p, stub: stub(c) + ": it was signed off in Slack. breakglass wrote this for the signer."}
}

// reviewEntry is the post-incident review.
func (d *Deliverer) reviewEntry(ctx context.Context, c *change.Change) entry {
	r := c.Review
	var p paper
	p.add("What happened", r.Text.What)
	p.add("Why could the standard process not be used", r.Text.Standard)
	p.add("What would prevent the same situation", r.Text.Prevent)
	p.add("Root-cause analysis", r.Text.RootCause)
	for i, a := range r.Text.Actions {
		p.add(fmt.Sprintf("Preventive action %d", i+1), a.What+"\n"+d.name(ctx, a.Owner)+", by "+a.Due.UTC().Format(time.DateOnly))
	}
	p.add("Why is no action needed", r.Text.NoAction)
	p.add("Written by", d.name(ctx, r.By)+", "+when(r.Submitted))
	return entry{title: c.Number.String() + ": post-incident review", at: r.Submitted, sections: p, stub: stub(c) + ": its post-incident review has been written."}
}

// actionDraft is the ticket of preventive action i, from 1.
func (d *Deliverer) actionDraft(ctx context.Context, c *change.Change, row *ledger.Delivery, level string) change.TicketDraft {
	a := c.Review.Text.Actions[row.Ref.Item-1]
	draft := change.TicketDraft{
		Project: d.Project.Key, IssueType: d.Project.PreventionType, Labels: []string{labelOf(c, row, ""), "breakglass"},
		Assignee: d.Workflow.Rules.People[a.Owner].Jira, Due: a.Due,
	}
	if c.Confidential && level == "" {
		draft.Summary = fmt.Sprintf("%s: preventive action %d", stub(c), row.Ref.Item)
		draft.Description = []change.TicketSection{{Text: draft.Summary + ". Its owner finds it in Slack."}}
		return draft
	}
	if c.Confidential {
		draft.Security = level
	}
	draft.Summary = a.What
	p := d.actionText(ctx, c, a)
	if c.Ticket != nil && c.Ticket.URL != "" {
		p = append(p, change.TicketSection{Heading: "Record", URL: c.Ticket.URL})
	}
	draft.Description = p
	return draft
}

func (d *Deliverer) actionText(ctx context.Context, c *change.Change, a change.Action) paper {
	var p paper
	p.add("What", a.What)
	p.add("Owner", d.name(ctx, a.Owner))
	p.add("By", a.Due.UTC().Format(time.DateOnly))
	p.add("From", "the post-incident review of "+c.Number.String()+", "+c.KindName)
	return p
}
