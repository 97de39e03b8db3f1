package change_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// wants demands that the last step's events ask for deliveries, or do not.
func wants(t *testing.T, l *life, events []change.Event, want map[change.DeliveryKind]int) {
	t.Helper()
	got := map[change.DeliveryKind]int{}
	for _, d := range change.Outbox(l.c, events) {
		got[d.Kind]++
		if d.Number != l.c.Number {
			t.Errorf("%s is of %s", d.Kind, d.Number)
		}
	}
	for kind, n := range want {
		if got[kind] != n {
			t.Errorf("%d deliveries of kind %s; want %d", got[kind], kind, n)
		}
	}
}

func TestNoEventsAskForNothing(t *testing.T) {
	t.Parallel()
	if out := change.Outbox(begin(t, request(withAccess)).c, nil); out != nil {
		t.Errorf("asked for are %v", out)
	}
}

func TestEveryStepBringsTheCardUpToDate(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	for _, e := range l.events {
		wants(t, l, []change.Event{e}, map[change.DeliveryKind]int{change.DeliverCard: 1})
	}
}

func TestWhatARequestAsksFor(t *testing.T) {
	t.Parallel()
	req := request(withAccess)
	req.AWSUser, req.Choice = nil, change.TicketNow
	l := begin(t, req)
	wants(t, l, l.events, map[change.DeliveryKind]int{
		change.DeliverAskOut: 1, change.DeliverPerson: 1, change.DeliverTicket: 1, change.DeliverTicketLook: 0, change.DeliverTimeline: 0, change.DeliverIncident: 0,
	})
	during := begin(t, duringIncident())
	wants(t, during, during.events, map[change.DeliveryKind]int{change.DeliverTimeline: 1, change.DeliverIncident: 1, change.DeliverTicket: 0, change.DeliverPerson: 0})
}

func TestAnIncidentThatTakesNoNotesIsSentNone(t *testing.T) {
	t.Parallel()
	l := begin(t, duringIncident())
	l.do(change.IncidentRefused{Say: "It was declined."}, itself)
	events := l.do(change.Approve{Ask: 1}, member(cto))
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverTimeline: 0})
}

func TestAWrittenRecordMakesTheTicketThatItNeeds(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	events := l.do(change.WriteRecord{Done: "x", Why: "y"}, member(requester))
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverRecord: 1, change.DeliverTicket: 1})
	l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	events = l.do(change.WriteRecord{Done: "x", Why: "z"}, member(requester))
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverRecord: 1, change.DeliverTicket: 0})
	events = l.do(change.RecordMirrored{Revision: 2, In: change.RecordInJira}, itself)
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverSignOffOut: 1})
}

func TestABreachIsToldToTheCTOTheThreadTheAuditorsAndWhoeverOwesIt(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	events := l.stopped(25 * time.Hour)
	wants(t, l, events[:1], map[change.DeliveryKind]int{change.DeliverCTO: 1, change.DeliverThread: 1, change.DeliverAudit: 1, change.DeliverRemindOut: 1})

	l = begin(t, request(withAccess)).end()
	l.do(change.WriteRecord{Done: "x", Why: "y"}, member(requester))
	events = l.stopped(25 * time.Hour)
	wants(t, l, events[:1], map[change.DeliveryKind]int{change.DeliverCTO: 1, change.DeliverAudit: 1, change.DeliverRemindOut: 0})
}

func TestEachPersonIsToldOnce(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	events := l.do(change.Approve{Ask: 1}, member(cto))
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverDirect: 1}) // requester and implementer are one person
	l.do(change.IntendAccess{}, itself)
	events = l.do(change.AccessFailed{Say: "No"}, itself)
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverDirect: 2}) // and the approver
}
