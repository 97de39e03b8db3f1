package report

import (
	"net/url"
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// column is one column of the table. Its value is a string, an int, a bool, a
// time.Time, a Span, a []string or nil; CSV and JSON write each in their own way.
type column struct {
	name  string
	value func(r *ledger.PopulationRow, asOf time.Time) any
}

// simple is a column whose value does not depend on the moment.
func simple(name string, value func(r *ledger.PopulationRow) any) column {
	return column{name, func(r *ledger.PopulationRow, _ time.Time) any { return value(r) }}
}

// columns are all columns of the table, in order. docs/report.md names them;
// programs read them, so a column is added at the end and never renamed.
func columns() []column {
	all := []column{
		simple("number", func(r *ledger.PopulationRow) any { return r.Number.String() }),
		simple("phase", func(r *ledger.PopulationRow) any { return string(r.Phase) }),
		simple("outcome", func(r *ledger.PopulationRow) any { return string(OutcomeOf(r)) }),
		simple("kind", func(r *ledger.PopulationRow) any { return string(r.Kind) }),
		simple("kind_name", func(r *ledger.PopulationRow) any { return r.KindName }),
		simple("reason", func(r *ledger.PopulationRow) any { return string(r.Reason) }),
		simple("reason_label", func(r *ledger.PopulationRow) any { return r.ReasonLabel }),
		simple("confidential", func(r *ledger.PopulationRow) any { return r.Confidential }),
		simple("texts_withheld", func(r *ledger.PopulationRow) any { return r.Withheld }),
		simple("reported", func(r *ledger.PopulationRow) any { return r.Reported }),
		simple("self_approved", func(r *ledger.PopulationRow) any { return r.SelfApproved }),
		simple("again", func(r *ledger.PopulationRow) any {
			if r.Again == 0 {
				return ""
			}
			return r.Again.String()
		}),
		simple("requester", func(r *ledger.PopulationRow) any { return string(r.Requester) }),
		simple("implementer", func(r *ledger.PopulationRow) any { return string(r.Implementer) }),
		simple("approvers", func(r *ledger.PopulationRow) any { return texts(r.Approvers) }),
		simple("denied_by", func(r *ledger.PopulationRow) any { return string(r.DeniedBy) }),
		simple("ended_by", func(r *ledger.PopulationRow) any { return string(r.EndedBy) }),
		simple("requested_at", func(r *ledger.PopulationRow) any { return r.RequestedAt }),
		simple("made_at", func(r *ledger.PopulationRow) any { return r.MadeAt }),
		simple("decided_at", func(r *ledger.PopulationRow) any { return r.DecidedAt }),
		simple("started_at", func(r *ledger.PopulationRow) any { return r.StartedAt }),
		simple("ended_at", func(r *ledger.PopulationRow) any { return r.EndedAt }),
	}
	all = append(all, accessColumns()...)
	for _, d := range []struct {
		name string
		of   func(r *ledger.PopulationRow) ledger.PopulationDuty
	}{
		{"record", func(r *ledger.PopulationRow) ledger.PopulationDuty { return r.Record }},
		{"sign_off", func(r *ledger.PopulationRow) ledger.PopulationDuty { return r.SignOff }},
		{"review", func(r *ledger.PopulationRow) ledger.PopulationDuty { return r.Review }},
	} {
		all = append(all, dutyColumns(d.name, d.of)...)
	}
	all = append(all, trailColumns()...)
	return append(all, mergeRequestColumns()...)
}

func accessColumns() []column {
	of := func(name string, value func(a *ledger.PopulationAccess, asOf time.Time) any) column {
		return column{name, func(r *ledger.PopulationRow, asOf time.Time) any {
			if r.Access == nil {
				return nil
			}
			return value(r.Access, asOf)
		}}
	}
	return []column{
		of("target", func(a *ledger.PopulationAccess, _ time.Time) any { return a.Target }),
		of("account", func(a *ledger.PopulationAccess, _ time.Time) any { return a.AccountID }),
		of("permission_set", func(a *ledger.PopulationAccess, _ time.Time) any { return a.PermissionSet }),
		of("asked_seconds", func(a *ledger.PopulationAccess, _ time.Time) any { return Span(a.Asked) }),
		of("approved_seconds", func(a *ledger.PopulationAccess, _ time.Time) any { return Span(a.Approved) }),
		of("used_seconds", func(a *ledger.PopulationAccess, asOf time.Time) any { return Span(a.Used(asOf)) }),
		of("access_verified_at", func(a *ledger.PopulationAccess, _ time.Time) any { return a.VerifiedAt }),
		of("access_gone_at", func(a *ledger.PopulationAccess, _ time.Time) any { return a.GoneAt }),
		of("access_there_before", func(a *ledger.PopulationAccess, _ time.Time) any { return a.Standing }),
	}
}

func dutyColumns(name string, of func(r *ledger.PopulationRow) ledger.PopulationDuty) []column {
	return []column{
		{name + "_status", func(r *ledger.PopulationRow, asOf time.Time) any { return string(Judge(of(r), asOf)) }},
		simple(name+"_due", func(r *ledger.PopulationRow) any { return of(r).Due }),
		simple(name+"_part_at", func(r *ledger.PopulationRow) any { return of(r).Part }),
		simple(name+"_at", func(r *ledger.PopulationRow) any { return of(r).Done }),
		simple(name+"_by", func(r *ledger.PopulationRow) any { return string(of(r).By) }),
		simple(name+"_way", func(r *ledger.PopulationRow) any { return of(r).Way }),
		simple(name+"_ref", func(r *ledger.PopulationRow) any { return of(r).Ref }),
	}
}

func trailColumns() []column {
	return []column{
		simple("record_in", func(r *ledger.PopulationRow) any { return string(r.RecordIn) }),
		simple("nothing_changed", func(r *ledger.PopulationRow) any { return r.NothingChanged }),
		simple("breached", func(r *ledger.PopulationRow) any { return texts(r.Breached) }),
		{"exceptions", func(r *ledger.PopulationRow, asOf time.Time) any { return texts(Exceptions(r, asOf)) }},
		simple("ticket", func(r *ledger.PopulationRow) any { return ticketOf(r).Key }),
		simple("ticket_url", func(r *ledger.PopulationRow) any { return webAddress(ticketOf(r).URL) }),
		simple("incident", func(r *ledger.PopulationRow) any { return incidentOf(r).Reference }),
		simple("incident_url", func(r *ledger.PopulationRow) any { return webAddress(incidentOf(r).URL) }),
		simple("incident_status_at_request", func(r *ledger.PopulationRow) any { return incidentOf(r).StatusAtRequest }),
		simple("incident_status", func(r *ledger.PopulationRow) any { return incidentOf(r).Status }),
		simple("actions", func(r *ledger.PopulationRow) any { return len(r.Actions) }),
		simple("actions_without_ticket", func(r *ledger.PopulationRow) any {
			n := 0
			for _, a := range r.Actions {
				if a.Ticket == nil {
					n++
				}
			}
			return n
		}),
		simple("action_tickets", func(r *ledger.PopulationRow) any {
			keys := []string{}
			for _, a := range r.Actions {
				if a.Ticket != nil {
					keys = append(keys, a.Ticket.Key)
				}
			}
			return keys
		}),
		simple("refusals", func(r *ledger.PopulationRow) any { return r.Refusals }),
		simple("reminders", func(r *ledger.PopulationRow) any { return r.Reminders }),
		simple("what", func(r *ledger.PopulationRow) any { return r.What }),
		simple("why", func(r *ledger.PopulationRow) any { return r.Why }),
		simple("reply", func(r *ledger.PopulationRow) any { return r.Reply }),
		simple("links", func(r *ledger.PopulationRow) any { return texts(r.Links) }),
		simple("waived", func(r *ledger.PopulationRow) any { return waivers(r) }),
	}
}

// waivers says what was waived, by whom and why, one line for each.
func waivers(r *ledger.PopulationRow) []string {
	lines := []string{}
	for _, w := range r.Waivers {
		line := string(w.Name)
		if w.Item > 0 {
			line += " " + strconv.Itoa(w.Item)
		}
		line += " " + w.At.UTC().Format(time.RFC3339)
		if w.By != "" {
			line += " by " + string(w.By)
		}
		if w.Reason != "" {
			line += ": " + w.Reason
		}
		lines = append(lines, line)
	}
	return lines
}

func ticketOf(r *ledger.PopulationRow) change.TicketRef {
	if r.Ticket == nil {
		return change.TicketRef{}
	}
	return *r.Ticket
}

func incidentOf(r *ledger.PopulationRow) ledger.PopulationIncident {
	if r.Incident == nil {
		return ledger.PopulationIncident{}
	}
	return *r.Incident
}

// texts gives a list of any kind of text as strings.
func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return out
}

// webAddress lets only addresses of the web through: nothing else becomes a
// link.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return s
}
