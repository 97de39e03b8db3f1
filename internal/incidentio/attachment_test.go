package incidentio_test

import (
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

func TestALinkIsAttachedAsWhatItIs(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://tickets.example.com/browse/OPS-7":                "jira_issue",
		"https://github.com/example/shop/pull/12":                 "github_pull_request",
		"https://gitlab.example.com/a/b/c/-/merge_requests/3":     "gitlab_merge_request",
		"https://example.com/dashboards/9":                        "arbitrary_url",
		"https://tickets.example.com/projects/OPS/browse/summary": "arbitrary_url",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			i := b.open(sandbox.Incident{})
			if _, err := b.client.AttachTicket(t.Context(), i.ID, address); err != nil {
				t.Fatal(err)
			}
			if got := b.server.Attachments(i.ID); len(got) != 1 || got[0].ResourceType != want || got[0].URL != address {
				t.Errorf("attached %+v, want %s", got, want)
			}
		})
	}
}

func TestALinkIsAttachedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i, other := b.open(sandbox.Incident{}), b.open(sandbox.Incident{})
	const address = "https://tickets.example.com/browse/OPS-7"
	if _, err := b.client.AttachTicket(t.Context(), other.ID, address); err != nil {
		t.Fatal(err)
	}
	b.server.Faults.Add(fault.Fault{Kind: fault.InternalLie, Call: "create attachment", Times: 1})
	_, err := b.client.AttachTicket(t.Context(), i.ID, address)
	wantOutcome(t, err, change.Unknown)
	for _, again := range []string{address, "https://Tickets.example.com/browse/OPS-7/", address + "#comment"} {
		if _, err := b.client.AttachTicket(t.Context(), i.ID, again); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.server.Attachments(i.ID); len(got) != 1 {
		t.Errorf("attached %+v", got)
	}
}

func TestATicketOfASystemThatIsNotConnectedIsAPlainLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	b.server.Without("jira_issue")
	if _, err := b.client.AttachTicket(t.Context(), i.ID, "https://tickets.example.com/browse/OPS-7"); err != nil {
		t.Fatal(err)
	}
	if got := b.server.Attachments(i.ID); len(got) != 1 || got[0].ResourceType != "arbitrary_url" || got[0].Title != "OPS-7" {
		t.Errorf("attached %+v", got)
	}
}

func TestAFollowUpWhoseReplyWasLostIsFoundAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	user := b.server.AddUser(sandbox.User{Name: "Ada", SlackID: "U0ADA"})
	draft := change.IncidentFollowUp{IncidentID: i.ID, Title: "Automate the restart\n" + strings.Repeat("long ", 100), Markdown: "Because.", Marker: "EC-12 action", Assignee: "U0ADA"}
	longer := draft
	longer.Marker = "EC-112 action"
	if _, err := b.client.CreateFollowUp(t.Context(), longer); err != nil {
		t.Fatal(err)
	}
	b.server.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create follow-up", Times: 1})
	_, err := b.client.CreateFollowUp(t.Context(), draft)
	wantOutcome(t, err, change.Unknown)
	id, err := b.client.CreateFollowUp(t.Context(), draft)
	if err != nil {
		t.Fatal(err)
	}
	got := b.server.FollowUps(i.ID)
	if len(got) != 2 || got[1].ID != id {
		t.Fatalf("follow-ups %+v, want two, the second %s", got, id)
	}
	if got[1].AssigneeID != user.ID || !strings.HasSuffix(got[1].Title, " [EC-12 action]") || len([]rune(got[1].Title)) > 200 {
		t.Errorf("follow-up %+v", got[1])
	}
}

func TestAFollowUpForSomebodyUnknownIsNobodys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.open(sandbox.Incident{})
	draft := change.IncidentFollowUp{IncidentID: i.ID, Title: "Do it", Marker: "EC-1", Assignee: "U0NOBODY"}
	if _, err := b.client.CreateFollowUp(t.Context(), draft); err != nil {
		t.Fatal(err)
	}
	if got := b.server.FollowUps(i.ID); len(got) != 1 || got[0].AssigneeID != "" {
		t.Errorf("follow-ups %+v", got)
	}
	draft.Marker = ""
	_, err := b.client.CreateFollowUp(t.Context(), draft)
	wantOutcome(t, err, change.Refused)
}
