package change_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const saysConfidential = "EC-1 is confidential; only its own people see it."

// outside tells whether an actor is a full member who may know nothing of the
// change, for certain.
func (l *life) outside(a change.Actor) bool {
	if a.System || a.Standing != change.Member {
		return false
	}
	may, known := l.c.MayRead(l.rules, a.Groups, a.ID)
	return !may && known
}

func isConfidential(l *life, err error) bool {
	r, ok := errors.AsType[*change.Refusal](err)
	return ok && r.Say == l.c.Number.String()+" is confidential; only its own people see it."
}

// A refusal that told what the change is, where it stands or who decided would
// tell whoever asks often enough.
func TestWhoeverIsOutsideIsRefusedWithOneSentenceWhateverTheyDo(t *testing.T) {
	t.Parallel()
	for _, stage := range stages {
		for _, cmd := range []change.Command{
			change.Approve{Ask: 1},
			change.Approve{Ask: 9},
			change.Deny{Ask: 1},
			change.ChangeDuration{Ask: 1},
			change.Withdraw{},
			change.Finish{},
			change.EndNow{},
			change.Extend{Duration: time.Hour},
			change.AddNote{Text: "x"},
			change.LinkTicket{Ticket: ticket},
			change.LinkIncident{Incident: incident("I1")},
			change.LinkURL{URL: "https://example.com"},
			change.WriteRecord{},
			change.SignOff{},
			change.SaveDraft{},
			change.SubmitReview{},
			change.RemindLater{Obligation: change.OweRecord},
			change.Waive{Obligation: change.OweRecord, Reason: "x"},
			change.ConfirmCall{Ask: 1},
			change.ConfirmMergeRequest{Item: 1},
			change.DecideStanding{},
			change.LinkMergeRequest{},
			change.Tick{},
		} {
			l := begin(t, request(secret))
			l.quick = true
			stage.reach(l)
			if got := l.refusal(cmd, member(colleague), change.NotAllowed); got.Say != saysConfidential || got.By != "" || len(got.Fields) > 0 {
				t.Errorf("%s, %T: %+v", stage.name, cmd, got)
			}
			switch cmd.(type) {
			case change.Finish, change.Withdraw, change.EndNow: // never wait for a look-up
				continue
			}
			l.refused(cmd, seeing(colleague, with("deputies", change.Membership{})), change.Unestablished)
		}
	}
}

func TestTakingAccessAwayWaitsForNoLookUpOfAConfidentialChangeEither(t *testing.T) {
	t.Parallel()
	l := begin(t, request(secret)).activate()
	l.do(change.EndNow{}, seeing(cto, change.GroupView{}))
	l.phase(change.Ended)
	if got := l.refusal(change.EndNow{}, seeing(cto, change.GroupView{}), change.Unestablished); got.By != "" {
		t.Errorf("it tells of the end: %+v", got)
	}
}

func TestWhoMayReadAConfidentialChange(t *testing.T) {
	t.Parallel()
	l := begin(t, request(secret))
	l.rules.Roles.Auditors = []change.GroupID{"auditors"}
	view := with("auditors", change.Membership{Known: true, People: []change.PersonID{"U0AUDITOR"}})
	reads := func(p change.PersonID) bool {
		may, known := l.c.MayRead(l.rules, view, p)
		if !known {
			t.Errorf("%s: not known", p)
		}
		return may
	}
	for p, want := range map[change.PersonID]bool{requester: true, cto: true, deputy: true, barred: true, "U0AUDITOR": true, colleague: false, manager: false} {
		if got := reads(p); got != want {
			t.Errorf("%s may read it: %t", p, got)
		}
	}
	l.do(change.Coordinated{People: []change.PersonID{manager}}, itself)
	if !reads(manager) {
		t.Error("a coordinator may not read what they coordinate")
	}
	for _, id := range slices.Concat(l.rules.Roles.Auditors, []change.GroupID{"cto", "deputies"}) {
		if !slices.Contains(l.c.GroupsOf(l.rules), id) {
			t.Errorf("%s is not looked up for a click", id)
		}
	}
}

