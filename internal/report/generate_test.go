package report_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
)

// The period of most tests, and the moment of the report.
func since() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
func until() time.Time { return time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC) }

func options() report.Options {
	return report.Options{Since: since(), Until: until(), AsOf: until()}
}

// source gives rows as a ledger would.
func source(rows []ledger.PopulationRow) report.Source {
	return func(yield func(ledger.PopulationRow) error) error {
		for _, row := range rows {
			if err := yield(row); err != nil {
				return err
			}
		}
		return nil
	}
}

func figuresOf(opts report.Options, rows []ledger.PopulationRow) report.Figures {
	t := report.NewTally(opts)
	for _, row := range rows {
		t.Add(row)
	}
	return t.Figures()
}

// generator makes changes of every sort, always the same ones.
type generator struct {
	*rand.Rand
	from, until time.Time
}

func generated(n int, from, until time.Time) []ledger.PopulationRow {
	g := generator{rand.New(rand.NewPCG(1, 2)), from, until}
	rows := make([]ledger.PopulationRow, n)
	for i := range rows {
		rows[i] = g.row(i+1, from.Add(until.Sub(from)/time.Duration(n)*time.Duration(i)))
	}
	return rows
}

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g generator) person() change.PersonID {
	return change.PersonID(fmt.Sprintf("U0%05d", 10000+g.IntN(14)))
}

// upTo is skewed to the short, as waits are.
func (g generator) upTo(d time.Duration) time.Duration {
	x := g.Float64()
	return time.Duration(x*x*x*float64(d)) + time.Minute
}

func (g generator) row(n int, at time.Time) ledger.PopulationRow {
	kinds := []string{"Configuration change", "Hot patch", "Infrastructure that is not automated", "Security release"}
	reasons := []string{"GitHub is down", "The platform cannot recover by itself", "A vulnerability must be closed now", "The infrastructure is deliberately not automated", "The pipeline is stuck"}
	kind, reason := min(g.IntN(4), g.IntN(4)), min(g.IntN(5), g.IntN(5))
	row := ledger.PopulationRow{
		Number: change.Number(n), Kind: change.KindID(fmt.Sprint("kind", kind)), KindName: kinds[kind],
		Reason: change.ReasonID(fmt.Sprint("reason", reason)), ReasonLabel: reasons[reason],
		Requester: g.person(), RequestedAt: at, RecordIn: change.RecordInJira,
		What: "Raise the connection limit of the primary database and restart its poolers <one by one>.", Why: "Checkout fails.",
	}
	row.Implementer = row.Requester
	if kind == 3 {
		row.Confidential, row.Withheld, row.What, row.Why = true, true, "", ""
	}
	approver := change.PersonID(g.pick("U0CTO", "U0CTO", "U0CTO", "U0DEPUTY"))
	ask := ledger.PopulationAsk{For: change.ForChange, By: row.Requester, At: at, Settled: at.Add(g.upTo(9 * time.Hour))}
	answer := func(yes bool) {
		ask.Answers = []ledger.PopulationAnswer{{By: approver, At: ask.Settled, Approved: yes}}
	}
	switch dice := g.IntN(100); {
	case dice < 5:
		ask.Result, row.Phase, row.DeniedBy = change.AskDenied, change.Denied, approver
		answer(false)
	case dice < 9:
		ask.Result, row.Phase, ask.Settled = change.AskLapsed, change.Lapsed, at.Add(12*time.Hour)
	case dice < 12:
		ask.Result, row.Phase = change.AskWithdrawn, change.Withdrawn
	case dice < 14 && g.until.Sub(at) < 24*time.Hour:
		row.Phase, ask.Settled = change.Requested, time.Time{}
	case dice < 20:
		row.Reported, row.MadeAt, row.Phase = true, at.Add(-g.upTo(48*time.Hour)), change.Ended
		row.StartedAt, row.EndedAt = row.MadeAt, row.MadeAt
		g.owe(&row, approver)
		return row
	default:
		ask.Result, row.Phase, row.Approvers = change.AskApproved, change.Closed, []change.PersonID{approver}
		answer(true)
		g.made(&row, ask.Settled)
		g.owe(&row, approver)
	}
	row.DecidedAt, row.Asks = ask.Settled, []ledger.PopulationAsk{ask}
	return row
}

func (g generator) made(row *ledger.PopulationRow, approved time.Time) {
	lengths := []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}
	asked := lengths[g.IntN(4)]
	row.StartedAt = approved.Add(20 * time.Second)
	row.EndedAt = row.StartedAt.Add(min(g.upTo(asked*2), asked))
	target := g.pick("Production", "Payments", "Data platform")
	row.Access = &ledger.PopulationAccess{
		Target: target, TargetName: target, PermissionSet: "admin", PermissionSetName: g.pick("Administrator", "Database operator"),
		AccountID: "111122223333", Asked: asked, Approved: asked,
		VerifiedAt: row.StartedAt, EndedAt: row.EndedAt, GoneAt: row.EndedAt.Add(g.upTo(20 * time.Minute)),
	}
	if g.IntN(30) == 0 {
		row.Incident = &ledger.PopulationIncident{Reference: "INC-7", URL: "https://app.incident.io/incidents/7", StatusAtRequest: "Investigating", Status: "Closed"}
	}
}

func (g generator) owe(row *ledger.PopulationRow, signer change.PersonID) {
	end := row.EndedAt
	duty := func(from time.Time, within, mostly time.Duration, by change.PersonID, way string) ledger.PopulationDuty {
		d := ledger.PopulationDuty{State: change.Owed, Owner: by, From: from, Due: from.Add(within)}
		done := from.Add(g.upTo(mostly))
		if done.Before(g.until) && g.IntN(20) > 0 {
			d.State, d.Part, d.Done, d.By, d.Way = change.Done, done, done, by, way
			if g.IntN(15) == 0 {
				d.Done = d.Due.Add(time.Minute)
			}
		}
		return d
	}
	row.Record = duty(row.StartedAt, 24*time.Hour, 30*time.Hour, row.Requester, "jira")
	row.SignOff = duty(row.Record.Due, 72*time.Hour, 90*time.Hour, signer, "jira_comment")
	row.Review = duty(end, 5*24*time.Hour, 6*24*time.Hour, row.Requester, "jira")
	row.Ticket = &change.TicketRef{ID: fmt.Sprint(row.Number), Key: fmt.Sprintf("OPS-%d", row.Number), URL: fmt.Sprintf("https://jira.example.com/browse/OPS-%d", row.Number)}
	if row.Review.State == change.Done && g.IntN(6) == 0 {
		row.Actions = []ledger.PopulationAction{{Owner: g.person(), Due: row.Review.Done.Add(20 * 24 * time.Hour), Agreed: row.Review.Done}}
		if g.IntN(3) > 0 {
			row.Actions[0].Ticket = &change.TicketRef{Key: fmt.Sprintf("ACT-%d", row.Number), URL: fmt.Sprintf("https://jira.example.com/browse/ACT-%d", row.Number)}
		}
	}
	if row.Record.State == change.Owed || row.SignOff.State == change.Owed || row.Review.State == change.Owed {
		row.Phase = change.Ended
	}
}
