package slackapp

import (
	"slices"
	"testing"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestEveryButtonThatIsPostedIsOneThatTheClickBelieves(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for name, s := range lives(t) {
		for _, p := range s.postings() {
			m := storyWords().render(p)
			if m == nil {
				continue
			}
			for _, b := range m.blocks {
				row, ok := b.(*slack.ActionBlock)
				if !ok {
					continue
				}
				for _, e := range row.Elements.ElementSet {
					button, ok := e.(*slack.ButtonBlockElement)
					if !ok || button.URL != "" {
						continue
					}
					seen[button.ActionID] = true
					key, valid := parseKey(button.Value)
					if !valid || key.Number != p.Change.Number || !slices.Contains(carries(p.Delivery.Kind), button.ActionID) || !fits(key, button.ActionID, p.Delivery.Ref) {
						t.Errorf("%s: %s of a %s message, with value %q, would be taken for a forgery", name, button.ActionID, p.Delivery.Kind, button.Value)
					}
				}
			}
		}
	}
	for _, want := range []string{actionApprove, actionDeny, actionChangeDuration, actionShow, actionFinish, actionExtend, actionEndNow, actionAskAgain, actionSignOff, actionRemindLater, actionMarkStanding, actionOnCall, actionLinkMergeRequest, actionConfirmReview} {
		if !seen[want] {
			t.Errorf("no message has %s, so nothing was proven of it", want)
		}
	}
}

func TestAKeyThatWasNotWrittenByUsIsNoKey(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "1", "1/1//0 ", "01/1//0", "-1/1//0", "0/1//0", "1/1//0/0", "1/x//0", "1/1/record", "１/1//0"} {
		if k, ok := parseKey(s); ok {
			t.Errorf("%q is taken for %+v", s, k)
		}
	}
	k := buttonKey{Number: 12, Ask: 3, Obligation: change.OweRecord, Item: 2}
	if got, ok := parseKey(k.value()); !ok || got != k {
		t.Errorf("%q is read as %+v, %v", k.value(), got, ok)
	}
}
