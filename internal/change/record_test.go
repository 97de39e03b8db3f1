package change_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func duringIncident() change.Request {
	req := request(withAccess)
	i := incident("I1")
	req.Incident = &i
	return req
}

func TestDuringAnIncidentTheRecordIsTheIncidentsAndNeedsNoSignOff(t *testing.T) {
	t.Parallel()
	l := begin(t, duringIncident()).end()
	l.record()
	l.review()
	l.do(change.AccessGone{}, itself)
	l.phase(change.Closed)
	if l.c.Owes(change.OweSignOff, 0) != nil {
		t.Error("a sign-off is owed")
	}
}

// TestARecordThatMovedToJiraHasToStandThere: the incident was declined after it
// had taken the record, and before it took the newest revision.
func TestARecordThatMovedToJiraHasToStandThere(t *testing.T) {
	t.Parallel()
	l := begin(t, duringIncident()).end()
	l.record()
	l.do(change.WriteRecord{Done: "Restarted twice", Why: "Stuck"}, member(requester))
	l.review()
	l.do(change.IncidentRefused{Say: "It was declined."}, itself)
	l.do(change.AccessGone{}, itself)
	l.phase(change.Ended)
	if l.c.Record.In != change.RecordInJira || l.c.Record.Moved == "" || l.owes(change.OweRecord).State != change.Owed {
		t.Fatalf("the record is %+v", l.c.Record)
	}
	l.after(3 * time.Hour)
	l.toldOf(change.OweRecord) // whoever wrote it has done their part
	l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	l.do(change.RecordMirrored{Revision: 1, In: change.RecordInIncident, Ref: "c1"}, itself)
	l.do(change.RecordMirrored{Revision: 2, In: change.RecordInJira, Ref: "c1"}, itself)
	l.phase(change.Ended)
	l.do(change.SignOff{}, member(cto))
	l.phase(change.Closed)
}

func TestARecordThatStandsInTheIncidentStaysThere(t *testing.T) {
	t.Parallel()
	l := begin(t, duringIncident()).end()
	l.record()
	l.do(change.IncidentRefused{Say: "It was declined."}, itself)
	if l.c.Record.In != change.RecordInIncident || l.owes(change.OweRecord).State != change.Done || l.c.Incident.Refused == "" {
		t.Errorf("the record is %+v", l.c.Record)
	}
	l.do(change.WriteRecord{Done: "Restarted twice", Why: "Stuck"}, member(requester))
	l.do(change.IncidentRefused{Say: "It was declined."}, itself)
	if l.c.Record.In != change.RecordInJira || l.owes(change.OweRecord).State != change.Owed {
		t.Errorf("a newer revision stands nowhere: %+v", l.c.Record)
	}
}

func TestAMergedIncidentIsFollowedAndWhatItWasIsKept(t *testing.T) {
	t.Parallel()
	l := begin(t, duringIncident())
	private := incident("I9")
	private.Private = true
	if events := l.do(change.IncidentMoved{From: "I7", Incident: private}, itself); len(events) > 0 {
		t.Errorf("another incident was merged, and here happens %v", types(events))
	}
	l.do(change.IncidentMoved{From: "I1", Incident: private}, itself)
	if i := l.c.Incident; i.Now.ID != "I9" || i.AtRequest.ID != "I1" || !l.c.Confidential {
		t.Errorf("the incident is %+v", i)
	}
}

// TestATicketThatBecomesTheRecordHasItsCommentsRead: it was linked while the
// record was the incident's.
func TestATicketThatBecomesTheRecordHasItsCommentsRead(t *testing.T) {
	t.Parallel()
	l := begin(t, duringIncident()).end()
	l.do(change.LinkTicket{Ticket: ticket}, member(requester))
	if l.sent["comments comments"] {
		t.Error("comments are read that sign nothing off")
	}
	l.do(change.IncidentRefused{Say: "It was declined."}, itself)
	l.owes(change.OweSignOff)
	if !l.sent["comments comments"] {
		t.Error("nobody reads the comments that may sign off")
	}
}

func TestAnIncidentLinkedLaterTakesNoSignOffAway(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	private := incident("I2")
	private.Private = true
	l.do(change.LinkIncident{Incident: private}, member(requester))
	if l.c.Record.In != change.RecordInJira || !l.c.Confidential || l.c.Incident.AtRequest != nil {
		t.Errorf("the record is in %s, confidential %t", l.c.Record.In, l.c.Confidential)
	}
	l.record()
	l.owes(change.OweSignOff)
}

