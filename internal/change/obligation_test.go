package change_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// told lists what people were told of an obligation, and how long after the
// start: breaches and reminders.
func (l *life) told(name change.ObligationName) (out []string) {
	for _, e := range l.events {
		if e.Fact("obligation") != string(name) {
			continue
		}
		at := change.ShortDuration(e.At.Sub(start))
		switch e.Type { //nolint:exhaustive // nobody is told of the others
		case change.EventReminded:
			rung := e.Fact("rung")
			if len(rung) > 6 && rung[:6] == "later-" {
				rung = "later"
			}
			out = append(out, fmt.Sprintf("%s %s", at, rung))
		case change.EventBreached:
			out = append(out, fmt.Sprintf("%s breach, delivery %s", at, e.Fact("delivery")))
		}
	}
	return out
}

func (l *life) toldOf(name change.ObligationName, want ...string) {
	l.t.Helper()
	if diff := cmp.Diff(want, l.told(name), cmpopts.EquateEmpty()); diff != "" {
		l.t.Fatalf("told of %s:\n%s", name, diff)
	}
}

func TestEachRungIsToldOnceAndTheBreachOnceAndThenEveryPeriod(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.after(40 * time.Hour)
	l.toldOf(change.OweRecord, "2h rung-1", "12h rung-2", "20h rung-3", "24h breach, delivery false", "30h overdue-1", "36h overdue-2")
	l.toldOf(change.OweReview, "24h rung-1")
	l.after(110 * time.Hour)
	want := []string{"24h rung-1", "96h rung-2", "120h breach, delivery false", "144h overdue-1"}
	l.toldOf(change.OweReview, want...)
}

func TestOfMissedRungsTheNewestIsToldAlone(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.stopped(13 * time.Hour)
	l.toldOf(change.OweRecord, "13h rung-2")
	l.stopped(time.Hour)
	l.stopped(30 * time.Hour)
	l.toldOf(change.OweRecord, "13h rung-2", "44h breach, delivery false")
	l.after(5 * time.Hour)
	l.toldOf(change.OweRecord, "13h rung-2", "44h breach, delivery false", "48h overdue-4")
}

func TestRungsDuringTheWorkWaitForItsEnd(t *testing.T) {
	t.Parallel()
	req := request(withAccess)
	req.Duration = 4 * time.Hour
	l := begin(t, req).activate()
	l.after(3 * time.Hour)
	l.toldOf(change.OweRecord)
	l.after(time.Hour)
	l.phase(change.Ended)
	l.toldOf(change.OweRecord, "4h rung-1")
}

func TestABreachDuringTheWorkIsToldAtOnce(t *testing.T) {
	t.Parallel()
	l := begin(t, request(noAccess))
	l.c.Plan.NoneEndsAfter = 40 * time.Hour
	l.approve()
	l.after(39 * time.Hour)
	l.toldOf(change.OweRecord, "24h breach, delivery false")
	l.after(time.Hour)
	l.toldOf(change.OweRecord, "24h breach, delivery false", "40h overdue-2")
}

func TestALateReportIsOneBreachAndNoLadder(t *testing.T) {
	t.Parallel()
	req := request(withAccess)
	req.Reported, req.MadeAt = true, start.Add(-26*time.Hour)
	l := begin(t, req)
	l.after(time.Hour)
	l.toldOf(change.OweRecord, "0s breach, delivery false")
	l.after(4 * time.Hour)
	l.toldOf(change.OweRecord, "0s breach, delivery false", "4h overdue-1")
}

func TestARemindedPersonMayPutItOffButNotPastTheDeadline(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.after(11 * time.Hour)
	l.do(change.RemindLater{Obligation: change.OweRecord}, member(requester)) // over rung 2, at 12 h
	l.after(2 * time.Hour)
	l.toldOf(change.OweRecord, "2h rung-1", "13h rung-2")
	l.do(change.RemindLater{Obligation: change.OweRecord}, member(requester))
	l.after(2 * time.Hour)
	l.toldOf(change.OweRecord, "2h rung-1", "13h rung-2", "15h later")
	l.after(8 * time.Hour)
	l.do(change.RemindLater{Obligation: change.OweRecord}, member(requester)) // at 23 h: until 24 h
	l.after(3 * time.Hour)
	l.toldOf(change.OweRecord, "2h rung-1", "13h rung-2", "15h later", "20h rung-3", "24h breach, delivery false")
	l.refused(change.RemindLater{Obligation: change.OweRecord}, member(requester), change.TooLate)
	l.refused(change.RemindLater{Obligation: change.OweAction, Item: 1}, member(requester), change.TooLate)
}

func TestWhoeverHasDoneTheirPartIsRemindedNoMore(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.after(3 * time.Hour)
	l.do(change.WriteRecord{Done: "x", Why: "y"}, member(requester))
	l.refused(change.RemindLater{Obligation: change.OweRecord}, member(requester), change.TooLate)
	l.after(50 * time.Hour)
	l.toldOf(change.OweRecord, "2h rung-1", "24h breach, delivery true")
}

