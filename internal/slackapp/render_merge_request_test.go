package slackapp

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func patchKind() change.Kind {
	return change.Kind{
		ID: "patch", Name: "Hot patch", Requesters: []change.GroupID{"engineers"}, Access: change.NeedNone, Incident: change.NeedOptional,
		MergeRequest: change.NeedRequired, PermanentFix: true, Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}}},
	}
}

func patchRef(n int) change.MergeRequestRef {
	return change.MergeRequestRef{Forge: change.GitLab, Project: "group/app", Number: n, URL: "https://gitlab.com/group/app/-/merge_requests/" + string(rune('0'+n))}
}

func patchSeen(n int) change.MergeRequest {
	return change.MergeRequest{
		Ref: patchRef(n), Title: "Mend <it> & more", Author: "ada", State: change.MROpen, Head: "b", Labels: []string{"Pick"},
		Committers: []change.MRCommitter{}, Approvals: []change.MRApproval{}, SeenAt: morning,
	}
}

func patchMerged(n int, approvals ...string) change.MergeRequest {
	m := patchSeen(n)
	m.State, m.MergedAt, m.MergedCommit = change.MRMerged, morning, "c0ffee"
	for _, user := range approvals {
		m.Approvals = append(m.Approvals, change.MRApproval{User: user, How: change.ByApproval})
	}
	return m
}

func patchRequest() change.Request {
	req := storyRequest()
	req.Kind, req.Target, req.Answers = "patch", "", nil
	req.MergeRequests = []change.RequestedMergeRequest{{Ref: patchRef(1)}}
	return req
}

// patched is a life in which everything happens that can happen to merge requests.
func patched(t *testing.T) *story {
	t.Helper()
	s := begin(t, patchRequest())
	s.do("", change.StatusSeen{Snapshot: change.StatusSnapshot{
		Indicator: "critical", Description: "Major Service Outage", TakenAt: morning,
		Components: []change.StatusComponent{{Name: "Actions", Status: "major_outage"}, {Name: "Git Operations", Status: "operational"}},
	}})
	s.do("", change.MergeRequestSeen{Item: 1, Seen: patchSeen(1)}).approved()
	s.do(ada, change.LinkMergeRequest{Ref: change.MergeRequestRef{URL: "https://git.example.com/x/pull/3"}}, change.LinkMergeRequest{Ref: patchRef(9)}, change.LinkMergeRequest{Ref: patchRef(2), Fix: true})
	s.do("", change.MergeRequestRefused{Item: 3, Say: "GitLab does not have it."}, change.MergeRequestSeen{Item: 1, Seen: patchMerged(1, "bob")})
	s.do(cto, change.ConfirmMergeRequest{Item: 1}, change.ConfirmMergeRequest{Item: 2}).do(ada, change.Finish{})
	s.do("", change.MergeRequestSeen{Item: 1, Seen: patchMerged(1)}).wait(25 * time.Hour).wait(80 * time.Hour)
	s.do("", change.MergeRequestSeen{Item: 4, Seen: patchMerged(2)}, change.MergeRequestSeen{Item: 1, Seen: patchMerged(1, "bob")})
	return s
}

// hostileMergeRequests puts one text wherever a forge or a person could.
func hostileMergeRequests(all []change.LinkedMergeRequest, typed string) []change.LinkedMergeRequest {
	var out []change.LinkedMergeRequest
	for _, m := range all {
		m.Ref.Project = typed
		if !m.Ref.Readable() {
			m.Ref.URL = "https://evil.example/" + typed
		}
		if m.Refused != "" {
			m.Refused = typed
		}
		if m.Seen != nil {
			seen := *m.Seen
			seen.Title, seen.Author, seen.Labels = typed, typed, []string{typed, typed}
			seen.Approvals = []change.MRApproval{{User: typed + "2"}}
			m.Seen = &seen
			m.Deployed = &change.MRDeployment{Environment: typed, At: morning}
		}
		out = append(out, m)
	}
	return out
}

