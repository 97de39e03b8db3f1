package change_test

import (
	"errors"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestOnlyApproversDecideAboutStandingAccessAndItIsWrittenDown(t *testing.T) {
	t.Parallel()
	rules := change.Rules{}
	c := change.Change{
		Number: 7, Phase: change.Closed, Requester: "U0ADA", Implementer: "U0ADA",
		Plan:   change.Plan{Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}}},
		Access: &change.Access{Key: change.AssignmentKey{AccountID: "111122223333", PermissionSetARN: "arn:ps", UserID: "u-1"}},
	}
	known := change.GroupView{"cto": {Known: true, People: []change.PersonID{"U0CTO", "U0ADA"}}}
	for _, test := range []struct {
		who    change.PersonID
		groups change.GroupView
		end    bool
		want   change.EventType
		refuse change.RefusalCode
	}{
		{who: "U0CTO", groups: known, want: change.EventStandingKept},
		{who: "U0CTO", groups: known, end: true, want: change.EventStandingEnded},
		{who: "U0ADA", groups: known, refuse: change.NotAllowed},
		{who: "U0BEN", groups: known, refuse: change.NotAllowed},
		{who: "U0CTO", groups: change.GroupView{}, refuse: change.Unestablished},
	} {
		actor := change.Actor{ID: test.who, Standing: change.Member, Groups: test.groups}
		after, events, err := change.Decide(rules, c, change.DecideStanding{End: test.end}, actor, start)
		refusal, refused := errors.AsType[*change.Refusal](err)
		switch {
		case test.refuse != "" && (!refused || refusal.Code != test.refuse):
			t.Errorf("%s: %v, want %s", test.who, err, test.refuse)
		case test.refuse == "" && (err != nil || len(events) != 1 || events[0].Type != test.want || after.Phase != change.Closed):
			t.Errorf("%s: %v, %v in phase %s", test.who, events, err, after.Phase)
		}
	}
}