func TestWhatIsNewsAboutAnIncident(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alter func(i *change.Incident)
		news  bool
	}{
		"that it was looked at": {func(i *change.Incident) { i.SeenAt = start.Add(time.Hour) }, false},
		"its status":            {func(i *change.Incident) { i.Status = "Fixing" }, true},
		"its category":          {func(i *change.Incident) { i.Category = change.IncidentClosed }, true},
		"that it is mitigated":  {func(i *change.Incident) { i.Mitigated = true }, true},
		"that it was merged":    {func(i *change.Incident) { i.MergedInto = "I9" }, true},
		"that it is private":    {func(i *change.Incident) { i.Private = true }, true},
		"its name":              {func(i *change.Incident) { i.Name = "Other" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, duringIncident())
			seen := incident("I1")
			c.alter(&seen)
			l.do(change.IncidentSeen{Incident: seen}, itself)
			if l.has(change.EventIncidentSeen) != c.news || (l.c.Incident.Now == seen) != c.news {
				t.Errorf("the change knows %+v", l.c.Incident.Now)
			}
			if l.c.Incident.AtRequest.Status != "Investigating" {
				t.Error("what it was at the request was altered")
			}
		})
	}
}

func TestATicketThatIsLinkedUncheckedIsLookedAt(t *testing.T) {
	t.Parallel()
	req := request(withAccess)
	req.Choice, req.Ticket = change.TicketExisting, &change.TicketRef{Key: "OPS-1"}
	if l := begin(t, req); !l.sent["ticket_look OPS-1/2"] {
		t.Errorf("asked for are %v", l.sent)
	}
	later := begin(t, request(withAccess))
	later.do(change.LinkTicket{Ticket: change.TicketRef{Key: "OPS-2"}}, member(requester))
	if !later.sent["ticket_look OPS-2/3"] {
		t.Errorf("asked for are %v", later.sent)
	}
	later.do(change.TicketChecked{Asked: "OPS-2", Ticket: change.TicketRef{ID: "2", Key: "OPS-2"}}, itself)
	if !later.c.Ticket.Checked || later.c.Ticket.ID != "2" {
		t.Errorf("the ticket is %+v", later.c.Ticket)
	}
}

func TestARefusedTicketTakesItsSignOffWithItAndTheNextBringsItBack(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	l.do(change.LinkTicket{Ticket: change.TicketRef{Key: "OPS-9"}}, member(requester))
	l.activate()
	l.do(change.Finish{}, member(requester))
	l.after(26 * time.Hour)
	l.toldOf(change.OweSignOff, "26h rung-1")
	l.do(change.TicketChecked{Asked: "OPS-9", Refused: "There is no OPS-9."}, itself)
	if l.c.Ticket != nil || l.c.Owes(change.OweSignOff, 0) != nil {
		t.Errorf("left are %+v and %v", l.c.Ticket, l.c.Obligations)
	}
	l.do(change.LinkTicket{Ticket: ticket, Checked: true}, member(requester))
	l.after(time.Minute) // its rungs are delivered under names of their own: take checks that
	l.toldOf(change.OweSignOff, "26h rung-1", "26h rung-1")
}

// A mistyped key must not take away the ticket that was there.
func TestARefusedTicketGivesItsPlaceBack(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.do(change.LinkTicket{Ticket: ticket, Checked: true}, member(requester))
	for _, key := range []string{"OPS-8", "OPS-9"} { // the first was not looked at yet
		l.do(change.LinkTicket{Ticket: change.TicketRef{Key: key}}, member(requester))
	}
	events := l.do(change.TicketChecked{Asked: "OPS-9", Refused: "There is no OPS-9."}, itself)
	if l.c.Ticket == nil || l.c.Ticket.Key != ticket.Key || l.c.Ticket.Before != nil || l.c.Owes(change.OweSignOff, 0) == nil {
		t.Errorf("left are %+v and %v", l.c.Ticket, l.c.Obligations)
	}
	if kept := events[0].Fact("kept"); kept != ticket.Key {
		t.Errorf("it tells that %q stays", kept)
	}
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverRemoteLink: 1, change.DeliverComments: 1})
}