func TestALateDeliveryIsToldAsSuchOnlyWhereThePersonWasInTime(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.now = start.Add(24*time.Hour + time.Second) // the clock is a second behind
	l.do(change.WriteRecord{Done: "x", Why: "y"}, member(requester))
	l.stopped(time.Second)
	l.toldOf(change.OweRecord, "24h0m2s breach, delivery false")
}

func TestTheSignOffIsDueAfterTheRecordWasDoneOrDue(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	if o := l.owes(change.OweSignOff); !o.Due.Equal(start.Add(48 * time.Hour)) {
		t.Errorf("before the record it is due %s", o.Due)
	}
	l.after(10 * time.Hour)
	l.record()
	if o := l.owes(change.OweSignOff); !o.Due.Equal(start.Add(34 * time.Hour)) {
		t.Errorf("after the record it is due %s", o.Due)
	}
	l.after(40 * time.Hour)
	l.toldOf(change.OweSignOff, "12h rung-1", "22h rung-2", "30h rung-3", "34h breach, delivery false", "40h overdue-1", "46h overdue-2")

	late := begin(t, request(withAccess)).end()
	late.after(30 * time.Hour)
	late.record()
	if o := late.owes(change.OweSignOff); !o.Due.Equal(start.Add(48 * time.Hour)) {
		t.Errorf("after a late record it is due %s", o.Due)
	}
}

func TestAnActionIsOwedByItsOwnerUntilItHasATicket(t *testing.T) {
	t.Parallel()
	l := begin(t, request(noAccess)).approve()
	l.do(change.Finish{}, member(requester))
	l.record()
	l.do(change.SignOff{}, member(cto))
	text := goodReview
	text.Actions = []change.Action{{What: "Buy a spare", Owner: colleague, Due: start.Add(1000 * time.Hour)}, {}}
	l.do(change.SubmitReview{Text: text}, member(requester))
	l.do(change.ReviewMirrored{}, itself)
	o := l.c.Owes(change.OweAction, 1)
	if o == nil || o.Owner != colleague || !o.Due.IsZero() || l.c.Owes(change.OweAction, 2) != nil {
		t.Fatalf("owed are %v", l.c.Obligations)
	}
	l.phase(change.Ended)
	l.do(change.ActionRecorded{Item: 2, Ticket: ticket}, itself)
	l.phase(change.Ended)
	l.do(change.ActionRecorded{Item: 1, Ticket: ticket}, itself)
	l.phase(change.Closed)
}

func TestARowOfAReviewThatIsLeftEmptyIsNoAction(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	text := goodReview
	text.Actions = []change.Action{{}, {What: "x", Owner: requester, Due: start}, {What: " "}, {What: "y", Owner: requester, Due: start}}
	l.do(change.SubmitReview{Text: text}, member(requester))
	if got := l.c.Review.Text.Actions; len(got) != 2 || got[0].What != "x" || got[1].What != "y" || l.c.Owes(change.OweAction, 2) == nil || l.c.Owes(change.OweAction, 3) != nil {
		t.Errorf("kept %+v", got)
	}
}

func TestAReviewSaysWhatItLacks(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	r := l.refusal(change.SubmitReview{Text: change.ReviewText{What: "x", Actions: []change.Action{{What: "y"}}}}, member(requester), change.BadInput)
	want := map[change.Field]string{change.FieldReviewStandard: "", change.FieldReviewPrevent: "", change.OwnerField(1): ""}
	if diff := cmp.Diff(want, r.Fields, cmp.Comparer(func(string, string) bool { return true })); diff != "" {
		t.Error(diff)
	}
	behind := goodReview
	behind.NoAction = ""
	behind.Actions = []change.Action{{What: " "}, {What: "y", Owner: requester, Due: start}, {Owner: requester}}
	r = l.refusal(change.SubmitReview{Text: behind}, member(requester), change.BadInput)
	if diff := cmp.Diff(map[change.Field]string{change.ActionField(3): "Say what the action is."}, r.Fields); diff != "" {
		t.Error(diff)
	}
	behind.Actions = []change.Action{{}, {What: " "}}
	if r := l.refusal(change.SubmitReview{Text: behind}, member(requester), change.BadInput); r.Fields[change.FieldNoAction] == "" {
		t.Errorf("the refusal is %v", r)
	}
	none := goodReview
	none.NoAction = ""
	if r := l.refusal(change.SubmitReview{Text: none}, member(requester), change.BadInput); r.Fields[change.FieldNoAction] == "" {
		t.Errorf("the refusal is %v", r)
	}
	l.do(change.SaveDraft{Text: none}, member(requester))
	if got := l.c.SuggestedReview(); got.What != none.What {
		t.Errorf("suggested is %+v", got)
	}
	l.do(change.SubmitReview{Text: goodReview}, member(requester))
	if r := l.refusal(change.SubmitReview{Text: goodReview}, member(requester), change.Decided); r.By != requester {
		t.Errorf("the second is told that %s was first", r.By)
	}
}
