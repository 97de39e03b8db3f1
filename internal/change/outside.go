package change

import (
	"errors"
	"fmt"
	"time"
)

// System is one of the systems that breakglass talks to.
type System string

// The systems, by the names that people see.
const (
	SystemSlack    System = "Slack"
	SystemAWS      System = "AWS"
	SystemJira     System = "Jira"
	SystemIncident System = "incident.io"
	SystemForge    System = "the forge"
)

// Outcome is what is known about a call that did not succeed.
type Outcome string

// The outcomes of a failed call.
const (
	// Refused: it did not happen, and asking again unchanged will not help.
	Refused Outcome = "refused"
	// NotNow: it did not happen; later it may (throttled, conflict, connection refused).
	NotNow Outcome = "not now"
	// Unknown: it may have happened (timeout, reset, 5xx, unreadable answer).
	Unknown Outcome = "unknown"
	// Missing: the thing asked about does not exist, or may not be seen.
	Missing Outcome = "missing"
)

// OutsideError is a failed call to another system. Every adapter answers its
// failures as this type, so that callers decide on the outcome and never on a
// text. Err may hold details for the log; Say is one sentence for people and
// holds no secret.
type OutsideError struct {
	System     System
	Call       string // such as "create assignment"
	Outcome    Outcome
	RetryAfter time.Duration // zero when the system did not say
	Say        string
	Cause      Cause // of NotNow, where it matters
	Err        error
}

// Cause tells apart why a call did not happen now.
type Cause string

// The causes that somebody tells apart.
const (
	CauseOther     Cause = ""
	CauseThrottled Cause = "throttled" // too many calls, or too many operations under way
	CauseCrowded   Cause = "crowded"   // too many of our own calls came first
	CauseConflict  Cause = "conflict"  // another operation on the same thing has not come to its end
)

// CauseOf tells why a call did not happen now: CauseOther for any error that no
// adapter has classified.
func CauseOf(err error) Cause {
	if outside, ok := errors.AsType[*OutsideError](err); ok {
		return outside.Cause
	}
	return CauseOther
}

// Error gives the system, the call, the outcome and the cause.
func (e *OutsideError) Error() string {
	s := fmt.Sprintf("%s: %s: %s", e.System, e.Call, e.Outcome)
	if e.Say != "" {
		s += ": " + e.Say
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *OutsideError) Unwrap() error { return e.Err }

// OutcomeOf says what is known after err: Unknown for any error that no adapter
// has classified, because an unclassified call may have happened.
func OutcomeOf(err error) Outcome {
	if outside, ok := errors.AsType[*OutsideError](err); ok {
		return outside.Outcome
	}
	return Unknown
}

// SayOf gives the sentence for people of a failed call: otherwise, where no
// adapter has given one.
func SayOf(err error, otherwise string) string {
	if outside, ok := errors.AsType[*OutsideError](err); ok && outside.Say != "" {
		return outside.Say
	}
	return otherwise
}
