package slackapp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// buttonsOf lists the labels of a message's buttons.
func buttonsOf(m *message) []string {
	var all []string
	for _, b := range m.blocks {
		if row, ok := b.(*slack.ActionBlock); ok {
			for _, e := range row.Elements.ElementSet {
				all = append(all, e.(*slack.ButtonBlockElement).Text.Text)
			}
		}
	}
	return all
}

// shown is all that a message says, as one text.
func shown(m *message) string {
	var b strings.Builder
	for _, block := range m.blocks {
		switch x := block.(type) {
		case *slack.HeaderBlock:
			b.WriteString("# " + x.Text.Text)
		case *slack.SectionBlock:
			b.WriteString(x.Text.Text)
		case *slack.ContextBlock:
			b.WriteString(x.ContextElements.Elements[0].(*slack.TextBlockObject).Text)
		case *slack.RichTextBlock:
			for _, part := range x.Elements {
				var inline []slack.RichTextSectionElement
				if section, ok := part.(*slack.RichTextSection); ok {
					inline = section.Elements
				} else {
					inline = part.(*slack.RichTextQuote).Elements
					b.WriteString("> ")
				}
				for _, e := range inline {
					b.WriteString(e.(*slack.RichTextSectionTextElement).Text + "\n")
				}
			}
		}
		b.WriteString("\n")
	}
	return b.String() + "[" + strings.Join(buttonsOf(m), "] [") + "]"
}

func wantWords(t *testing.T, m *message, words ...string) {
	t.Helper()
	got := shown(m)
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("the message does not say %q:\n%s", w, got)
		}
	}
}

