package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// duty is what a change is expected to owe.
type duty struct {
	Owner  string // a person, or its groups
	Due    time.Time
	State  change.ObligationState
	exists bool
}

// life is what the journal of a change tells, as far as it decides what is owed.
// The rules of docs/process.md are told once more here, from the facts alone:
// when the window opened and closed, what was written, copied, signed, waived.
type life struct {
	requester, implementer string
	start, end             time.Time
	reported, over, shut   bool // over: it came to nothing; shut: it is closed
	inJira, ticket         bool
	recordAt, reviewAt     time.Time // when the copy stood there; zero: it does not
	signedAt               time.Time
	waived                 map[string]time.Time
	gone                   map[string]bool // owed by somebody who has left
	actions                int
	recorded               map[int]bool
	links                  map[int]*linked // merge requests that count, by item
	linkedFirst            time.Time
	signOffMissed          time.Time // the deadline that was breached; it stays what it was
}

// linked is a merge request as the journal tells of it.
type linked struct {
	fix, readable, confirmed, seen, merged, reviewed bool
}

func fact(e change.Event, name string) string { return e.Fact(name) }

// lifeOf reads a journal.
func lifeOf(events []change.Event, plan change.Plan) *life {
	l := &life{waived: map[string]time.Time{}, gone: map[string]bool{}, recorded: map[int]bool{}, links: map[int]*linked{}}
	for _, e := range events {
		if e.Type == change.EventBreached && fact(e, "obligation") == string(change.OweSignOff) {
			l.signOffMissed = l.signOffDue(plan)
		}
		l.take(e)
	}
	return l
}

func (l *life) take(e change.Event) {
	switch e.Type { //nolint:exhaustive // the others decide nothing about what is owed
	case change.EventRequested, change.EventReported:
		l.implementer = fact(e, "implementer")
		l.requester, l.inJira = fact(e, "requester"), fact(e, "record_in") == string(change.RecordInJira)
		if e.Type == change.EventReported {
			l.reported = true
			l.start, _ = time.Parse(time.RFC3339Nano, fact(e, "made_at"))
			l.end = l.start
		}
	case change.EventActivated:
		l.start = e.At
	case change.EventEnded:
		if l.end = e.At; l.start.IsZero() {
			l.start = e.At
		}
	case change.EventDenied, change.EventWithdrawn, change.EventLapsed, change.EventFailed:
		l.over = true
	case change.EventClosed:
		l.shut = true
	case change.EventTicketLinked:
		l.ticket = true
	case change.EventTicketRefused:
		l.ticket = fact(e, "kept") != ""
	case change.EventIncidentRefused:
		if fact(e, "moved") == "true" {
			l.inJira, l.recordAt = true, time.Time{}
		}
	case change.EventRecordMirrored:
		if l.recordAt.IsZero() {
			l.recordAt = e.At
		}
	case change.EventReviewMirrored:
		l.reviewAt = e.At
	case change.EventReviewSubmitted:
		l.actions, _ = strconv.Atoi(fact(e, "actions"))
	case change.EventActionRecorded:
		n, _ := strconv.Atoi(fact(e, "item"))
		l.recorded[n] = true
	case change.EventSignedOff:
		l.signedAt = e.At
	case change.EventSignOffUndone:
		if !l.shut {
			l.signedAt = time.Time{}
		}
	case change.EventWaived:
		l.waived[fact(e, "obligation")+"-"+fact(e, "item")] = e.At
	case change.EventOwnerChanged:
		l.gone[fact(e, "obligation")+"-"+fact(e, "item")] = true
	case change.EventMergeRequestLinked:
		l.links[item(e)] = &linked{fix: fact(e, "fix") == "true", readable: fact(e, "readable") == "true"}
		if l.linkedFirst.IsZero() && fact(e, "fix") != "true" {
			l.linkedFirst = e.At
		}
	case change.EventMergeRequestSeen:
		if m := l.links[item(e)]; m != nil {
			m.seen, m.merged, m.reviewed = true, fact(e, "state") == string(change.MRMerged), fact(e, "independent") != "0"
		}
	case change.EventMergeRequestRefused:
		delete(l.links, item(e))
	case change.EventMergeRequestConfirmed:
		l.links[item(e)].confirmed = true
	}
}

func item(e change.Event) int {
	n, _ := strconv.Atoi(fact(e, "item"))
	return n
}

