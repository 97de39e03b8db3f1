package change_test

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// take makes a step part of the life, after checking what holds of every step.
func (l *life) take(before, after change.Change, events []change.Event) {
	l.t.Helper()
	l.checkPhases(before.Phase, after, events)
	l.checkAsks(before, after)
	l.checkOwed(after)
	l.checkReviewed(after)
	l.checkRow(after)
	for i := range events {
		events[i].Seq = int64(len(l.events) + 1)
		l.events = append(l.events, events[i])
	}
	l.checkOutbox(after, events)
	l.c = after
	l.checkClock()
	for _, s := range l.past { // nothing that a step shares with an older one may be written to
		if got := encode(l.t, s.c); got != s.bytes {
			l.t.Fatalf("an earlier state was altered:\n%s", cmp.Diff(s.bytes, got))
		}
	}
	l.past = append(l.past, snapshot{after, encode(l.t, after)})
	if len(l.past) > 5 {
		l.past = l.past[1:]
	}
}

func (l *life) checkPhases(at change.Phase, after change.Change, events []change.Event) {
	l.t.Helper()
	was := at
	for _, e := range events {
		if e.Phase != at && !at.May(e.Phase) {
			l.t.Fatalf("%s went from %s to %s", e.Type, at, e.Phase)
		}
		at = e.Phase
		if !e.At.Equal(l.now) {
			l.t.Fatalf("%s tells of %s at %s", e.Type, e.At, l.now)
		}
	}
	if at != after.Phase {
		l.t.Fatalf("the last event tells of %s, the change is %s", at, after.Phase)
	}
	if was.Final() && after.Phase != was {
		l.t.Fatalf("%s is final, and became %s", was, after.Phase)
	}
}

func (l *life) checkAsks(before, after change.Change) {
	l.t.Helper()
	for i, a := range after.Asks {
		if a.Open() && i != len(after.Asks)-1 {
			l.t.Fatalf("question %d is still open behind a newer one", a.ID)
		}
		var by []change.PersonID
		met := map[int]bool{}
		for _, dec := range a.Decisions {
			if dec.Rule == change.SelfRule {
				l.checkSelf(after, a, dec)
				met[change.SelfRule] = true
				continue
			}
			if after.Own(dec.By) {
				l.t.Fatalf("%s decided about their own change", dec.By)
			}
			if dec.Approved && slices.Contains(by, dec.By) {
				l.t.Fatalf("%s gave two approvals", dec.By)
			}
			if dec.Approved && met[dec.Rule] {
				l.t.Fatalf("approval %d was given twice", dec.Rule)
			}
			by = append(by, dec.By)
			met[dec.Rule] = met[dec.Rule] || dec.Approved
		}
		for r := range after.Plan.Approvals {
			if a.Result == change.AskApproved && !met[r] && !met[change.SelfRule] {
				l.t.Fatalf("question %d counts as approved without approval %d", a.ID, r)
			}
		}
		if i < len(before.Asks) {
			was := before.Asks[i]
			if !was.Open() && (was.Result != a.Result || !was.Settled.Equal(a.Settled) || len(was.Decisions) != len(a.Decisions)) {
				l.t.Fatalf("question %d had been answered, and was answered again", a.ID)
			}
		}
	}
	if o := after.OpenAsk(); o != nil && after.Phase != change.Requested && after.Phase != change.Active {
		l.t.Fatalf("question %d is open though the change is %s", o.ID, after.Phase)
	}
	if after.Wanted() {
		if len(after.Asks) == 0 || after.Asks[0].Result != change.AskApproved || !after.Window.Ended.IsZero() || after.Access.Approved <= 0 {
			l.t.Fatal("access is wanted that nobody approved, or that has ended")
		}
		if after.Access.Approved > after.Plan.MaxTotal {
			l.t.Fatalf("%s were approved, and at most %s may be", after.Access.Approved, after.Plan.MaxTotal)
		}
	}
}