func TestTheCardHasTheButtonsOfItsState(t *testing.T) {
	t.Parallel()
	done := whole(t).c
	for name, tt := range map[string]struct {
		c    change.Change
		want []string
	}{
		"requested": {begin(t, storyRequest()).c, []string{"Withdraw"}},
		"approved":  {begin(t, storyRequest()).approved().c, []string{"Withdraw", "End now"}},
		"active":    {begin(t, storyRequest()).active().c, []string{"Finish", "Extend", "Add note", "End now"}},
		"ended":     {begin(t, storyRequest()).ended().c, []string{"Add note", "Link record"}},
		"closed":    {done, []string{"Show"}},
		"denied":    {begin(t, storyRequest()).do(cto, change.Deny{Ask: 1, Reason: "no"}).c, []string{"Show"}},
		"lapsed":    {begin(t, storyRequest()).wait(5 * time.Hour).c, []string{"Show"}},
		"withdrawn": {begin(t, storyRequest()).do(ada, change.Withdraw{}).c, []string{"Show"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if string(tt.c.Phase) != name {
				t.Fatalf("the change is %s", tt.c.Phase)
			}
			if got := buttonsOf(card(cardOf(tt.c))); !slices.Equal(got, tt.want) {
				t.Errorf("buttons %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheCardTellsWhoActsNextAndWhatIsOwed(t *testing.T) {
	t.Parallel()
	s := begin(t, storyRequest())
	m := card(cardOf(s.c))
	wantWords(t, m, "# EC-12 · Work on production directly", "*State:* waiting for approval since <!date^1772443800^{date_short_pretty} at {time}|2026-03-02 09:30 UTC>",
		"*Next:* the approvers: cto (asked <!date^1772443800^", "deputies from <!date^1772444400^", "*Who:* <@U0ADA>",
		"*Why not the release process:* The platform cannot recover &amp; needs a hand", "*Where:* BreakGlassAdmin in Production (111122223333)",
		"*For how long:* 1h", "> Restart the <queue> & its workers", "> Orders are stuck", "> Start the old ones again")
	if !strings.HasPrefix(m.text, "EC-12: Work on production directly, <@U0ADA>: Restart the &lt;queue&gt; &amp; its workers – waiting for approval") {
		t.Errorf("the notification says %q", m.text)
	}
	s.wait(11 * time.Minute)
	wantWords(t, card(cardOf(s.c)), "deputies (asked too)")

	s.approved()
	wantWords(t, card(cardOf(s.c)), "*State:* approved by <@U0CTO>; access on its way")
	s.do("", change.IntendAccess{}, change.AccessVerified{})
	wantWords(t, card(cardOf(s.c)), "*State:* active from", "<@U0ADA> makes the change and then presses *Finish*", "• record – <@U0ADA>, by <!date^")
	s.do(ada, change.Extend{Duration: time.Hour, Why: "slow"})
	wantWords(t, card(cardOf(s.c)), "for more time, the approvers: cto (asked")

	s.do(ada, change.Finish{})
	p := cardOf(s.c)
	p.Waiting = map[change.System]string{change.SystemJira: "Jira is <down>."}
	wantWords(t, card(p), "*State:* ended <!date^", "by <@U0ADA>", "AWS has not shown yet that it is gone", "*Next:* <@U0ADA>",
		"• post-incident review – <@U0ADA>", "*Waiting for*\n• Jira: Jira is &lt;down&gt;.")
	s.do("", change.AccessGone{Sessions: time.Hour})
	wantWords(t, card(cardOf(s.c)), "The access is gone since", "Sessions that were open then may live until")
	s.wait(30 * time.Hour)
	wantWords(t, card(cardOf(s.c)), ": overdue")
	s.do(ada, change.WriteRecord{Done: "d", Why: "w"})
	wantWords(t, card(cardOf(s.c)), "written, not in Jira yet")
}

func TestTheCardLinksTicketIncidentAndMergeRequests(t *testing.T) {
	t.Parallel()
	req := storyRequest()
	req.Incident = storyIncident()
	s := begin(t, req).active()
	s.do("", change.LinkTicket{Ticket: change.TicketRef{ID: "1", Key: "OPS-1", URL: "https://example.atlassian.net/browse/OPS-1"}})
	s.do(ada, change.LinkURL{URL: "https://gitlab.example.com/a?x=1&y=2"}, change.LinkURL{URL: "javascript:alert(1)"})
	for i := range 7 {
		s.do(ada, change.LinkURL{URL: "https://example.com/" + string(rune('a'+i))})
	}
	wantWords(t, card(cardOf(s.c)), "*Ticket:* <https://example.atlassian.net/browse/OPS-1|OPS-1> (not seen in Jira yet)",
		"*Incident:* <https://app.incident.io/incidents/7|INC-7 “Orders are stuck”> (Investigating)",
		"*Recorded* in <https://app.incident.io/incidents/7|INC-7", "; no separate sign-off",
		"*Link:* <https://gitlab.example.com/a?x=1&amp;y=2|https://gitlab.example.com/a?x=1&amp;y=2>", "*Link:* javascript:alert(1)\n", "4 more links: Show")
}

func TestTheCardSaysThatStandingAccessIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := begin(t, storyRequest()).approved().do("", change.AccessVerified{Standing: true}).c
	wantWords(t, card(cardOf(c)), "The access had been there before this change. It is left alone")
}

func TestTenObligationsFitOnACard(t *testing.T) {
	t.Parallel()
	c := begin(t, storyRequest()).ended().c
	for i := range 20 {
		c.Obligations = append(c.Obligations, change.Obligation{
			Name: change.OweAction, Item: i + 1, State: change.Owed, Due: morning,
			Groups: []change.GroupID{change.GroupID(strings.Repeat("&", 200)), change.GroupID(strings.Repeat("<", 200)), "c", "d"},
		})
	}
	b := setupPost(t)
	b.write(t, cardOf(c))
	if v := b.ws.Violations(); len(v) > 0 {
		t.Error(v)
	}
	wantWords(t, card(cardOf(c)), "preventive action 10", "and 10 more: Show")
}
