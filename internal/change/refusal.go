package change

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// RefusalCode classifies a refusal.
type RefusalCode string

// The codes of refusals.
const (
	NotAllowed    RefusalCode = "not_allowed"    // this person may not do this
	OwnChange     RefusalCode = "own_change"     // nobody decides about themselves
	Decided       RefusalCode = "decided"        // somebody has decided already
	TooLate       RefusalCode = "too_late"       // the change has moved on
	TooEarly      RefusalCode = "too_early"      // the change is not there yet
	Unestablished RefusalCode = "unestablished"  // who may decide could not be looked up; press again
	BadInput      RefusalCode = "bad_input"      // what was given cannot be taken; see Fields
	NoSuchChange  RefusalCode = "no_such_change" // there is no change of this number
	ReasonNeeded  RefusalCode = "reason_needed"  // the record of an earlier change is overdue: approving needs a reason
)

// Field names an input that a refusal is about.
type Field string

// The inputs of requests, records and reviews.
const (
	FieldReason        Field = "reason"
	FieldKind          Field = "kind"
	FieldWhat          Field = "what"
	FieldWhy           Field = "why"
	FieldIncident      Field = "incident"
	FieldTarget        Field = "target"
	FieldPermissionSet Field = "permission_set"
	FieldDuration      Field = "duration"
	FieldTicket        Field = "ticket"
	FieldMadeAt        Field = "made_at"
	FieldImplementer   Field = "implementer"
	FieldDone          Field = "done"
	FieldNoAction      Field = "no_action"
	FieldText          Field = "text"
	FieldMergeRequest  Field = "merge_request"
	FieldWitnesses     Field = "witnesses"
	FieldIncidentName  Field = "incident_name"
	FieldSeverity      Field = "severity"
	FieldRootCause     Field = "root_cause"
)

// QuestionField names the input of a kind's own question.
func QuestionField(id QuestionID) Field { return Field("question_" + string(id)) }

// Refusal is why a command was not carried out, for the person who gave it.
// Say is one or two sentences that tell what to do; By and At name whoever
// decided before, when that is the reason.
type Refusal struct {
	Code   RefusalCode
	Say    string
	By     PersonID
	At     time.Time
	Fields map[Field]string // for BadInput: what is wrong with each input
}

// Error gives the code and the sentences.
func (r *Refusal) Error() string {
	s := fmt.Sprintf("%s: %s", r.Code, r.Say)
	if len(r.Fields) > 0 {
		parts := make([]string, 0, len(r.Fields))
		for f, say := range r.Fields {
			parts = append(parts, string(f)+": "+say)
		}
		sort.Strings(parts)
		s += " (" + strings.Join(parts, "; ") + ")"
	}
	return s
}

func refuse(code RefusalCode, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Say: fmt.Sprintf(format, args...)}
}

// Unestablishable is the refusal of a decision whose groups could not be looked up.
func unestablishable() *Refusal {
	return refuse(Unestablished, "Who may decide could not be looked up just now, so nothing was changed. Please press again in a moment.")
}