func (l *life) checkOwed(c change.Change) {
	l.t.Helper()
	began, ended := !c.Window.Start.IsZero(), !c.Window.Ended.IsZero()
	if began != (c.Owes(change.OweRecord, 0) != nil) {
		l.t.Fatalf("window begun: %t, and yet the obligations are %v", began, c.Obligations)
	}
	if ended != (c.Owes(change.OweReview, 0) != nil) {
		l.t.Fatalf("window ended: %t, and yet the obligations are %v", ended, c.Obligations)
	}
	if ended != (c.Phase == change.Ended || c.Phase == change.Closed) {
		l.t.Fatalf("window ended: %t, and yet the change is %s", ended, c.Phase)
	}
	if o := c.Owes(change.OweRecord, 0); o != nil && !o.Due.Equal(c.Window.Start.Add(c.Plan.RecordWithin)) {
		l.t.Fatalf("the record is due %s for a window from %s", o.Due, c.Window.Start)
	}
	if o := c.Owes(change.OweReview, 0); o != nil && !o.Due.Equal(c.Window.Ended.Add(c.Plan.ReviewWithin)) {
		l.t.Fatalf("the review is due %s for a window until %s", o.Due, c.Window.Ended)
	}
	if sign := c.Owes(change.OweSignOff, 0); sign == nil && !c.Phase.Final() && (c.Report != nil || (c.Ticket != nil && c.Record.In == change.RecordInJira)) {
		l.t.Fatal("a record in Jira, or a report, owes no sign-off")
	} else if sign != nil && sign.State == change.Done && c.Own(sign.Proof.By) {
		l.t.Fatal("somebody signed their own change off")
	}
	if began && c.Owes(change.OweSignOff, 0) != nil && c.Owes(change.OweSignOff, 0).Due.IsZero() {
		l.t.Fatal("the sign-off has no deadline though the window has begun")
	}
	if c.Phase.Final() && c.Phase != change.Closed && len(c.Obligations) > 0 {
		l.t.Fatalf("a change that is %s owes %v", c.Phase, c.Obligations)
	}
	if c.Access != nil && !c.Access.GoneAt.IsZero() && (c.Wanted() || c.Phase == change.Requested) {
		l.t.Fatalf("the access counts as gone though the change is %s", c.Phase)
	}
	gone := c.Access == nil || !c.Access.GoneAt.IsZero() || (c.Access.IntendedAt.IsZero() && c.Access.VerifiedAt.IsZero())
	if free := ended && gone && len(c.Owing()) == 0; free != (c.Phase == change.Closed) {
		l.t.Fatalf("nothing is owed and the access is gone: %t, and yet the change is %s", free, c.Phase)
	}
	for i, o := range c.Obligations {
		if slices.ContainsFunc(c.Obligations[:i], func(p change.Obligation) bool { return p.Name == o.Name && p.Item == o.Item }) {
			l.t.Fatalf("%s is owed twice", o.Name)
		}
		if !o.Snoozed.IsZero() && o.State == change.Owed && !o.Due.IsZero() && o.Snoozed.After(o.Due) {
			l.t.Fatalf("the reminder of %s is put off past its deadline", o.Name)
		}
	}
}

// checkRow checks that the row is the state: nothing is lost by storing it.
func (l *life) checkRow(c change.Change) {
	l.t.Helper()
	var back change.Change
	if err := json.Unmarshal([]byte(encode(l.t, c)), &back); err != nil {
		l.t.Fatal(err)
	}
	if encode(l.t, back) != encode(l.t, c) {
		l.t.Fatal("storing the change and reading it again alters it")
	}
	if l.quick {
		return
	}
	if diff := cmp.Diff(c, back, cmpopts.EquateEmpty()); diff != "" {
		l.t.Fatalf("storing the change and reading it again alters it:\n%s", diff)
	}
}

// checkOutbox checks that what is wanted is named the same each time, and that
// no two wishes have one name.
func (l *life) checkOutbox(c change.Change, events []change.Event) {
	l.t.Helper()
	out := change.Outbox(c, events)
	if diff := cmp.Diff(out, change.Outbox(c, events)); diff != "" {
		l.t.Fatalf("the same events ask for other deliveries:\n%s", diff)
	}
	inStep := map[string]bool{}
	for _, d := range out {
		name := string(d.Kind) + " " + d.Key
		if inStep[name] {
			l.t.Fatalf("%s is asked for twice in one step", name)
		}
		inStep[name] = true
		again := l.sent[name]
		l.sent[name] = true
		switch d.Kind { //nolint:exhaustive // these are asked for once in a life, however often they are wanted
		case change.DeliverTicket, change.DeliverPerson, change.DeliverTicketLook, change.DeliverMergeRequestLink:
			continue
		}
		if d.Mode == change.Once && again {
			l.t.Fatalf("%s was delivered before, for something else", name)
		}
	}
}

// checkClock checks that the clock looks exactly when there is something to do,
// and that looking brings it on.
func (l *life) checkClock() {
	l.t.Helper()
	tick := func(at time.Time) (change.Change, int) {
		c, events, err := change.Decide(l.rules, l.c, change.Tick{}, itself, at)
		if err != nil {
			l.t.Fatalf("tick at %s: %v", at, err)
		}
		return c, len(events)
	}
	next := l.c.NextAt()
	if next.IsZero() {
		if _, n := tick(l.now.Add(10000 * time.Hour)); n > 0 {
			l.t.Fatal("the clock is never to look again, and there is something to do")
		}
		return
	}
	for _, early := range []time.Time{l.now, next.Add(-time.Nanosecond)} {
		if _, n := tick(early); early.Before(next) && n > 0 {
			l.t.Fatalf("the clock is to look at %s, and had something to do at %s", next, early)
		}
	}
	for _, at := range []time.Time{next, next.Add(100 * time.Hour)} {
		if at.Before(l.now) {
			at = l.now
		}
		c, n := tick(at)
		if n == 0 {
			l.t.Fatalf("the clock is to look at %s, and found nothing to do at %s", next, at)
		}
		if again := c.NextAt(); !again.IsZero() && !again.After(at) {
			l.t.Fatalf("having looked at %s, the clock is to look at %s again", at, again)
		}
	}
}
