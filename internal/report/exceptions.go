package report

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Exception is something about a change that whoever checks it asks about first.
type Exception string

// The exceptions, beside those of a duty: "record late", "review overdue", ….
const (
	ExceptionSelfApproved   Exception = "self-approved"
	ExceptionReported       Exception = "reported afterwards"
	ExceptionAccessThere    Exception = "access was there before"
	ExceptionAccessLeft     Exception = "access not gone yet"
	ExceptionAccessLate     Exception = "access gone late"
	ExceptionAccessBack     Exception = "access came back"
	ExceptionSignOffUndone  Exception = "sign-off undone"
	ExceptionRecordChanged  Exception = "record changed after its sign-off"
	ExceptionUndelivered    Exception = "message undeliverable"
	ExceptionNothingChanged Exception = "nothing was changed"
)

// Exceptions lists what stands out about a change at a time.
func Exceptions(row *ledger.PopulationRow, asOf time.Time) []Exception {
	var all []Exception
	add := func(is bool, e Exception) {
		if is {
			all = append(all, e)
		}
	}
	add(row.SelfApproved, ExceptionSelfApproved)
	add(row.Reported, ExceptionReported)
	if a := row.Access; a != nil {
		over := !a.EndedAt.IsZero() && !a.Standing && !a.VerifiedAt.IsZero()
		add(a.Standing, ExceptionAccessThere)
		add(over && a.GoneAt.IsZero() && asOf.Sub(a.EndedAt) > change.LateAfter, ExceptionAccessLeft)
		add(over && !a.GoneAt.IsZero() && a.GoneAt.Sub(a.EndedAt) > change.LateAfter, ExceptionAccessLate)
	}
	add(row.AccessBack > 0, ExceptionAccessBack)
	for _, d := range dutiesOf(row) {
		switch s := Judge(d.duty, asOf); s {
		case CopyLate, Late, Overdue, Waived:
			all = append(all, Exception(d.name+" "+string(s)))
		case NotOwed, OnTime, NotDue:
		}
	}
	add(row.SignOffsUndone > 0, ExceptionSignOffUndone)
	add(row.RecordChanged, ExceptionRecordChanged)
	add(row.Undelivered > 0, ExceptionUndelivered)
	add(row.NothingChanged, ExceptionNothingChanged)
	return all
}

// namedDuty is a duty under the name that people know it by.
type namedDuty struct {
	name string
	duty ledger.PopulationDuty
}

func dutiesOf(row *ledger.PopulationRow) [3]namedDuty {
	return [3]namedDuty{{"record", row.Record}, {"sign-off", row.SignOff}, {"review", row.Review}}
}
