package reconcile_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandboxincidentio "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// cardWaits tells whether the card, as it was written last, waits for anything.
func (b *recordBundle) cardWaits(n change.Number) bool {
	b.slack.mu.Lock()
	defer b.slack.mu.Unlock()
	waits := false
	for _, p := range b.slack.written {
		if p.Change.Number == n && p.Delivery.Kind == change.DeliverCard {
			waits = len(p.Waiting) > 0
		}
	}
	return waits
}

// A look at the incident had failed when the change ended, and was then not needed
// any more: the card must not go on saying that incident.io is waited for.
func TestTheCardForgetsWhatIsNoLongerWaitedFor(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.request(t, b.during(t, id))
	b.work(t)
	b.incidents.Faults.Add(fault.Fault{Kind: fault.Unavailable})
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	b.do(t, c.Number, engineer, change.AddNote{Text: "on it"})
	b.work(t)
	if !b.cardWaits(c.Number) {
		t.Fatal("the card does not say that incident.io is waited for")
	}
	if _, err := b.Workflow.Do(t.Context(), c.Number, change.IncidentRefused{Say: "It was declined."}, change.Itself("incident.io")); err != nil {
		t.Fatal(err)
	}
	b.pass(t, 10*time.Minute, 30*time.Second)
	if waiting, err := b.Ledger.Waiting(t.Context(), c.Number); err != nil || len(waiting) > 0 {
		t.Fatalf("the ledger waits for %v: %v", waiting, err)
	}
	if b.cardWaits(c.Number) {
		t.Error("the card still waits")
	}
}

// What a delivery waits for without having failed stands on the card as well.
func TestTheCardSaysThatNobodyKnowsWhomToAsk(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.people.silent.Store(true)
	req := change.Request{
		Kind: "production", Reason: "down", What: typedWhat, Why: typedWhy, Choice: change.TicketLater,
		Answers: map[change.QuestionID]string{"rollback": "undo the lemur"},
	}
	actor := b.as(engineer)
	c, err := b.Workflow.Submit(t.Context(), req, actor)
	if err != nil {
		t.Fatal(err)
	}
	b.work(t)
	b.pass(t, 20*time.Second, time.Second)
	if !b.cardWaits(c.Number) {
		t.Error("the card does not say that the approvers could not be looked up")
	}
	b.people.silent.Store(false)
	b.pass(t, time.Minute, 10*time.Second)
	if b.cardWaits(c.Number) {
		t.Error("the card still waits")
	}
}

// Two revisions wait for the incident: what is told is the record as it is, and
// once.
func TestAnIncidentLinkedLaterIsToldOfTheNewestRecordOnly(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.made(t)
	b.work(t)
	found, err := b.Incidents.Incident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, c.Number, engineer, change.LinkIncident{Incident: found})
	b.incidents.Faults.Add(fault.Fault{Kind: fault.Unavailable})
	b.write(t, c.Number)
	b.write(t, c.Number)
	b.work(t)
	b.incidents.Faults.Clear()
	b.pass(t, 5*time.Minute, 30*time.Second)
	if n := b.titles(id, "what was done"); n != 1 {
		t.Errorf("%d notes tell what was done, want one", n)
	}
}

// The reply to a create was lost, nothing is listed, and AWS does not tell of its
// requests: people have to learn what the end of the change waits for.
func TestPeopleAreToldThatAWSDoesNotTellOfItsRequests(t *testing.T) {
	t.Parallel()
	b := accessSetup(t, func(o *sandbox.Options) { o.SettleAfter = 24 * time.Hour })
	b.aws.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: createCall, Times: 1})
	b.aws.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "ListAccountAssignmentCreationStatus"})
	n := b.approved()
	b.drain()
	b.do(n, change.Finish{}, asker)
	b.forward(3 * time.Minute)
	if c := b.change(n); c.Access.Trouble == "" {
		t.Errorf("nobody knows what is waited for: %v", b.events(n))
	}
	if d, err := b.ledger.AssignmentOf(b.ctx, n); err != nil || d.Standing != ledger.StandingOurs {
		t.Errorf("the assignment is %+v: %v", d, err)
	}
}

// Whatever AWS is asked for, it answers with a page: nobody knows what came of it,
// nothing is found, and people have to learn what is waited for.
func TestPeopleAreToldThatAWSGaveNoClearAnswerToARequest(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.HTML, Call: createCall})
	n := b.approved()
	b.forward(30 * time.Second)
	if c := b.change(n); c.Access.Trouble == "" {
		t.Errorf("nobody knows what the access waits for: %v", b.events(n))
	}
	b.aws.Faults.Clear()
	b.forward(3 * time.Minute)
	if c := b.wantPhase(n, change.Active); c.Access.Trouble != "" {
		t.Errorf("it is active, and waits for %q", c.Access.Trouble)
	}
	b.aws.Faults.Add(fault.Fault{Kind: fault.HTML, Call: deleteCall})
	b.do(n, change.Finish{}, asker)
	b.forward(30 * time.Second)
	if c := b.change(n); c.Access.Trouble == "" {
		t.Errorf("nobody knows what the removal waits for: %v", b.events(n))
	}
	b.aws.Faults.Clear()
	b.forward(time.Hour) // so long may come what nobody heard of
	if c := b.change(n); c.Access.GoneAt.IsZero() || c.Access.Trouble != "" {
		t.Errorf("the access is %+v", c.Access)
	}
}

// The reply to a create was lost, and the change ends: the access may still come,
// which the end waits for.
func TestPeopleAreToldThatTheEndWaitsForWhatARequestMayStillBring(t *testing.T) {
	t.Parallel()
	b := accessSetup(t, func(o *sandbox.Options) { o.SettleAfter = 24 * time.Hour })
	b.aws.GhostCreates(1, 4*time.Minute)
	n := b.approved()
	b.drain()
	b.do(n, change.Finish{}, asker)
	b.forward(3 * time.Minute)
	if c := b.change(n); c.Access.Trouble == "" {
		t.Errorf("nobody knows what is waited for: %v", b.events(n))
	}
}

// Whoever asked gives up while AWS does not answer: nobody waits for it any more.
func TestAWithdrawnChangeWaitsForNothing(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany})
	n := b.approved()
	b.forward(time.Minute)
	if b.change(n).Access.Trouble == "" {
		t.Fatal("nobody knows what is waited for")
	}
	b.do(n, change.Withdraw{}, asker)
	b.forward(time.Minute)
	if c := b.wantPhase(n, change.Withdrawn); c.Access.Trouble != "" {
		t.Errorf("it was withdrawn, and waits for %q", c.Access.Trouble)
	}
}
