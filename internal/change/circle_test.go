package change_test

import (
	"slices"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestAKindsCoordinatorsAreFoundAndTold(t *testing.T) {
	t.Parallel()
	l := begin(t, request(secret))
	wants(t, l, l.events, map[change.DeliveryKind]int{change.DeliverCoordinateOut: 1})
	plain := begin(t, request(withAccess))
	wants(t, plain, plain.events, map[change.DeliveryKind]int{change.DeliverCoordinateOut: 0})
	events := l.do(change.Coordinated{People: []change.PersonID{manager}}, itself)
	told := slices.ContainsFunc(change.Outbox(l.c, events), func(d change.Delivery) bool {
		return d.To == manager && d.Ref.Message == change.MessageCoordinate
	})
	if !told || !slices.Equal(l.c.Coordinators, []change.PersonID{manager}) {
		t.Errorf("told: %t, coordinators %v", told, l.c.Coordinators)
	}
	if events := l.do(change.Coordinated{People: []change.PersonID{manager}}, itself); len(events) > 0 {
		t.Error("the same people were told twice")
	}
	if events := l.do(change.Coordinated{}, itself); len(events) > 0 || len(l.c.Coordinators) == 0 {
		t.Error("nobody took the place of somebody")
	}
}

func TestTheRequesterHearsOnceOfAnApproverWhoseNotificationsArePaused(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	away := change.ApproverAway{Ask: 1, Person: cto, Until: l.now.Add(8 * time.Hour)}
	events := l.do(away, itself)
	wants(t, l, events, map[change.DeliveryKind]int{change.DeliverDirect: 1, change.DeliverThread: 1})
	if len(l.do(away, itself)) > 0 {
		t.Error("told twice")
	}
	l.refused(away, member(cto), change.NotAllowed)
	l.approve()
	if len(l.do(change.ApproverAway{Ask: 1, Person: deputy, Until: l.now.Add(time.Hour)}, itself)) > 0 {
		t.Error("told after the decision")
	}
}

func TestTheFallbackIsAskedForTheReasonGiven(t *testing.T) {
	t.Parallel()
	l := begin(t, request(withAccess))
	events := l.do(change.Escalate{Ask: 1, Why: "everybody sleeps"}, itself)
	if got := events[0].Fact("why"); got != "everybody sleeps" || !l.c.OpenAsk().Fallback {
		t.Errorf("escalated because %q", got)
	}
}

func TestAReviewOfAKindThatAsksForTheRootCauseNeedsIt(t *testing.T) {
	t.Parallel()
	l := begin(t, request(secret)).end()
	partial := goodReview
	partial.RootCause = " "
	if got := l.refusal(change.SubmitReview{Text: partial}, member(requester), change.BadInput); got.Fields[change.FieldRootCause] == "" {
		t.Errorf("nothing is said at its input: %+v", got.Fields)
	}
	l.do(change.SaveDraft{Text: change.ReviewText{RootCause: "A lost"}}, member(requester))
	if got := l.c.SuggestedReview().RootCause; got != "A lost" {
		t.Errorf("the draft is lost: %q", got)
	}
	l.do(change.SubmitReview{Text: goodReview}, member(requester))
	if l.c.Review.Text.RootCause != "A lost node" {
		t.Errorf("the review is %+v", l.c.Review.Text)
	}
}
