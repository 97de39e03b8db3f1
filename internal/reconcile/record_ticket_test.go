package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandboxjira "github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

func TestTicketHoldsWhatAndWhyAndLinksBackToTheCard(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t, ticketNow)
	b.pass(t, 2*time.Minute, 30*time.Second)
	i := b.issue(t)
	for _, want := range []string{typedWhat, typedWhy, "Erin Engineer", "Work on production", "The pipeline is down", "How is it rolled back?", "undo the lemur", "Requested"} {
		if !strings.Contains(i.Description, want) {
			t.Errorf("the description lacks %q:\n%s", want, i.Description)
		}
	}
	if i.Summary != "EC-1: "+typedWhat || i.Type != "Task" {
		t.Errorf("summary %q, type %q", i.Summary, i.Type)
	}
	if len(i.Links) != 1 || i.Links[0].GlobalID != "breakglass-ec-1" || !strings.HasPrefix(i.Links[0].URL, "https://slack.example.com/C0/") {
		t.Errorf("links are %+v", i.Links)
	}
	got := b.change(t, c.Number)
	if got.Ticket == nil || got.Ticket.Key != i.Key || got.Ticket.ID != i.ID || !got.Ticket.Ours {
		t.Errorf("the change's ticket is %+v", got.Ticket)
	}
}

func TestTicketIsMadeOnceWhateverBecomesOfTheReply(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.ReplyLost, fault.InternalLie, fault.Truncated, fault.Refused, fault.Unavailable, fault.TooMany, fault.HTML} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			b.jira.SetSearchLag(90*time.Second, 3)
			b.jira.Faults.Add(fault.Fault{Kind: kind, Call: "create issue", Times: 1})
			c := b.request(t, ticketNow)
			b.work(t)
			b.pass(t, 20*time.Minute, 10*time.Second)
			i := b.issue(t)
			if got := b.change(t, c.Number).Ticket; got == nil || got.ID != i.ID {
				t.Errorf("the change's ticket is %+v, Jira's is %s", got, i.Key)
			}
		})
	}
}

func TestCreateIsNotRepeatedBeforeSearchHasHadItsTime(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.jira.Faults.Add(fault.Fault{Kind: fault.Internal, Call: "create issue", Times: 1})
	b.request(t, ticketNow)
	b.work(t)
	const create = "POST /rest/api/2/issue"
	b.pass(t, 4*time.Minute+30*time.Second, 10*time.Second)
	if n := b.wire.count(create); n != 1 {
		t.Fatalf("%d creates after four minutes, want one", n)
	}
	b.jira.Faults.Add(fault.Fault{Kind: fault.Internal, Call: "search", Times: 3}) // a search that fails has not looked
	b.pass(t, 4*time.Minute+30*time.Second, 10*time.Second)
	if n := b.wire.count(create); n != 1 {
		t.Fatalf("%d creates although the search failed meanwhile, want one", n)
	}
	b.pass(t, 5*time.Minute, 10*time.Second)
	if n := b.wire.count(create); n != 2 {
		t.Fatalf("%d creates in the end, want two", n)
	}
	_ = b.issue(t)
}

func TestAccidentalTwinsAreJoined(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.expected = "a second one with the label"
	b.jira.SetSearchLag(8*time.Minute, 0) // longer than we wait: a second ticket is made
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create issue", Times: 1})
	c := b.request(t, ticketNow)
	b.work(t)
	b.pass(t, 2*time.Hour, time.Minute)
	all := b.jira.Issues()
	if len(all) != 2 {
		t.Fatalf("there are %d issues, want the two twins", len(all))
	}
	kept := b.change(t, c.Number).Ticket.Key
	for _, i := range all {
		want := 1
		if i.Key == kept {
			want = 0
		}
		if got := comments(i, "duplicate of "+kept); len(got) != want {
			t.Errorf("%s (kept: %s) has %d comments that it is a duplicate, want %d", i.Key, kept, len(got), want)
		}
	}
}

