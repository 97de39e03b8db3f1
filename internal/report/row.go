package report

import (
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// whatRunes is how much of what people typed a row shows; CSV and JSON have all.
const whatRunes = 140

// rowView is one change as the page's table shows it.
type rowView struct {
	Number     string
	Outcome    string
	Class      string
	Kind       string
	Reason     string
	What       string
	Again      string
	People     []pair
	Times      []pair
	Place      string
	Access     []pair
	Duties     []dutyView
	Links      []link
	Exceptions []string
	Refusals   int
	NoneAsked  bool // for access
}

type pair struct{ Label, Value string }

type dutyView struct {
	Name, Status, Class string
	When                string
	By                  change.PersonID
	Way                 string
}

type link struct{ Label, URL, Note string }

func viewOf(r *ledger.PopulationRow, asOf time.Time) rowView {
	outcome := OutcomeOf(r)
	v := rowView{
		Number: r.Number.String(), Outcome: string(outcome), Class: outcomeClass(outcome),
		Kind: r.KindName, Reason: r.ReasonLabel, What: short(r.What, whatRunes),
		People: people(r), Times: times(r), Links: links(r),
		Exceptions: texts(Exceptions(r, asOf)), Refusals: r.Refusals, NoneAsked: r.Access == nil,
	}
	if r.Withheld {
		v.What = "Confidential: only its own people see what it was."
	}
	if r.Again != 0 {
		v.Again = r.Again.String()
	}
	if a := r.Access; a != nil {
		v.Place = a.TargetName
		if a.PermissionSetName != "" {
			v.Place += ", " + a.PermissionSetName
		}
		v.Access = lengths(a, asOf)
	}
	for _, d := range dutiesOf(r) {
		status := Judge(d.duty, asOf)
		if status == NotOwed {
			continue
		}
		view := dutyView{Name: d.name, Status: string(status), Class: statusClass(status), By: d.duty.By}
		if d.name == "sign-off" {
			view.Way = wayOf(d.duty.Way)
		}
		switch {
		case !d.duty.Done.IsZero():
			view.When = minute(d.duty.Done)
		case !d.duty.Due.IsZero():
			view.When = "due " + minute(d.duty.Due)
		}
		v.Duties = append(v.Duties, view)
	}
	return v
}

func outcomeClass(o Outcome) string {
	switch o {
	case Made:
		return "s-made"
	case Reported:
		return "s-reported"
	case UnderWay:
		return "s-open"
	case Denied, Withdrawn, Lapsed, Failed:
	}
	return "s-not"
}

func people(r *ledger.PopulationRow) []pair {
	all := []pair{{"asked", string(r.Requester)}}
	if r.Implementer != r.Requester {
		all = append(all, pair{"made", string(r.Implementer)})
	}
	for _, p := range r.Approvers {
		all = append(all, pair{"approved", string(p)})
	}
	if r.DeniedBy != "" {
		all = append(all, pair{"denied", string(r.DeniedBy)})
	}
	if r.EndedBy != "" && r.EndedBy != r.Requester && r.EndedBy != r.Implementer {
		all = append(all, pair{"ended", string(r.EndedBy)})
	}
	return all
}

func times(r *ledger.PopulationRow) []pair {
	var all []pair
	add := func(label string, at time.Time) {
		if !at.IsZero() {
			all = append(all, pair{label, minute(at)})
		}
	}
	if r.Reported {
		add("made", r.MadeAt)
		add("reported", r.RequestedAt)
		return all
	}
	add("asked", r.RequestedAt)
	decided := "decided"
	for _, a := range r.Asks {
		if a.For == change.ForChange && a.Result != change.AskOpen {
			decided = string(a.Result)
		}
	}
	if !r.DecidedAt.IsZero() {
		add(decided, r.DecidedAt)
		all = append(all, pair{"after", Span(r.DecidedAt.Sub(r.RequestedAt)).String()})
	}
	add("began", r.StartedAt)
	add("ended", r.EndedAt)
	return all
}

func lengths(a *ledger.PopulationAccess, asOf time.Time) []pair {
	if a.Asked == 0 {
		return nil
	}
	all := []pair{{"asked", Span(a.Asked).String()}}
	if a.Approved > 0 {
		all = append(all, pair{"approved", Span(a.Approved).String()})
	}
	switch {
	case a.Standing:
		all = append(all, pair{"used", "was there before"})
	case a.VerifiedAt.IsZero():
		all = append(all, pair{"used", "never given"})
	case a.GoneAt.IsZero():
		all = append(all, pair{"used", Span(a.Used(asOf)).String() + " so far"})
	default:
		all = append(all, pair{"used", Span(a.Used(asOf)).String()})
	}
	return all
}

func links(r *ledger.PopulationRow) []link {
	var all []link
	if t := r.Ticket; t != nil {
		all = append(all, link{t.Key, webAddress(t.URL), ""})
	}
	if i := r.Incident; i != nil {
		note := "then unknown"
		if i.StatusAtRequest != "" {
			note = "then " + i.StatusAtRequest
		}
		all = append(all, link{i.Reference, webAddress(i.URL), note})
	}
	for _, a := range r.Actions {
		if a.Ticket == nil {
			all = append(all, link{"action without a ticket", "", ""})
			continue
		}
		all = append(all, link{a.Ticket.Key, webAddress(a.Ticket.URL), "action"})
	}
	for i, address := range r.Links {
		all = append(all, link{fmt.Sprintf("link %d", i+1), webAddress(address), ""})
	}
	return all
}

func wayOf(way string) string {
	switch way {
	case string(change.SignOffByJiraComment):
		return "comment in Jira"
	case string(change.SignOffInSlack):
		return "in Slack"
	}
	return way
}

// minute writes a time as tables have it, in UTC.
func minute(at time.Time) string { return at.UTC().Format("2006-01-02 15:04") }
