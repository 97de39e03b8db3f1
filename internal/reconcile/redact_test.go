package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

func asSecret(r *change.Request) { r.Kind = "secret" }

// confide makes a change confidential, as incident.io does by hiding its incident.
func (b *recordBundle) confide(t *testing.T, c change.Change) change.Change {
	t.Helper()
	private := change.Incident{ID: "01JHIDDEN", Reference: "INC-99", Name: "the zebra has escaped", Status: "Live", Category: change.IncidentLive, Private: true, SeenAt: b.clock.now()}
	return b.do(t, c.Number, engineer, change.LinkIncident{Incident: private})
}

var wordyReview = change.ReviewText{What: typedWhat, Standard: typedWhy, Prevent: typedDone, Actions: []change.Action{
	{What: "fence the zebra in", Owner: engineer, Due: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)},
}}

func TestATicketOfAConfidentialChangeIsMadeUnderItsSecurityLevel(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"Security team", "10001"} {
		b := setupRecords(t)
		b.Project.SecurityLevel = level
		c := b.made(t, ticketNow, asSecret)
		b.work(t)
		b.write(t, c.Number)
		b.do(t, c.Number, engineer, change.AddNote{Text: "the ostrich sleeps"}, change.SubmitReview{Text: wordyReview})
		b.work(t)
		b.pass(t, 3*time.Minute, 30*time.Second)
		for _, i := range b.jira.Issues() {
			if i.Security != "Security team" {
				t.Errorf("%s is under the level %q", i.Key, i.Security)
			}
		}
		if all := b.everything(); len(b.jira.Issues()) != 2 || !strings.Contains(all, typedWhat) || !strings.Contains(all, typedDone) || !strings.Contains(all, "ostrich sleeps") || !strings.Contains(all, "fence the zebra in") {
			t.Errorf("the tickets hold too little:\n%s", all)
		}
		if !b.change(t, c.Number).Ticket.Secured {
			t.Error("nobody knows that the ticket is secured")
		}
	}
}

func TestATicketWhoseSecurityLevelJiraDoesNotTakeSaysTheNumberOnly(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Project.SecurityLevel = "No such level"
	c := b.made(t, ticketNow, asSecret)
	b.work(t)
	b.write(t, c.Number)
	b.do(t, c.Number, engineer, change.SubmitReview{Text: wordyReview})
	b.work(t)
	b.pass(t, 5*time.Minute, 30*time.Second)
	wantNone(t, b.everything())
	if len(b.jira.Issues()) != 2 || b.change(t, c.Number).Record.Mirrored != 1 {
		t.Errorf("%d tickets; the record is %+v", len(b.jira.Issues()), b.change(t, c.Number).Record)
	}
}

func TestATicketIsEmptiedWhenItsChangeBecomesConfidential(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.made(t, ticketNow)
	b.do(t, c.Number, engineer, change.AddNote{Text: typedDone})
	b.work(t)
	b.pass(t, 3*time.Minute, 30*time.Second)
	b.jira.CommentAs(ctoAccount, b.issue(t).Key, "I saw the ostrich.")
	if all := b.everything(); !strings.Contains(all, typedWhat) || !strings.Contains(all, typedDone) {
		t.Fatalf("the ticket says nothing that could be taken back:\n%s", all)
	}
	b.confide(t, c)
	b.work(t)
	b.pass(t, 5*time.Minute, 30*time.Second)
	b.write(t, c.Number)
	b.work(t)
	i := b.issue(t)
	for _, own := range comments(i, "breakglass EC-1/") {
		wantNone(t, own)
	}
	wantNone(t, strings.ReplaceAll(b.everything(), "I saw the ostrich.", "")) // other people's words are theirs
	if !strings.HasPrefix(i.Summary, "EC-1, a confidential change") || len(comments(i, "I saw the ostrich.")) != 1 || strings.Contains(b.everything(), "Work on production") {
		t.Errorf("the ticket is now:\n%s", b.everything())
	}
	asked := b.wire.count("PUT /rest/api/2/issue/" + i.ID)
	b.pass(t, 10*time.Minute, time.Minute)
	if again := b.wire.count("PUT /rest/api/2/issue/" + i.ID); again != asked {
		t.Errorf("the ticket is rewritten for ever: %d, then %d", asked, again)
	}
}

