package change_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func waive(name change.ObligationName) change.Waive {
	return change.Waive{Obligation: name, Reason: " Nothing was touched. "}
}

func TestWhoMayWaiveWhat(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", change.TextLimit+1)
	signing := func(l *life) { l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself) }
	for name, c := range map[string]struct {
		cmd    change.Waive
		by     change.Actor
		before func(l *life)
		want   change.RefusalCode
	}{
		"the requester":               {cmd: waive(change.OweRecord), by: member(requester), want: change.OwnChange},
		"somebody else":               {cmd: waive(change.OweRecord), by: member(colleague), want: change.NotAllowed},
		"a barred member of a group":  {cmd: waive(change.OweRecord), by: member(barred), want: change.NotAllowed},
		"breakglass itself":           {cmd: waive(change.OweRecord), by: itself, want: change.NotAllowed},
		"a silent source":             {cmd: waive(change.OweRecord), by: seeing(colleague, with("deputies", change.Membership{})), want: change.Unestablished},
		"an owner's own":              {cmd: waive(change.OweSignOff), by: member(cto), before: signing, want: change.OwnChange},
		"a member of an owning group": {cmd: waive(change.OweSignOff), by: member(deputy), before: signing, want: change.OwnChange},
		"without a reason":            {cmd: change.Waive{Obligation: change.OweRecord, Reason: " "}, by: member(cto), want: change.BadInput},
		"with a novel":                {cmd: change.Waive{Obligation: change.OweRecord, Reason: long}, by: member(cto), want: change.BadInput},
		"what is not owed":            {cmd: change.Waive{Obligation: change.OweRecord, Item: 3, Reason: "x"}, by: member(cto), want: change.TooLate},
		"what is done":                {cmd: waive(change.OweRecord), by: member(cto), before: func(l *life) { l.record() }, want: change.Decided},
		"twice": {
			cmd: waive(change.OweRecord), by: member(cto), want: change.Decided,
			before: func(l *life) { l.do(waive(change.OweRecord), member(deputy)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, request(withAccess)).end()
			if c.before != nil {
				c.before(l)
			}
			l.refused(c.cmd, c.by, c.want)
			if o := l.c.Owes(c.cmd.Obligation, c.cmd.Item); o != nil && !c.by.System {
				if may, _ := l.c.MayWaive(c.by.Groups, c.by.ID, o); may && c.want != change.BadInput {
					t.Error("the button is offered")
				}
			}
		})
	}
}

func TestAnImplementerWaivesNothingOfWhatTheyMade(t *testing.T) {
	t.Parallel()
	req := request(noAccess)
	req.Reported, req.MadeAt, req.Implementer = true, start.Add(-time.Hour), cto
	l := begin(t, req)
	l.refused(waive(change.OweReview), member(cto), change.OwnChange)
	l.do(waive(change.OweReview), member(deputy))
}

func TestWhoeverInheritedADebtWaivesItNot(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.do(change.OwnerGone{Person: requester}, itself)
	l.refused(waive(change.OweReview), member(cto), change.OwnChange)
	l.do(waive(change.OweReview), member(deputy))
}

func TestAWaiverIsKeptAndToldAndRemindsNobodyAnyMore(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.after(25 * time.Hour) // the record is overdue
	events := l.do(waive(change.OweRecord), member(cto))
	o := l.owes(change.OweRecord)
	if o.State != change.Waived || o.Waiver != "Nothing was touched." || o.Proof.By != cto || !o.Done.Equal(l.now) {
		t.Errorf("the obligation is %+v", o)
	}
	if events[0].Fact("late") != "true" || events[0].Texts["reason"] != "Nothing was touched." {
		t.Errorf("the event is %+v", events[0])
	}
	if !change.AltersQuestions(events) {
		t.Error("the messages about it stay as they are")
	}
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverDirect: 1, change.DeliverThread: 1, change.DeliverAudit: 1, change.DeliverNote: 1})
	reminded := l.count(change.EventReminded)
	l.do(waive(change.OweReview), member(deputy))
	l.after(1000 * time.Hour)
	if l.count(change.EventReminded) != reminded {
		t.Error("somebody was reminded of what was waived")
	}
	l.do(change.AccessGone{}, itself)
	l.phase(change.Closed)
	l.refused(waive(change.OweSignOff), member(cto), change.TooLate)
}

func TestARecordInTheIncidentIsToldOfAWaiver(t *testing.T) {
	t.Parallel()
	l := begin(t, duringIncident()).end()
	events := l.do(waive(change.OweReview), member(cto))
	i := slices.IndexFunc(change.Outbox(l.c, events), func(d change.Delivery) bool { return d.Kind == change.DeliverNote })
	if i < 0 || change.Outbox(l.c, events)[i].System() != change.SystemIncident {
		t.Error("the incident is not told")
	}
}

func TestASignOffWaivedIsNotAwaited(t *testing.T) {
	t.Parallel()
	l := begin(t, request(twoSay))
	l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	l.do(change.Approve{Ask: 1}, member(manager))
	l.end()
	l.do(waive(change.OweSignOff), member(manager)) // who approves, and does not sign off
	l.refused(change.SignOff{}, member(cto), change.Decided)
	l.do(change.WriteRecord{Done: "x", Why: "y"}, member(requester))
	events := l.do(change.RecordMirrored{Revision: 1, In: change.RecordInJira, Ref: "c1"}, itself)
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverSignOffOut: 0})
}