func TestATicketMayBeReplacedUntilTheRecordStandsInIt(t *testing.T) {
	t.Parallel()
	other := change.TicketRef{ID: "2", Key: "OPS-2"}
	l := begin(t, request(withAccess)).end()
	l.do(change.LinkTicket{Ticket: ticket}, member(requester))
	l.do(change.LinkTicket{Ticket: other}, member(requester))
	l.record()
	l.refused(change.LinkTicket{Ticket: ticket}, member(requester), change.TooLate)
	if events := l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself); len(events) > 0 || l.c.Ticket.Key != "OPS-2" {
		t.Error("a ticket of ours replaced the one that holds the record")
	}
	elsewhere := begin(t, duringIncident()).end()
	elsewhere.do(change.LinkTicket{Ticket: ticket}, member(requester))
	elsewhere.record()
	elsewhere.do(change.LinkTicket{Ticket: other}, member(requester)) // the record is the incident's
}

func TestARecordIsRevisedAndANewerRevisionIsHeldToo(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.refused(change.WriteRecord{Done: "x"}, member(requester), change.BadInput)
	l.refused(change.WriteRecord{Done: strings.Repeat("ä", change.TextLimit+1), Why: "y"}, member(requester), change.BadInput)
	l.do(change.WriteRecord{Done: strings.Repeat("ä", change.TextLimit), Why: "y"}, member(requester))
	l.do(change.WriteRecord{NothingChanged: true}, member(requester))
	l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	for _, revision := range []int{3, 2, 1, 2} {
		l.do(change.RecordMirrored{Revision: revision, In: change.RecordInJira}, itself)
	}
	if r := l.c.Record; r.Revision != 2 || r.Mirrored != 2 || !r.NothingChanged || l.count(change.EventRecordMirrored) != 1 {
		t.Errorf("the record is %+v", r)
	}
}

func TestAddressesAndNotesAreKept(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	l.do(change.LinkURL{URL: "https://example.com/1"}, member(requester))
	l.refused(change.LinkURL{URL: "https://example.com/1"}, member(requester), change.Decided)
	l.refused(change.AddNote{Text: " "}, member(requester), change.BadInput)
	l.do(change.AddNote{Text: " Hello "}, member(cto))
	if n := l.c.Notes[0]; n.Text != "Hello" || n.By != cto || !n.At.Equal(start) {
		t.Errorf("the note is %+v", n)
	}
}

// The sign-off is of the record as it was: what is written later does not undo it,
// and does not go unnoticed.
func TestARecordThatIsChangedAfterItsSignOffIsMarked(t *testing.T) {
	t.Parallel()
	of := func(events []change.Event, kind change.EventType) change.Event {
		i := slices.IndexFunc(events, func(e change.Event) bool { return e.Type == kind })
		if i < 0 {
			t.Fatalf("no %s in %+v", kind, events)
		}
		return events[i]
	}
	for name, sign := range map[string]func(l *life) []change.Event{
		"in Slack":     func(l *life) []change.Event { return l.do(change.SignOff{}, member(cto)) },
		"by a comment": func(l *life) []change.Event { return l.comments(comment("c1", cto, l.now, "Fine")) },
	} {
		l := ticketed(t)
		if e := of(sign(l), change.EventSignedOff); e.Fact("revision") != "1" || l.c.Owes(change.OweSignOff, 0).Proof.Revision != 1 || l.c.SignOffOvertaken() != nil {
			t.Errorf("%s: signed off: %v, %+v", name, e.Facts, l.c.Owes(change.OweSignOff, 0))
		}
		l.now = l.now.Add(time.Minute)
		if e := of(l.do(change.WriteRecord{Done: "something else", Why: "y"}, member(requester)), change.EventRecordWritten); e.Fact("after_sign_off") != "true" || e.Fact("signed_by") != string(cto) || e.Fact("revision") != "2" {
			t.Errorf("%s: the second revision: %v", name, e.Facts)
		}
		if o := l.c.SignOffOvertaken(); o == nil || o.State != change.Done {
			t.Errorf("%s: afterwards: %+v", name, o)
		}
		l.c.Owes(change.OweSignOff, 0).Proof.Revision = 0 // as an older version wrote it
		if l.c.SignOffOvertaken() == nil {
			t.Errorf("%s: of an older version it is not known", name)
		}
	}
}

func TestACommentFromBeforeARevisionSignsOffTheOneBefore(t *testing.T) {
	t.Parallel()
	l := ticketed(t)
	said := l.now
	l.now = l.now.Add(time.Minute)
	l.do(change.WriteRecord{Done: "z", Why: "y"}, member(requester))
	l.comments(comment("c1", cto, said, "Fine"))
	if o := l.c.SignOffOvertaken(); o == nil || o.Proof.Revision != 1 {
		t.Errorf("%+v", l.c.Owes(change.OweSignOff, 0))
	}
}
