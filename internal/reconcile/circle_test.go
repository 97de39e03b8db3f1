package reconcile_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandboxincidentio "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// do2 carries a command out as breakglass itself does.
func (b *recordBundle) do2(t *testing.T, n change.Number, cmd change.Command) change.Change {
	t.Helper()
	c, err := b.Workflow.Do(t.Context(), n, cmd, change.Itself("test"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (m *messenger) count(fits func(change.Posting) bool) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.written {
		if fits(p) {
			n++
		}
	}
	return n
}

func (m *messenger) posted(kind change.DeliveryKind) int {
	return m.count(func(p change.Posting) bool { return p.Delivery.Kind == kind })
}

// taken counts the messages to somebody that were deleted.
func (m *messenger) taken(kind change.DeliveryKind, to change.PersonID) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := map[string]bool{}
	for _, p := range m.retracted {
		if p.Delivery.Kind == kind && p.Delivery.To == to && p.External != "" {
			gone[p.External] = true
		}
	}
	return len(gone)
}

// pauses is whose notifications are paused.
type pauses struct {
	mu    sync.Mutex
	until map[change.PersonID]time.Time
	err   error
}

func (p *pauses) PausedUntil(_ context.Context, id change.PersonID, _ time.Time) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until[id], p.err
}

func TestTheRequesterIsToldOfPausedNotificationsAndTheFallbackIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	until := b.clock.now().Add(8 * time.Hour)
	b.Pauses = &pauses{until: map[change.PersonID]time.Time{chief: until}}
	c := b.request(t)
	b.work(t)
	after := b.change(t, c.Number)
	if a := after.OpenAsk(); !a.Fallback || len(a.Away) != 1 || a.Away[0].Person != chief || !a.Away[0].Until.Equal(until) {
		t.Errorf("the question is %+v", a)
	}
	if !b.slack.told(engineer, change.MessageApproverAway) {
		t.Error("the requester does not know")
	}
	for _, p := range []change.PersonID{chief, deputy} {
		if b.slack.count(func(x change.Posting) bool { return x.Delivery.Kind == change.DeliverAsk && x.Delivery.To == p }) == 0 {
			t.Errorf("%s was not asked", p)
		}
	}
}

func TestTheFallbackIsNotAskedWhileSomebodyOfTheFirstIsThere(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.people.more = map[change.GroupID][]change.PersonID{"cto": {chief, other}}
	b.Pauses = &pauses{until: map[change.PersonID]time.Time{chief: b.clock.now().Add(time.Hour), other: b.clock.now()}}
	c := b.request(t)
	b.work(t)
	after := b.change(t, c.Number)
	if a := after.OpenAsk(); a.Fallback || len(a.Away) != 1 {
		t.Errorf("the question is %+v", a)
	}
}

func TestALookAtNotificationsThatFailsIsNoHindrance(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Pauses = &pauses{err: &change.OutsideError{System: change.SystemSlack, Outcome: change.Unknown}}
	c := b.request(t)
	b.work(t)
	if b.slack.posted(change.DeliverAsk) == 0 || b.events(t, c.Number, change.EventApproverAway)+b.events(t, c.Number, change.EventEscalated) > 0 {
		t.Error("it made a difference")
	}
}

// panicking is whose notifications nobody can ask about.
type panicking struct{}

func (panicking) PausedUntil(context.Context, change.PersonID, time.Time) (time.Time, error) {
	panic("a poisoned answer")
}

func TestALookAtNotificationsThatPanicsDoesNotEndTheProgram(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Pauses = panicking{}
	c := b.request(t)
	b.work(t)
	if b.slack.posted(change.DeliverAsk) == 0 || b.events(t, c.Number, change.EventApproverAway)+b.events(t, c.Number, change.EventEscalated) > 0 {
		t.Error("it made a difference")
	}
}

func TestACoordinatorIsLookedForUntilThereIsOne(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Workflow.Rules.Kinds[0].CoordinateWith = []change.GroupID{"on-call"}
	b.people.more = map[change.GroupID][]change.PersonID{"on-call": nil}
	c := b.request(t)
	b.work(t)
	b.pass(t, 5*time.Minute, time.Minute)
	if b.events(t, c.Number, change.EventCoordinated) != 0 {
		t.Fatal("nobody was found, and told")
	}
	b.people.set("on-call", other)
	b.pass(t, 5*time.Minute, time.Minute)
	if !b.slack.told(other, change.MessageCoordinate) || b.events(t, c.Number, change.EventCoordinated) != 1 {
		t.Error("the person on call was not told, or twice")
	}
	b.people.set("on-call", chief)
	b.pass(t, 10*time.Minute, time.Minute)
	if b.slack.told(chief, change.MessageCoordinate) {
		t.Error("the next shift was told of it as well")
	}
}

func TestAWaiverStandsInTheRecordAndItsReminderIsEdited(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Workflow.Rules.Review.Remind = []time.Duration{time.Hour}
	id := b.incidentOf(t, sandboxincidentio.Incident{Name: "Something"})
	inJira, inIncident := b.made(t, ticketNow), b.made(t, b.during(t, id))
	b.work(t)
	b.clock.forward(time.Hour)
	for _, c := range []change.Change{inJira, inIncident} {
		b.do2(t, c.Number, change.Tick{})
	}
	b.work(t)
	reminded := b.slack.posted(change.DeliverReminder)
	for _, c := range []change.Change{inJira, inIncident} {
		b.do(t, c.Number, deputy, change.Waive{Obligation: change.OweReview, Reason: "a false alarm of the walrus"})
	}
	b.work(t)
	if n := len(comments(b.issue(t), "a false alarm of the walrus")); n != 1 || len(comments(b.issue(t), "post-incident review was waived by Dana Deputy")) != 1 {
		t.Errorf("%d comments tell of the waiver:\n%s", n, b.everything())
	}
	if !strings.Contains(b.incidents.Text(id), "a false alarm of the walrus") {
		t.Errorf("the incident does not tell of the waiver:\n%s", b.incidents.Text(id))
	}
	if !b.slack.told(engineer, change.MessageWaived) {
		t.Error("whoever owed it does not know")
	}
	if reminded != 2 || b.slack.posted(change.DeliverReminder) != 4 {
		t.Errorf("%d reminders, written %d times: each is to be edited once", reminded, b.slack.posted(change.DeliverReminder))
	}
	b.clock.forward(200 * time.Hour)
	for _, c := range []change.Change{inJira, inIncident} {
		b.do2(t, c.Number, change.Tick{})
		after := b.change(t, c.Number)
		if o := after.Owes(change.OweReview, 0); o.State != change.Waived || o.Rung > 1 || !o.Breached.IsZero() {
			t.Errorf("it goes on: %+v", o)
		}
	}
}