// owes is what follows from a life, by what the kind asked for.
func (l *life) owes(plan change.Plan, review change.ReviewText) map[string]duty {
	all := map[string]duty{}
	if l.over {
		return all
	}
	add := func(name change.ObligationName, item int, owner string, due, done time.Time) {
		id := string(name) + "-" + strconv.Itoa(item)
		d := duty{Owner: owner, Due: due, State: change.Owed, exists: true}
		if !done.IsZero() {
			d.State = change.Done
		}
		if _, waived := l.waived[id]; waived {
			d.State = change.Waived
		}
		if l.gone[id] {
			d.Owner = "cto"
		}
		all[id] = d
	}
	opened := !l.start.IsZero()
	recordDue := l.start.Add(plan.RecordWithin)
	if opened {
		add(change.OweRecord, 0, l.requester, recordDue, l.recordAt)
		if plan.MergeRequest == change.NeedWithRecord {
			add(change.OweMergeRequest, 0, l.requester, recordDue, l.when(l.any(false, func(m *linked) bool { return m.seen || m.confirmed })))
		}
		if plan.PermanentFix {
			done := l.any(true, func(m *linked) bool { return m.merged || (!m.readable && m.confirmed) })
			add(change.OwePermanentFix, 0, l.requester, l.start.Add(plan.PermanentFixWithin), l.when(done))
		}
		demanded := plan.MergeRequest == change.NeedWithRecord || plan.MergeRequest == change.NeedRequired
		working := l.any(false, func(*linked) bool { return true })
		if demanded || working {
			from := l.start
			if !demanded && l.linkedFirst.After(from) {
				from = l.linkedFirst
			}
			missing := l.any(false, func(m *linked) bool { return !l.reviewed(m) })
			add(change.OweIndependentReview, 0, l.requester, from.Add(plan.MergeReviewWithin), l.when(working && !missing))
		}
	}
	_, signOffWaived := l.waived["sign_off-0"]
	if l.reported || (l.inJira && l.ticket) || signOffWaived || !l.signedAt.IsZero() {
		var groups []string
		for _, g := range slices.Concat(plan.SignOff.From, plan.SignOff.Fallback) {
			groups = append(groups, string(g))
		}
		add(change.OweSignOff, 0, strings.Join(groups, ","), l.signOffDue(plan), l.signedAt)
	}
	if !l.end.IsZero() {
		add(change.OweReview, 0, l.requester, l.end.Add(plan.ReviewWithin), l.reviewAt)
	}
	for i := 1; i <= l.actions; i++ {
		owner := ""
		if i <= len(review.Actions) {
			owner = string(review.Actions[i-1].Owner)
		}
		add(change.OweAction, i, owner, time.Time{}, l.when(l.recorded[i]))
	}
	return all
}

// signOffDue counts from the record: from when it was done, or due if that is sooner.
func (l *life) signOffDue(plan change.Plan) time.Time {
	if !l.signOffMissed.IsZero() || l.start.IsZero() {
		return l.signOffMissed
	}
	from := l.start.Add(plan.RecordWithin)
	if _, waived := l.waived["record-0"]; !waived && !l.recordAt.IsZero() && l.recordAt.Before(from) {
		from = l.recordAt
	}
	return from.Add(plan.SignOff.Within)
}

func (l *life) when(is bool) time.Time {
	if is {
		return l.start
	}
	return time.Time{}
}

// any tells whether any merge request, or any permanent fix, is such a one.
func (l *life) any(fix bool, such func(*linked) bool) bool {
	for _, m := range l.links {
		if m.fix == fix && such(m) {
			return true
		}
	}
	return false
}

// reviewed tells whether somebody independent has reviewed a merge request. Of all
// people the example knows the CTO alone on GitLab, so that for everybody else
// somebody has to say that it was another.
func (l *life) reviewed(m *linked) bool {
	if !m.readable {
		return m.confirmed
	}
	known := l.requester == sandbox.CTO && l.implementer == sandbox.CTO
	return m.reviewed && (m.confirmed || known)
}

// disagrees compares what is expected with what a change owes; empty: nothing.
func disagrees(want map[string]duty, c *change.Change) string {
	var wrong []string
	for _, o := range c.Obligations {
		id := string(o.Name) + "-" + strconv.Itoa(o.Item)
		w := want[id]
		owner := string(o.Owner)
		if owner == "" {
			var groups []string
			for _, g := range o.Groups {
				groups = append(groups, string(g))
			}
			owner = strings.Join(groups, ",")
		}
		switch {
		case !w.exists:
			wrong = append(wrong, id+" is owed, and nothing asks for it")
		case w.Owner != owner || !w.Due.Equal(o.Due) || w.State != o.State:
			wrong = append(wrong, fmt.Sprintf("%s is %s by %s until %s, want %s by %s until %s", id, o.State, owner, o.Due.UTC(), w.State, w.Owner, w.Due.UTC()))
		}
		delete(want, id)
	}
	for id := range want {
		wrong = append(wrong, id+" is not owed")
	}
	slices.Sort(wrong)
	return strings.Join(wrong, "; ")
}
