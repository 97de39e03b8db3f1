package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// mute is a Slack that gives some people no direct messages.
type mute struct {
	*messenger
	lost []change.PersonID
}

func (m *mute) Write(ctx context.Context, p change.Posting) (string, error) {
	if slices.Contains(m.lost, p.Delivery.To) {
		return "", &change.OutsideError{
			System: change.SystemSlack, Outcome: change.Refused, Err: change.ErrNoPlace,
			Say: "The account " + string(p.Delivery.To) + " takes no direct messages.",
		}
	}
	return m.messenger.Write(ctx, p)
}

// cardSays is what the card, as it was written last, waits for in Slack.
func (b *recordBundle) cardSays(n change.Number) string {
	b.slack.mu.Lock()
	defer b.slack.mu.Unlock()
	said := ""
	for _, p := range b.slack.written {
		if p.Change.Number == n && p.Delivery.Kind == change.DeliverCard && p.Delivery.To == "" {
			said = p.Waiting[change.SystemSlack]
		}
	}
	return said
}

// approvers says who belongs to the groups.
func (b *recordBundle) approvers(groups map[change.GroupID][]change.PersonID) { b.people.more = groups }

func (b *recordBundle) asked(t *testing.T, n change.Number) (keys []string) {
	t.Helper()
	all, err := b.Ledger.Deliveries(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Kind == change.DeliverAsk {
			keys = append(keys, d.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

func TestTheCardSaysThatAnApproverCannotBeReached(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.approvers(map[change.GroupID][]change.PersonID{"cto": {chief, other}})
	gone := &mute{messenger: b.slack, lost: []change.PersonID{chief}}
	b.Messenger = gone
	c := b.request(t)
	b.work(t)
	if said := b.cardSays(c.Number); !strings.Contains(said, "takes no direct messages") {
		t.Errorf("the card waits for %q in Slack", said)
	}
	if n := b.events(t, c.Number, change.EventEscalated); n != 0 {
		t.Errorf("the fallback was asked although another approver was reached")
	}
	gone.lost = nil
	b.pass(t, 11*time.Minute, time.Minute)
	if said := b.cardSays(c.Number); said != "" {
		t.Errorf("the card still waits for %q", said)
	}
	if d, err := b.Ledger.DeliveryOf(t.Context(), c.Number, change.DeliverAsk, "1/"+string(chief)); err != nil || d.ExternalID == "" {
		t.Errorf("the approver was not asked once Slack let: %+v, %v", d, err)
	}
}

func TestAnApproverWhoCannotBeReachedIsNotWaitedForOnceAnotherHasDecided(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.approvers(map[change.GroupID][]change.PersonID{"cto": {chief, other}})
	b.Messenger = &mute{messenger: b.slack, lost: []change.PersonID{chief}}
	c := b.request(t)
	b.work(t)
	b.do(t, c.Number, other, change.Approve{Ask: 1})
	b.pass(t, 21*time.Minute, time.Minute)
	if said := b.cardSays(c.Number); said != "" {
		t.Errorf("the card still waits for %q", said)
	}
	if d, err := b.Ledger.DeliveryOf(t.Context(), c.Number, change.DeliverAsk, "1/"+string(chief)); err != nil || d.State != ledger.DeliveryCancelled {
		t.Errorf("the question is %s: %v", d.State, err)
	}
}

func TestWhereNobodyCanBeReachedTheFallbackIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.approvers(map[change.GroupID][]change.PersonID{"cto": {chief, other}})
	b.Messenger = &mute{messenger: b.slack, lost: []change.PersonID{chief, other}}
	c := b.request(t)
	b.work(t)
	if keys := b.asked(t, c.Number); !slices.Contains(keys, "1/"+string(deputy)) {
		t.Errorf("asked: %v", keys)
	}
	if n := b.events(t, c.Number, change.EventEscalated); n != 1 {
		t.Errorf("the fallback was asked %d times", n)
	}
	if n := b.slack.posted(change.DeliverAsk); n != 1 {
		t.Errorf("%d were asked, want the deputy", n)
	}
}

// crowd is more people than are asked directly.
func crowd(name string, n int) (people []change.PersonID) {
	for i := range n {
		people = append(people, change.PersonID(fmt.Sprintf("U0%s%02d", name, i)))
	}
	return people
}

func TestWhomNoMentionReachesIsAskedDirectly(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	onCall := crowd("CALL", 3)
	b.approvers(map[change.GroupID][]change.PersonID{"cto": append(crowd("CTO", 11), onCall[0]), "deputies": onCall})
	b.Workflow.Rules.Groups = map[change.GroupID]change.Group{"cto": {SlackUsergroup: "S0CTO"}, "deputies": {IncidentIOSchedule: "sched"}}
	b.Workflow.Rules.Kinds[0].Approvals = []change.ApprovalRule{{From: []change.GroupID{"cto", "deputies"}}}
	c := b.request(t)
	b.work(t)
	want := []string{"1/" + string(onCall[1]), "1/" + string(onCall[2]), "1/group"}
	if keys := b.asked(t, c.Number); !slices.Equal(keys, want) {
		t.Errorf("asked: %v, want %v", keys, want)
	}
}

func TestAMentionIsEnoughWhereItReachesEverybody(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.approvers(map[change.GroupID][]change.PersonID{"cto": crowd("CTO", 11)})
	b.Workflow.Rules.Groups = map[change.GroupID]change.Group{"cto": {SlackUsergroup: "S0CTO"}}
	c := b.request(t)
	b.work(t)
	if keys := b.asked(t, c.Number); !slices.Equal(keys, []string{"1/group"}) {
		t.Errorf("asked: %v", keys)
	}
}
