package slackapp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestTheApproversNotificationSaysByItselfWhatIsAsked(t *testing.T) {
	t.Parallel()
	yes := true
	already, unknown, during, plain := storyRequest(), storyRequest(), storyRequest(), storyRequest()
	already.AlreadyThere = &yes
	unknown.AlreadyThere = nil
	during.Incident = storyIncident()
	plain.Target, plain.Choice = "", change.TicketLater
	for name, tt := range map[string]struct {
		req  change.Request
		want []string
	}{
		"who, what, where, how long": {storyRequest(), []string{
			"EC-12: <@U0ADA> asks: Restart the &lt;queue&gt; &amp; its workers.",
			"Where: BreakGlassAdmin in Production (111122223333). How long: 1h.", "They do not have this access now.", "in a Jira ticket that is opened now, with a sign-off by cto",
		}},
		"access that is there":    {already, []string{"They have this access already."}},
		"access nobody looked at": {unknown, []string{"AWS did not say whether they have this access already."}},
		"recorded in an incident": {during, []string{"Recorded in <https://app.incident.io/incidents/7|INC-7 “Orders are stuck”> (Investigating); no separate sign-off."}},
		"without access":          {plain, []string{"Where: no access through breakglass. How long: until it is finished, at most 24h.", "in a Jira ticket that is opened later"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := storyWords().render(askOf(begin(t, tt.req).c, 1))
			for _, w := range tt.want {
				if !strings.Contains(m.text, w) {
					t.Errorf("the notification does not say %q: %s", w, m.text)
				}
			}
		})
	}
}

func TestAnApproversMessageNeverKeepsADeadButton(t *testing.T) {
	t.Parallel()
	w := storyWords()
	s := begin(t, storyRequest())
	want := func(p change.Posting, want ...string) {
		t.Helper()
		if got := buttonsOf(w.render(p)); !slices.Equal(got, want) {
			t.Errorf("%s, to %s: buttons %q, want %q", s.c.Phase, p.Delivery.To, got, want)
		}
	}
	want(askOf(s.c, 1), "Approve", "Deny", "Change duration", "Show")
	s.approved()
	other := askOf(s.c, 1)
	other.Delivery.To = deputy
	want(askOf(s.c, 1), "End now")
	want(other)
	wantWords(t, w.render(other), "*Decision:* approved by <@U0CTO>, <!date^", "for 1h.")
	s.do("", change.IntendAccess{}, change.AccessVerified{})
	want(askOf(s.c, 1), "End now")
	s.do(ada, change.Extend{Duration: time.Hour, Why: "It is <slow>"})
	want(askOf(s.c, 2), "Approve", "Deny")
	m := w.render(askOf(s.c, 2))
	wantWords(t, m, "<@U0ADA> asks for 1h more: BreakGlassAdmin in Production", "> It is <slow>")
	if !strings.Contains(m.text, "<@U0ADA> asks for 1h more") || !strings.Contains(m.text, "Why: It is &lt;slow&gt;.") {
		t.Errorf("the notification of an extension says %q", m.text)
	}
	s.do(ada, change.Finish{})
	want(askOf(s.c, 1))
	want(askOf(s.c, 2))
	wantWords(t, w.render(askOf(s.c, 2)), "the change ended before anybody decided")

	s = begin(t, storyRequest()).do(cto, change.Deny{Ask: 1, Reason: "Wait it <out>"})
	want(askOf(s.c, 1))
	wantWords(t, w.render(askOf(s.c, 1)), "*Decision:* denied by <@U0CTO>", "Wait it &lt;out&gt;")
	s = begin(t, storyRequest()).wait(5 * time.Hour)
	want(askOf(s.c, 1))
	wantWords(t, w.render(askOf(s.c, 1)), "*Decision:* none; it lapsed")
	s = begin(t, storyRequest()).do(ada, change.Withdraw{})
	wantWords(t, w.render(askOf(s.c, 1)), "the change was withdrawn")
	plain := storyRequest()
	plain.Target = ""
	s = begin(t, plain)
	want(askOf(s.c, 1), "Approve", "Deny", "Show")
}

func TestWhoeverHasGivenTheirApprovalIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	s := begin(t, storyRequest())
	s.c.Plan.Approvals = append(s.c.Plan.Approvals, change.ApprovalRule{From: []change.GroupID{"deputies"}})
	s.approved()
	m := storyWords().render(askOf(s.c, 1))
	if got := buttonsOf(m); len(got) > 0 {
		t.Errorf("buttons %q, want none", got)
	}
	wantWords(t, m, "Approved by <@U0CTO>; still needed: the approvers: deputies")
}

func TestAnApprovalIsConfirmedAndItsButtonsHoldNothingButAKey(t *testing.T) {
	t.Parallel()
	m := storyWords().render(askOf(begin(t, storyRequest()).c, 1))
	row := m.blocks[len(m.blocks)-1].(*slack.ActionBlock)
	for _, e := range row.Elements.ElementSet {
		b := e.(*slack.ButtonBlockElement)
		if key, ok := parseKey(b.Value); !ok || key.Number != 12 || key.Ask != 1 {
			t.Errorf("%s holds %q", b.Text.Text, b.Value)
		}
		if (b.Confirm != nil) != (b.ActionID == actionApprove) {
			t.Errorf("%s asks first: %v", b.Text.Text, b.Confirm != nil)
		}
		if b.Confirm != nil && b.Confirm.Text.Text != "BreakGlassAdmin in Production, for 1h." {
			t.Errorf("Approve asks %q", b.Confirm.Text.Text)
		}
	}
}

func TestAGroupIsMentionedOnceAndInWordsWhereSlackHasNoSuchGroup(t *testing.T) {
	t.Parallel()
	s := begin(t, storyRequest())
	p := askOf(s.c, 1)
	p.Group, p.Delivery.To = true, ""
	wantWords(t, storyWords().render(p), "Any of these may decide: <!subteam^S0CTO>", "[Approve] [Deny]")
	p.Delivery.Ref.Fallback = true
	wantWords(t, storyWords().render(p), "Any of these may decide: deputies\n")
	s.approved()
	p.Change = s.c
	if got := shown(storyWords().render(p)); strings.Contains(got, "subteam") || strings.Contains(got, "[Approve]") {
		t.Errorf("the decided question still calls: %s", got)
	}
}

func TestAnApproversMessageSaysNothingThatHoldsNoMore(t *testing.T) {
	t.Parallel()
	w := storyWords()
	s := begin(t, storyRequest()).approved()
	s.do("", change.IntendAccess{}, change.AccessVerified{})
	lacks := func(p change.Posting, words ...string) {
		t.Helper()
		m := w.render(p)
		for _, words := range words {
			if text := shown(m); strings.Contains(text, words) || strings.Contains(m.text, words) {
				t.Errorf("the message still says %q: %s", words, text)
			}
		}
	}
	lacks(askOf(s.c, 1), "They do not have this access now")
	s.do(ada, change.Extend{Duration: time.Hour})
	lacks(askOf(s.c, 2), "They do not have this access now", "Why: .")
	wantWords(t, w.render(askOf(s.c, 2)), "It ends <!date^", "would end <!date^")
	s.do(cto, change.Approve{Ask: 2})
	lacks(askOf(s.c, 2), "would end", "asks for")
	wantWords(t, w.render(askOf(s.c, 2)), "<@U0ADA> asked for 1h more")
}
