package report

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Status says how a change stands with something that it owes.
type Status string

// The statuses. NotOwed is that of a change that owes no such thing.
const (
	NotOwed  Status = ""
	OnTime   Status = "on time"
	CopyLate Status = "copy late" // the owner did theirs in time; its copy in Jira or incident.io did not come by then
	Late     Status = "late"      // done, after it was due
	Overdue  Status = "overdue"   // not done, and due
	NotDue   Status = "not due yet"
	Waived   Status = "waived"
)

// Statuses lists those that count, from the best to the worst, and then those
// that are neither.
func Statuses() []Status { return []Status{OnTime, CopyLate, Late, Overdue, NotDue, Waived} }

// Judge says how a duty stands at a time.
func Judge(d ledger.PopulationDuty, asOf time.Time) Status {
	inTime := func(at time.Time) bool { return !at.IsZero() && (d.Due.IsZero() || at.Before(d.Due)) }
	switch d.State {
	case change.Done:
		switch {
		case inTime(d.Done):
			return OnTime
		case inTime(d.Part):
			return CopyLate
		}
		return Late
	case change.Waived:
		return Waived
	case change.Owed:
		switch {
		case d.Due.IsZero() || asOf.Before(d.Due):
			return NotDue
		case inTime(d.Part):
			return CopyLate
		}
		return Overdue
	}
	return NotOwed
}

// Outcome says what became of a change.
type Outcome string

// The outcomes.
const (
	Made      Outcome = "made"
	Reported  Outcome = "reported afterwards"
	UnderWay  Outcome = "under way"
	Denied    Outcome = "denied"
	Withdrawn Outcome = "withdrawn"
	Lapsed    Outcome = "lapsed"
	Failed    Outcome = "failed"
)

// Outcomes lists the outcomes, those first in which something was changed.
func Outcomes() []Outcome {
	return []Outcome{Made, Reported, UnderWay, Denied, Withdrawn, Lapsed, Failed}
}

// OutcomeOf says what became of a change.
func OutcomeOf(row *ledger.PopulationRow) Outcome {
	if row.Reported {
		return Reported
	}
	switch row.Phase {
	case change.Requested, change.Approved, change.Active:
		return UnderWay
	case change.Ended, change.Closed:
		return Made
	case change.Denied:
		return Denied
	case change.Withdrawn:
		return Withdrawn
	case change.Lapsed:
		return Lapsed
	case change.Failed:
		return Failed
	}
	return UnderWay
}
