package slackapp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// directs renders the direct messages of a kind that a story has caused, for
// each person told.
func directs(s *story, which change.Message) []*message {
	var all []*message
	for _, p := range s.postings() {
		if p.Delivery.Kind == change.DeliverDirect && p.Delivery.Ref.Message == which {
			all = append(all, storyWords().render(p))
		}
	}
	return all
}

func TestEachDirectMessageSaysWhatItIsForAndHasItsButtons(t *testing.T) {
	t.Parallel()
	all := lives(t)
	commentOnly := whole(t)
	for i := range commentOnly.told {
		commentOnly.told[i].c.Plan.SignOff.Accept = []change.SignOffWay{change.SignOffByJiraComment}
	}
	extended := begin(t, storyRequest()).active().do(ada, change.Extend{Duration: time.Hour}).wait(50*time.Minute + time.Second)
	refused := begin(t, storyRequest()).active()
	refused.do("", change.LinkTicket{Ticket: change.TicketRef{Key: "OPS-1"}}, change.TicketChecked{Asked: "OPS-1", Ticket: change.TicketRef{Key: "OPS-1"}, Refused: "It is of another project."})
	for name, tt := range map[string]struct {
		s       *story
		which   change.Message
		words   []string
		buttons []string
	}{
		"approved":              {all["whole"], change.MessageApproved, []string{"Approved by <@U0CTO>, for 30m. The access is on its way"}, nil},
		"approved, no access":   {all["no access"], change.MessageApproved, []string{"you may begin"}, nil},
		"active":                {all["whole"], change.MessageActive, []string{"You have BreakGlassAdmin in Production (111122223333) until <!date^", "<https://example.awsapps.com/start|AWS access portal>", "`aws sso login`", "*Account:* 111122223333 (Production)", "*Permission set:* BreakGlassAdmin"}, []string{"Finish", "Extend"}},
		"active, no access":     {all["no access"], change.MessageActive, []string{"You may make the change now"}, []string{"Finish"}},
		"end warned":            {extended, change.MessageEndWarned, []string{"It ends <!date^"}, []string{"Extend", "Finish"}},
		"ended":                 {all["whole"], change.MessageEnded, []string{"*Still owed*", "• record – <@U0ADA>", "• post-incident review"}, []string{"Write record", "Write review"}},
		"reported":              {all["reported"], change.MessageEnded, []string{"It is recorded as reported"}, []string{"Write record", "Write review"}},
		"denied":                {all["denied"], change.MessageDenied, []string{"<@U0CTO> denied it.", "> Wait it <out>"}, []string{"Ask again"}},
		"lapsed":                {all["lapsed"], change.MessageLapsed, []string{"Nobody decided in time"}, []string{"Ask again"}},
		"withdrawn":             {all["withdrawn"], change.MessageWithdrawn, []string{"<@U0CTO> ended it before any access was given."}, []string{"Ask again"}},
		"extended":              {all["whole"], change.MessageExtended, []string{"Extended by 1h: it ends at <!date^"}, []string{"Finish"}},
		"extension denied":      {all["whole"], change.MessageExtensionDenied, []string{"<@U0CTO> denied more time.", "> Enough now"}, []string{"Finish"}},
		"sign-off doubted":      {all["whole"], change.MessageSignOffDoubted, []string{"it holds a question mark", "A comment of yours on"}, []string{"Sign off"}},
		"doubted, comment only": {commentOnly, change.MessageSignOffDoubted, []string{"Sign off with a comment on <https://example.atlassian.net/browse/OPS-10|OPS-10>."}, nil},
		"sign-off undone":       {all["whole"], change.MessageSignOffUndone, []string{"The sign-off by <@U0CTO> counts no more: the comment was deleted. It is owed again."}, nil},
		"signed off":            {all["whole"], change.MessageSignedOff, []string{"<@U0CTO> signed it off"}, nil},
		"breach":                {all["whole"], change.MessageBreach, []string{"Overdue: the record was owed by <!date^", "*Owed by:* <@U0ADA>"}, []string{"Show"}},
		"ticket refused":        {refused, change.MessageTicketRefused, []string{"Ticket OPS-1 was not taken: It is of another project."}, []string{"Link record"}},
		"closed":                {all["whole"], change.MessageClosed, []string{"nothing is owed any more"}, []string{"Show"}},
		"standing":              {all["standing"], change.MessageStanding, []string{"<@U0ADA> had BreakGlassAdmin in Production", "left alone"}, []string{"Mark as standing", "End access", "Show"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := directs(tt.s, tt.which)
			if len(found) == 0 {
				t.Fatal("the story causes no such message")
			}
			wantWords(t, found[0], tt.words...)
			if got := buttonsOf(found[0]); !slices.Equal(got, tt.buttons) {
				t.Errorf("buttons %q, want %q", got, tt.buttons)
			}
		})
	}
}