func TestTheThreadTellsWhatBecameOfMergeRequests(t *testing.T) {
	t.Parallel()
	s := patched(t)
	var told []string
	for _, m := range s.told {
		for _, p := range m.postings() {
			if p.Delivery.Kind == change.DeliverThread {
				told = append(told, shown(storyWords().render(p)))
			}
		}
	}
	all := strings.Join(told, "\n")
	for _, want := range []string{
		"<@U0ADA> linked merge request <https://gitlab.com/group/app/-/merge_requests/1|group/app!1>.",
		"It is not known who <@U0ADA> is on GitLab", "[Confirm review]",
		"linked the permanent fix: <https://gitlab.com/group/app/-/merge_requests/2|group/app!2>.",
		"breakglass cannot read it", "group/app!9> was not taken: GitLab does not have it.",
		"group/app!1> was merged <!date^", "<@U0CTO> confirmed the review of",
		"The independent review is done, by", "The independent review counts no more: <https://gitlab.com/group/app/-/merge_requests/1|group/app!1> lacks",
		"The permanent fix is merged.", "Overdue: the independent review was owed by",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the thread does not tell %q:\n%s", want, all)
		}
	}
}

func TestTheCardListsMergeRequestsAndWhatGitHubSaid(t *testing.T) {
	t.Parallel()
	s := patched(t)
	wantWords(t, card(cardOf(s.c)),
		"*GitHub said* at <!date^", ": Actions: major outage",
		"*Merge request:* <https://gitlab.com/group/app/-/merge_requests/1|group/app!1> “Mend &lt;it&gt; &amp; more”, merged <!date^", "by ada, labels: Pick; approved there by bob, confirmed by <@U0CTO>",
		"*Merge request:* <https://git.example.com/x/pull/3|https://git.example.com/x/pull/3> (kept as text",
		"group/app!9> – not taken: GitLab does not have it.", "*Permanent fix:*", "[Link merge request]")
	begun := begin(t, patchRequest())
	wantWords(t, card(cardOf(begun.c)), "group/app!1> (not checked yet)")
	wantWords(t, storyWords().render(askOf(begun.c, 1)), "group/app!1> (not checked yet)")
	refused := begun.do("", change.MergeRequestRefused{Item: 1, Say: "GitLab does not have it."})
	wantWords(t, card(cardOf(refused.c)), "[Withdraw]", "[Link merge request]")
}

func TestTheEndOnEvidenceSaysWhatItRestsOn(t *testing.T) {
	t.Parallel()
	for want, on := range map[string]*change.Deployment{
		"every merge request is merged":              nil,
		"every merge request is merged and deployed": {Label: "workflow::production"},
	} {
		s := begin(t, patchRequest()).approved()
		s.c.Plan.EndsOn = on
		e := change.Event{Type: change.EventEnded, Facts: change.Facts{"how": "evidence"}}
		if got := threadLine(&s.c, e); got != "Ended: "+want+"." {
			t.Errorf("the thread says %q", got)
		}
		wantWords(t, endedMessage(&s.c, e), "It has ended: "+want+".", "[Link merge request]")
	}
}

func TestRemindersOfMergeRequestsSayWhatToDo(t *testing.T) {
	t.Parallel()
	s := patched(t)
	for name, want := range map[change.ObligationName]string{
		change.OweIndependentReview: "begins with Approved or Reviewed", change.OwePermanentFix: "Link the merge request that fixes it for good",
		change.OweMergeRequest: "that the change was made by",
	} {
		c := s.c
		c.Obligations = []change.Obligation{{Name: name, State: change.Owed, Owner: ada, Due: morning.Add(100 * time.Hour)}}
		wantWords(t, reminder(change.Posting{Change: c, Delivery: change.Delivery{Kind: change.DeliverReminder, To: ada, Ref: change.Ref{Obligation: name}}}),
			want, "[Link merge request]", "Your "+obligationWords(c.Obligations[0])+" is owed")
	}
}