func TestTicketLinkedMeanwhileIsKeptAndOursSaysSo(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	linked := b.jira.AddIssue(sandboxjira.Issue{Project: "WEB", Type: "Task", Summary: "Known already", Creator: engineerAccount})
	b.jira.SetSearchLag(time.Minute, 0)
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create issue", Times: 1})
	c := b.request(t, ticketNow)
	b.work(t)
	b.do(t, c.Number, engineer, change.LinkTicket{Ticket: change.TicketRef{Key: linked}})
	b.pass(t, 15*time.Minute, 15*time.Second)
	got := b.change(t, c.Number).Ticket
	if got.Key != linked || !got.Checked || got.ID == "" {
		t.Errorf("the change's ticket is %+v, want %s, checked", got, linked)
	}
	for _, i := range b.jira.Issues() {
		if i.Key != linked && len(comments(i, "duplicate of "+linked)) != 1 {
			t.Errorf("our own %s does not say what it duplicates: %+v", i.Key, i.Comments)
		}
	}
}

func TestLinkedTicketIsChecked(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		key    func(*recordBundle) string
		linked bool
	}{
		{"one that is there", func(b *recordBundle) string {
			return b.jira.AddIssue(sandboxjira.Issue{Project: "WEB", Type: "Task", Summary: "x", Creator: otherAccount})
		}, true},
		{"one that has moved", func(b *recordBundle) string {
			old := b.jira.AddIssue(sandboxjira.Issue{Project: "WEB", Type: "Task", Summary: "x", Creator: otherAccount})
			b.jira.MoveIssue(old, "OPS")
			return old
		}, true},
		{"one that is not there", func(*recordBundle) string { return "WEB-99" }, false},
		{"one of another project", func(*recordBundle) string { return "SECRET-1" }, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			key := tc.key(b)
			c := b.request(t, func(r *change.Request) { r.Choice, r.Ticket = change.TicketExisting, &change.TicketRef{Key: key} })
			b.work(t)
			got := b.change(t, c.Number).Ticket
			if tc.linked != (got != nil) {
				t.Fatalf("the ticket is %+v, linked should be %t", got, tc.linked)
			}
			if tc.linked && (!got.Checked || got.ID == "") {
				t.Errorf("the ticket is %+v, want it checked", got)
			}
			if told := b.slack.told(engineer, change.MessageTicketRefused); told == tc.linked {
				t.Errorf("the requester was told of a refusal: %t", told)
			}
		})
	}
}

func TestTicketStaysLinkedWhileJiraDoesNotLetUsIn(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, say string
		trouble   func(b *recordBundle, on bool)
	}{
		{"down", "cannot be reached", func(b *recordBundle, on bool) { b.wire.cut.Store(on) }},
		{"locked", "does not accept", func(b *recordBundle, on bool) { b.wire.locked.Store(on) }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setupRecords(t)
			key := b.jira.AddIssue(otherIssue)
			tc.trouble(b, true)
			c := b.request(t, func(r *change.Request) { r.Choice, r.Ticket = change.TicketExisting, &change.TicketRef{Key: key} })
			b.work(t)
			b.pass(t, 5*time.Minute, time.Minute)
			if got := b.change(t, c.Number).Ticket; got == nil || got.Checked {
				t.Fatalf("the ticket is %+v, want it linked and not checked", got)
			}
			waiting, err := b.Ledger.Waiting(t.Context(), c.Number)
			if err != nil || !strings.Contains(waiting[change.SystemJira], tc.say) {
				t.Errorf("waiting for %v (%v)", waiting, err)
			}
			tc.trouble(b, false)
			b.pass(t, 6*time.Minute, 30*time.Second)
			if got := b.change(t, c.Number).Ticket; got == nil || !got.Checked {
				t.Errorf("the ticket is %+v, want it checked", got)
			}
		})
	}
}

func TestRecordGetsATicketAfterTheLinkedOneWasRefused(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.made(t, func(r *change.Request) { r.Choice, r.Ticket = change.TicketExisting, &change.TicketRef{Key: "WEB-99"} })
	b.write(t, c.Number)
	b.work(t)
	b.pass(t, 2*time.Minute, 30*time.Second)
	if got := comments(b.issue(t), typedDone); len(got) != 1 {
		t.Errorf("%d comments hold the record, want one", len(got))
	}
	b.wantOwes(t, c.Number, change.OweSignOff, change.Owed)
}

func TestTicketSaysHowARequestEnded(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t, ticketNow)
	b.work(t)
	b.do(t, c.Number, chief, change.Deny{Ask: 1, Reason: "It can wait"})
	b.work(t)
	if got := comments(b.issue(t), "denied by Cleo Chief"); len(got) != 1 || !strings.Contains(got[0], "It can wait") {
		t.Errorf("the ticket says %q", got)
	}
}