func TestOnlyTheChangesOwnPeopleAreOfferedToAskAgain(t *testing.T) {
	t.Parallel()
	found := directs(lives(t)["failed"], change.MessageFailed)
	if len(found) != 2 {
		t.Fatalf("%d messages, want one to the requester and one to the approver", len(found))
	}
	wantWords(t, found[0], "No access was given: There is no such AWS user.", "[Ask again]")
	if got := buttonsOf(found[1]); len(got) > 0 {
		t.Errorf("the approver is offered %q", got)
	}
}

func TestAReminderHasTheButtonThatMeetsItAndCannotBePutOffOnceOverdue(t *testing.T) {
	t.Parallel()
	s := begin(t, storyRequest()).ended()
	s.do("", change.LinkTicket{Ticket: change.TicketRef{ID: "1", Key: "OPS-1", URL: "https://example.atlassian.net/browse/OPS-1"}, Ours: true})
	of := func(name change.ObligationName) *message {
		return storyWords().render(change.Posting{Change: s.c, Delivery: change.Delivery{Kind: change.DeliverReminder, To: ada, Ref: change.Ref{Obligation: name}}})
	}
	for name, button := range map[change.ObligationName]string{change.OweRecord: "Write record", change.OweReview: "Write review", change.OweSignOff: "Sign off"} {
		m := of(name)
		if got, want := buttonsOf(m), []string{button, "Remind me later"}; !slices.Equal(got, want) {
			t.Errorf("%s: buttons %q, want %q", name, got, want)
		}
		if !strings.Contains(m.text, "is owed by <!date^") {
			t.Errorf("%s: the notification says %q", name, m.text)
		}
	}
	s.wait(30 * 24 * time.Hour)
	m := of(change.OweRecord)
	if got, want := buttonsOf(m), []string{"Write record"}; !slices.Equal(got, want) {
		t.Errorf("overdue: buttons %q, want %q", got, want)
	}
	wantWords(t, m, "Your record is overdue: it was owed by <!date^")
	s.do(ada, change.WriteRecord{Done: "d", Why: "w"})
	if got := buttonsOf(of(change.OweRecord)); len(got) > 0 {
		t.Errorf("what is done is still asked for: %q", got)
	}
}

func TestASignersMessageIsAnsweredOnceSomebodyHasSignedOff(t *testing.T) {
	t.Parallel()
	s := begin(t, storyRequest()).ended()
	s.do("", change.LinkTicket{Ticket: change.TicketRef{ID: "1", Key: "OPS-1", URL: "https://example.atlassian.net/browse/OPS-1"}, Ours: true})
	s.do(ada, change.WriteRecord{Done: "Restarted <it>", Why: "It hung"}).do("", change.RecordMirrored{Revision: 1, In: change.RecordInJira})
	ask := func() *message {
		return storyWords().render(change.Posting{Change: s.c, Delivery: change.Delivery{Kind: change.DeliverSignOff, To: deputy}})
	}
	wantWords(t, ask(), "*Ticket:* <https://example.atlassian.net/browse/OPS-1|OPS-1>", "> Restarted <it>", "[Sign off] [Show]")
	s.do(cto, change.SignOff{})
	wantWords(t, ask(), "Signed off by <@U0CTO>, <!date^")
	if got := buttonsOf(ask()); len(got) > 0 {
		t.Errorf("a dead button stays: %q", got)
	}
}

func TestTheAuditChannelCanActOnStandingAccess(t *testing.T) {
	t.Parallel()
	var heard []string
	for name, s := range lives(t) {
		for _, p := range s.postings() {
			if p.Delivery.Kind != change.DeliverAudit {
				continue
			}
			m := storyWords().render(p)
			heard = append(heard, auditTopic(p.Event))
			if name == "standing" && !slices.Equal(buttonsOf(m), []string{"Mark as standing", "End access", "Show"}) {
				t.Errorf("standing access: buttons %q", buttonsOf(m))
			}
		}
	}
	for _, want := range []string{"overdue", "sign-off undone", "access is back", "message not delivered", "incident takes no notes", "standing access found"} {
		if !slices.Contains(heard, want) {
			t.Errorf("the audit channel never hears %q, only %q", want, heard)
		}
	}
}