func TestATicketIsPutUnderItsLevelWhenItsChangeBecomesConfidential(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Project.SecurityLevel = "Security team"
	c := b.made(t, ticketNow)
	b.work(t)
	if b.issue(t).Security != "" {
		t.Fatal("a ticket for everybody is hidden")
	}
	b.confide(t, c)
	b.work(t)
	if i := b.issue(t); i.Security != "Security team" || !strings.Contains(i.Summary, typedWhat) || !b.change(t, c.Number).Ticket.Secured {
		t.Errorf("the ticket is under the level %q: %s", i.Security, i.Summary)
	}
}

// What a person made is theirs: of a ticket that was linked only our own comments
// are rewritten.
func TestALinkedTicketKeepsItsOwnText(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Project.SecurityLevel = "Security team"
	c := b.made(t, ticketNow)
	b.work(t)
	key := b.issue(t).Key
	other := b.made(t)
	b.do(t, other.Number, engineer, change.LinkTicket{Ticket: change.TicketRef{ID: b.issue(t).ID, Key: key}, Checked: true}, change.AddNote{Text: typedDone})
	b.work(t)
	b.confide(t, other)
	b.work(t)
	i := b.issue(t)
	if i.Security != "" || !strings.Contains(i.Summary, typedWhat) || len(comments(i, typedDone)) != 0 {
		t.Errorf("level %q, summary %q, comments %v", i.Security, i.Summary, comments(i, ""))
	}
	_ = c
}

func TestASecurityLevelIsSetThoughJiraFailedMeanwhile(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Project.SecurityLevel = "Security team"
	c := b.made(t, ticketNow)
	b.work(t)
	b.wire.cut.Store(true)
	b.confide(t, c)
	b.work(t)
	b.wire.cut.Store(false)
	b.pass(t, 5*time.Minute, 30*time.Second)
	if i := b.issue(t); i.Security != "Security team" {
		t.Errorf("the ticket is under the level %q", i.Security)
	}
}

func TestWhatSlackWasToldIsTakenBack(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.made(t)
	b.work(t)
	b.clock.forward(25 * time.Hour)
	b.do2(t, c.Number, change.Tick{})
	b.work(t)
	outsider := change.Delivery{Number: c.Number, Kind: change.DeliverDirect, Key: "x/" + string(other), Mode: change.Once, To: other, Ref: change.Ref{Seq: 1, Message: change.MessageEnded}}
	if err := b.Ledger.Put(t.Context(), []change.Delivery{outsider}, 1, b.clock.now()); err != nil {
		t.Fatal(err)
	}
	b.work(t)
	before := b.slack.posted(change.DeliverThread)
	b.confide(t, c)
	b.work(t)
	b.pass(t, 5*time.Minute, time.Minute)
	if before == 0 || b.slack.taken(change.DeliverThread, "") != before {
		t.Errorf("%d of %d replies were deleted", b.slack.taken(change.DeliverThread, ""), before)
	}
	if b.slack.taken(change.DeliverDirect, other) != 1 || b.slack.taken(change.DeliverDirect, engineer) != 0 || b.slack.taken(change.DeliverReminder, engineer) != 0 {
		t.Error("direct messages: those of people outside have to go, and no others")
	}
	if b.slack.posted(change.DeliverAudit) < 2 { // posted, and edited
		t.Error("the audit channel still shows what it was told")
	}
	after := b.slack.posted(change.DeliverThread)
	b.write(t, c.Number)
	b.work(t)
	if b.slack.posted(change.DeliverThread) != after {
		t.Error("the thread goes on")
	}
	shown, err := b.Ledger.Shown(t.Context(), c.Number)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(shown, func(d ledger.Delivery) bool { return d.Kind == change.DeliverThread }) {
		t.Error("the ledger still counts replies as there")
	}
}

