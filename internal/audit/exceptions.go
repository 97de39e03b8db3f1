package audit

import (
	"slices"
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// exceptional is an event that whoever checks the changes asks about first.
// When is nil where every event of the type is one. Its change is nil for
// events of the system chain.
type exceptional struct {
	on   change.EventType
	name string
	when func(e *change.Event, c *change.Change) bool
}

// exceptions are all of them. An event type that is added later and is an
// exception needs a line here, and one that is none a line in the test that
// compares this table with the event types; docs/audit-format.md lists the names.
func exceptions() []exceptional {
	return []exceptional{
		{change.EventReported, "reported afterwards", nil},
		{change.EventApprovalGiven, "self-approved", func(e *change.Event, c *change.Change) bool { return c != nil && c.Own(e.Actor) }},
		{change.EventSelfApproved, "self-approved", nil},
		{change.EventSelfApprovalRefused, "self-approval refused", nil},
		{change.EventApprovedOverdue, "approved in spite of an overdue record", nil},
		{change.EventIncidentDoubted, "incident was not live, or mitigated", nil},
		{change.EventAccessVerified, "access was there before", fact("standing", "true")},
		{change.EventStandingKept, "standing access kept", nil},
		{change.EventStandingEnded, "standing access ended", nil},
		{change.EventAccessLate, "access late to go", nil},
		{change.EventAccessGone, "access gone late", goneLate},
		{change.EventAccessBack, "access came back", nil},
		{change.EventBreached, "deadline missed", fact("delivery", "false")},
		{change.EventBreached, "copy late", fact("delivery", "true")},
		{change.EventDone, "done late", func(e *change.Event, c *change.Change) bool { return e.Fact("late") == "true" && !inTime(e, c) }},
		{change.EventDone, "copy late", func(e *change.Event, c *change.Change) bool { return e.Fact("late") == "true" && inTime(e, c) }},
		{change.EventWaived, "waived", nil},
		{change.EventOwnerChanged, "owner left", nil},
		{change.EventRecordWritten, "nothing was changed", fact("nothing_changed", "true")},
		{change.EventRecordWritten, "record changed after its sign-off", fact("after_sign_off", "true")},
		{change.EventSignOffDoubted, "sign-off doubted", nil},
		{change.EventSignOffUndone, "sign-off undone", inPhase(false)},
		{change.EventSignOffUndone, "sign-off undone after the close", inPhase(true)},
		{change.EventIndependentReviewUndone, "independent review undone", inPhase(false)},
		{change.EventIndependentReviewUndone, "independent review undone after the close", inPhase(true)},
		{change.EventIncidentRefused, "incident took no notes", nil},
		{change.EventUndelivered, "message undeliverable", nil},
		{change.EventForged, "forged click", nil},
		{change.EventCensusFound, "found by the census", nil},
		{change.EventCensusStanding, "standing access kept", nil},
		{change.EventCensusEnded, "standing access ended", nil},
		{change.EventCensusLate, "access late to go", nil},
	}
}

// exceptionNames are the names of all of them, each once.
func exceptionNames() []string {
	var names []string
	for _, x := range exceptions() {
		if !slices.Contains(names, x.name) {
			names = append(names, x.name)
		}
	}
	return names
}

// exceptionsOf names what is exceptional about an event.
func exceptionsOf(e *change.Event, c *change.Change) []string {
	var names []string
	for _, x := range exceptions() {
		if x.on == e.Type && (x.when == nil || x.when(e, c)) {
			names = append(names, x.name)
		}
	}
	return names
}

func fact(name, value string) func(*change.Event, *change.Change) bool {
	return func(e *change.Event, _ *change.Change) bool { return e.Fact(name) == value }
}

func inPhase(final bool) func(*change.Event, *change.Change) bool {
	return func(e *change.Event, _ *change.Change) bool { return e.Phase.Final() == final }
}

// goneLate: access that was ours, and not gone within the time that its end takes.
func goneLate(e *change.Event, _ *change.Change) bool {
	late, err := strconv.ParseInt(e.Fact("late_seconds"), 10, 64)
	return err == nil && e.Fact("standing") != "true" && time.Duration(late)*time.Second > change.LateAfter
}

// inTime tells whether the owner of what was done late had done their part in
// time: then the copy was late, and it is not their fault.
func inTime(e *change.Event, c *change.Change) bool {
	if c == nil {
		return false
	}
	item, err := strconv.Atoi(e.Fact("item"))
	if err != nil {
		return false
	}
	o := c.Owes(change.ObligationName(e.Fact("obligation")), item)
	return o != nil && !o.Part.IsZero() && o.Part.Before(o.Due)
}
