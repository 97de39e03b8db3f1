package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandboxincidentio "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	sandboxjira "github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

var otherIssue = sandboxjira.Issue{Project: "WEB", Type: "Task", Summary: "Known already", Creator: otherAccount}

func theReview() change.SubmitReview {
	return change.SubmitReview{Text: change.ReviewText{
		What: "The broker hung", Standard: "The pipeline was down", Prevent: "A second broker",
		Actions: []change.Action{
			{What: "Order a second broker", Owner: engineer, Due: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)},
			{What: "Alert on the queue", Owner: deputy, Due: time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)},
		},
	}}
}

func TestPreventiveActionsBecomeTicketsWithOwnerAndDate(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.jira.SetSearchLag(time.Minute, 0)
	n, key := b.recorded(t)
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create issue", Times: 1})
	b.do(t, n, engineer, theReview())
	b.work(t)
	b.pass(t, 20*time.Minute, 10*time.Second)
	found := map[string]sandboxjira.Issue{}
	for _, i := range b.jira.Issues() {
		found[i.Summary] = i
	}
	if len(found) != 3 || len(b.jira.Issues()) != 3 {
		t.Fatalf("there are %d issues, want the record and two actions", len(b.jira.Issues()))
	}
	first, second := found["Order a second broker"], found["Alert on the queue"]
	if first.Assignee != engineerAccount || first.Due != "2026-04-01" || first.Type != "Prevention" || !strings.Contains(first.Description, "Erin Engineer") {
		t.Errorf("the first action is %+v", first)
	}
	if second.Assignee != "" || second.Due != "2026-05-02" || !strings.Contains(second.Description, "Dana Deputy") {
		t.Errorf("the second action is %+v", second)
	}
	issue, _ := b.jira.Issue(key)
	if got := comments(issue, "A second broker"); len(got) != 1 || !strings.Contains(got[0], "Order a second broker") {
		t.Errorf("the record holds the review as %q", got)
	}
	c := b.change(t, n)
	for i, want := range []string{first.Key, second.Key} {
		if got := c.Review.Text.Actions[i].Ticket; got == nil || got.Key != want || b.owes(t, n, change.OweAction, i+1) != change.Done {
			t.Errorf("action %d has ticket %+v, want %s", i+1, got, want)
		}
	}
	b.jira.CommentAs(ctoAccount, key, "Fine")
	b.pass(t, 2*time.Minute, time.Minute)
	if got := b.change(t, n); got.Phase != change.Closed {
		t.Errorf("the change is %s and owes %+v, want it closed", got.Phase, got.Owing())
	}
}

func TestPreventiveActionsBecomeFollowUpsWithoutJira(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Tickets = nil
	user := b.incidents.AddUser(sandboxincidentio.User{Name: "Erin", SlackID: string(engineer)})
	id := b.incidentOf(t, sandboxincidentio.Incident{})
	c := b.made(t, b.during(t, id))
	b.write(t, c.Number)
	b.incidents.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create follow-up", Times: 1})
	b.do(t, c.Number, engineer, theReview())
	b.work(t)
	b.pass(t, 3*time.Minute, 5*time.Second)
	all := b.incidents.FollowUps(id)
	if len(all) != 2 || !strings.HasPrefix(all[0].Title, "Order a second broker") || all[0].AssigneeID != user.ID || !strings.Contains(all[0].Description, "2026-04-01") {
		t.Errorf("the follow-ups are %+v", all)
	}
	if n := b.titles(id, "post-incident review"); n != 1 {
		t.Errorf("%d reviews in the incident, want one", n)
	}
	if got := b.change(t, c.Number); got.Phase != change.Closed {
		t.Errorf("the change is %s and owes %+v, want it closed", got.Phase, got.Owing())
	}
}