func TestItsPeopleAreShownAConfidentialChangeDirectly(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.request(t, asSecret)
	b.work(t)
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	b.work(t)
	if n := b.slack.count(func(p change.Posting) bool {
		return p.Delivery.Kind == change.DeliverCard && p.Delivery.To == engineer && !p.Outside
	}); n < 2 {
		t.Errorf("the requester's card was written %d times", n)
	}
	if b.slack.count(func(p change.Posting) bool { return p.Outside }) > 0 {
		t.Error("somebody of its own people was taken for an outsider")
	}
}

func TestWhoStandsForTheCTOHearsTheNumberOnly(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Workflow.Rules.Roles.CTO = []change.GroupID{"heads"}
	b.people.more = map[change.GroupID][]change.PersonID{"heads": {other, chief}}
	c := b.made(t, asSecret)
	b.work(t)
	b.clock.forward(25 * time.Hour)
	b.do2(t, c.Number, change.Tick{})
	b.work(t)
	outside := func(to change.PersonID) (told int, outside int) {
		told = b.slack.count(func(p change.Posting) bool {
			return p.Delivery.To == to && p.Delivery.Ref.Message == change.MessageBreach
		})
		outside = b.slack.count(func(p change.Posting) bool {
			return p.Delivery.To == to && p.Delivery.Ref.Message == change.MessageBreach && p.Outside
		})
		return told, outside
	}
	if told, out := outside(other); told != 1 || out != 1 {
		t.Errorf("an outsider was told %d times, %d of them by number", told, out)
	}
	if told, out := outside(chief); told != 1 || out != 0 {
		t.Errorf("an approver was told %d times, %d of them by number", told, out)
	}
}

func TestAMessageWaitsUntilItIsKnownWhetherItsReaderIsCleared(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.made(t, asSecret)
	b.work(t)
	b.people.silent.Store(true)
	doubted := change.Delivery{Number: c.Number, Kind: change.DeliverDirect, Key: "x", Mode: change.Once, To: chief, Ref: change.Ref{Seq: 1, Message: change.MessageSignOffUndone}}
	if err := b.Ledger.Put(t.Context(), []change.Delivery{doubted}, 1, b.clock.now()); err != nil {
		t.Fatal(err)
	}
	told := func() bool { return b.slack.told(chief, change.MessageSignOffUndone) }
	b.work(t)
	if told() {
		t.Error("it was sent to somebody who may be anybody")
	}
	b.people.silent.Store(false)
	b.pass(t, time.Minute, 10*time.Second)
	if !told() {
		t.Error("it is never sent")
	}
}

func TestLinksToMergeRequestsAreTakenOffTheTicket(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	c := b.made(t, ticketNow, func(r *change.Request) {
		r.MergeRequests = []change.RequestedMergeRequest{{Ref: change.MergeRequestRef{URL: "https://elsewhere.example.com/zebra/1"}}}
	})
	b.work(t)
	for _, id := range []string{"breakglass-ec-1-merge-request-1", "somebody-elses"} {
		if err := b.Tickets.UpsertRemoteLink(t.Context(), b.issue(t).ID, id, "https://elsewhere.example.com/zebra/1", "EC-1: zebra"); err != nil {
			t.Fatal(err)
		}
	}
	b.confide(t, c)
	b.work(t)
	b.pass(t, 5*time.Minute, time.Minute)
	links := b.issue(t).Links
	for _, l := range links {
		if l.GlobalID == "breakglass-ec-1-merge-request-1" {
			t.Errorf("the ticket still links to %s", l.URL)
		}
	}
	if len(links) == 0 {
		t.Error("other links are gone as well")
	}
}