func TestWhoeverInheritsWhatIsOwedMayReadIt(t *testing.T) {
	t.Parallel()
	l := begin(t, request(secret)).activate()
	l.rules.Roles.CTO = []change.GroupID{"heads"}
	view := with("heads", change.Membership{Known: true, People: []change.PersonID{colleague}})
	if may, _ := l.c.MayRead(l.rules, view, colleague); may {
		t.Fatal("they may read it before")
	}
	l.do(change.OwnerGone{Person: requester}, itself)
	if may, _ := l.c.MayRead(l.rules, view, colleague); !may {
		t.Error("they have to write the record of a change that they may not see")
	}
	l.do(change.WriteRecord{Done: "x", Why: "y"}, seeing(colleague, view))
	if !slices.Contains(l.c.GroupsOf(l.rules), "heads") {
		t.Error("the inheriting group is not looked up for a click")
	}
}

func TestOwnersOfEveryKindOfDebtCanBeGone(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess)).end()
	l.do(change.OwnerGone{Person: requester}, itself)
	for _, o := range l.c.Owing() {
		if o.Owner == requester || (o.Name != change.OweSignOff && !slices.Equal(o.Groups, l.rules.Roles.CTO)) {
			t.Errorf("%s is still owed by %q, %v", o.Name, o.Owner, o.Groups)
		}
	}
	l.record()
	l.review() // the requester is back, or the implementer does it
	if o := l.owes(change.OweReview); o.State != change.Done {
		t.Errorf("the review is %s", o.State)
	}
}

func TestAChangeThatBecomesConfidentialTakesBackWhatWasShown(t *testing.T) {
	t.Parallel()
	private := incident("I1")
	private.Private = true
	for name, c := range map[string]struct {
		cmd   change.Command
		actor change.Actor
	}{
		"linked":    {change.LinkIncident{Incident: private}, member(requester)},
		"turned":    {change.IncidentSeen{Incident: private}, itself},
		"not shown": {change.IncidentRefused{Say: "Gone.", Private: true}, itself},
		"merged":    {change.IncidentMoved{From: "I0", Incident: private}, itself},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, request(withAccess))
			l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
			if name != "linked" {
				id := "I1"
				if name == "merged" {
					id = "I0"
				}
				l.do(change.LinkIncident{Incident: incident(id)}, member(requester))
			}
			events := l.do(c.cmd, c.actor)
			if !l.c.Confidential || !slices.Contains(types(events), change.EventMadeConfidential) || !change.AltersQuestions(events) {
				t.Fatalf("confidential: %t, %v", l.c.Confidential, types(events))
			}
			wants(t, l, events, map[change.DeliveryKind]int{
				change.DeliverRedact: 1, change.DeliverRedactTicket: 1, change.DeliverAskOut: 1, change.DeliverCard: 2, change.DeliverRemoteLink: 1,
			})
			if events, _ = l.try(c.cmd, c.actor); slices.Contains(types(events), change.EventMadeConfidential) {
				t.Error("it became confidential twice")
			}
		})
	}
}

func TestATicketUnderItsSecurityLevelMayHoldTheText(t *testing.T) {
	t.Parallel()
	l := begin(t, request(secret))
	events := l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverRedactTicket: 1})
	if l.c.InTicket() {
		t.Error("a ticket that everybody sees may hold the text")
	}
	l.do(change.TicketSecured{ID: ticket.ID}, itself)
	if !l.c.InTicket() || len(types(l.do(change.LinkTicket{Ticket: change.TicketRef{ID: "2", Key: "OPS-2"}}, member(requester)))) == 0 || l.c.InTicket() {
		t.Error("another ticket is not under the level")
	}
	other := begin(t, request(secret))
	events = other.do(change.LinkTicket{Ticket: ticket, Ours: true, Secured: true}, itself)
	wants(t, other, events, map[change.DeliveryKind]int{change.DeliverRedactTicket: 0})
	if diff := cmp.Diff(true, other.c.InTicket()); diff != "" {
		t.Error(diff)
	}
}
