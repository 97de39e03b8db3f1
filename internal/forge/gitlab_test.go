package forge_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
)

func gitlabDefaults() gitlab.Options { return gitlab.Options{} }

func mergeRequest() gitlab.MergeRequest { return gitlab.MergeRequest{Title: "Mend the broker"} }

func TestAMergeRequestIsReadWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, gitlab.MergeRequest{
		Title: "Mend\n the  broker", Labels: []string{"severity::1", "Pick into auto-deploy"},
		Commits: []gitlab.Commit{{SHA: "aaaaaaaaaa"}, {SHA: "bbbbbbbbbb", CommitterName: "Someone", CommitterEmail: "Someone@Example.com"}},
	})
	b.clock.forward(time.Minute)
	must(t, b.gitlab.Approve(project, 12, "reviewer"))
	approved := b.clock.now()
	b.clock.forward(time.Minute)
	must(t, b.gitlab.Merge(project, 12, "cccccccccc", "second"))
	merged := b.clock.now()
	b.clock.forward(time.Minute)
	want := change.MergeRequest{
		Ref: ref, Title: "Mend the broker", Author: "author", State: change.MRMerged, Head: "bbbbbbbbbb", MergedAt: merged, MergedCommit: "cccccccccc",
		Committers: []change.MRCommitter{{User: "author"}, {Email: "someone@example.com"}}, // the author is known by name
		Labels:     []string{"Pick into auto-deploy", "severity::1"},
		Approvals:  []change.MRApproval{{User: "reviewer", How: change.ByApproval, At: approved, When: change.BeforeMerge, Commit: "bbbbbbbbbb"}},
		SeenAt:     b.clock.now(),
	}
	if diff := cmp.Diff(want, b.look(t, ref)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOnlyAnIndependentPersonsApprovalCountsOnGitLab(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		commits []gitlab.Commit
		by      []string
		want    []string
	}{
		"nobody, though GitLab says approved": {nil, nil, []string{}},
		"the author":                          {nil, []string{"author"}, []string{}},
		"the requester":                       {nil, []string{"requester"}, []string{}},
		"a bot":                               {nil, []string{"project_1_bot_abc"}, []string{}},
		"somebody whose account is hidden":    {nil, []string{"hidden"}, []string{}},
		"another person":                      {nil, []string{"author", "reviewer"}, []string{"reviewer"}},
		"a committer, known by the name":      {[]gitlab.Commit{{}, {CommitterName: "the reviewer", CommitterEmail: "x@home.example"}}, []string{"reviewer", "second"}, []string{"second"}},
		"a commit's author, known by e-mail":  {[]gitlab.Commit{{AuthorName: "Me", AuthorEmail: "Known@example.com"}}, []string{"known"}, []string{}},
		"a committer who hides the e-mail":    {[]gitlab.Commit{{AuthorName: "Me", AuthorEmail: "9-reviewer@users.noreply.127.0.0.1"}}, []string{"reviewer"}, []string{}},
		"one who hides it and has a new name": {[]gitlab.Commit{{AuthorName: "Me", AuthorEmail: "77-oldname@users.noreply.127.0.0.1"}}, []string{"renamed"}, []string{}},
		"a hidden e-mail of another GitLab":   {[]gitlab.Commit{{AuthorName: "Me", AuthorEmail: "9-reviewer@users.noreply.elsewhere.example"}}, []string{"reviewer"}, []string{"reviewer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.gitlab.AddUser(gitlab.User{Username: "hidden", Hidden: true})
			b.gitlab.AddUser(gitlab.User{Username: "known", PublicEmail: "known@example.com"})
			b.gitlab.AddUser(gitlab.User{Username: "renamed", ID: 77})
			ref := b.onGitLab(t, gitlab.MergeRequest{Commits: c.commits})
			for _, who := range c.by {
				must(t, b.gitlab.Approve(project, 12, who))
			}
			m := b.look(t, ref)
			if len(m.Approvals) != len(c.by) {
				t.Errorf("of %q only %+v are told", c.by, m.Approvals)
			}
			if diff := cmp.Diff(c.want, independent(m)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// GitLab keeps approvals when more is pushed, unless the project says otherwise.
func TestAnApprovalFromBeforeAPushCountsForNothingOnGitLab(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, mergeRequest())
	b.clock.forward(time.Minute)
	must(t, b.gitlab.Approve(project, 12, "reviewer"))
	b.clock.forward(time.Minute)
	must(t, b.gitlab.Push(project, 12, gitlab.Commit{SHA: "dddddddddd"}))
	m := b.look(t, ref)
	if got := independent(m); len(got) != 0 || len(m.Approvals) != 1 || !m.Stale(m.Approvals[0]) {
		t.Errorf("approved by %q: %+v", got, m.Approvals)
	}
	b.clock.forward(time.Minute)
	must(t, b.gitlab.Approve(project, 12, "second"))
	if got := independent(b.look(t, ref)); len(got) != 1 || got[0] != "second" {
		t.Errorf("approved by %q, want the one who saw what was pushed", got)
	}
}

func TestAnApprovalThatIsTakenBackIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, mergeRequest())
	must(t, b.gitlab.Approve(project, 12, "reviewer"))
	if got := independent(b.look(t, ref)); len(got) != 1 {
		t.Fatalf("approved by %q", got)
	}
	must(t, b.gitlab.Unapprove(project, 12, "reviewer"))
	if got := independent(b.look(t, ref)); len(got) != 0 {
		t.Errorf("still approved by %q", got)
	}
}

func TestAfterMergingANoteCounts(t *testing.T) {
	t.Parallel()
	for body, counts := range map[string]bool{
		"Approved": true, "Reviewed, all is well": true, "approved by me": true, "**Approved.** Fine": true, " Reviewed: yes": true, "APPROVED!": true,
		"Approved? I think not": false, "Not approved": false, "Unreviewed": false, "> Approved": false, "Approvedish": false, "I approved it": false,
		"```\nApproved\n```": false, "LGTM": false, "/approve": false, "approve": false,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.onGitLab(t, mergeRequest())
			must(t, b.gitlab.Merge(project, 12, "", "author"))
			b.clock.forward(time.Minute)
			id, err := b.gitlab.Note(project, 12, "reviewer", body)
			must(t, err)
			m := b.look(t, ref)
			if got := len(independent(m)) == 1; got != counts {
				t.Fatalf("counts %v, want %v: %+v", got, counts, m.Approvals)
			}
			want := []change.MRApproval{}
			if counts {
				want = append(want, change.MRApproval{
					User: "reviewer", How: change.ByNote, At: b.clock.now(), When: change.AfterMerge,
					URL: fmt.Sprintf("%s#note_%d", ref.URL, id),
				})
			}
			if diff := cmp.Diff(want, m.Approvals); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestNotesThatAreNobodysApproval(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, mergeRequest())
	note := func(who, body string) int {
		t.Helper()
		id, err := b.gitlab.Note(project, 12, who, body)
		must(t, err)
		return id
	}
	note("reviewer", "Approved, before it was merged")
	must(t, b.gitlab.Approve(project, 12, "second"), b.gitlab.Unapprove(project, 12, "second"))
	if got := b.look(t, ref); len(got.Approvals) != 0 {
		t.Errorf("an open merge request is approved by notes: %+v", got.Approvals)
	}
	b.clock.forward(time.Minute)
	must(t, b.gitlab.Merge(project, 12, "", "author"))
	b.clock.forward(time.Minute)
	note("author", "Approved by myself")
	note("requester", "Reviewed")
	note("project_1_bot_abc", "Approved")
	must(t, b.gitlab.SystemNote(project, 12, "reviewer", "approved this merge request"))
	turned := note("second", "This is wrong")
	gone := note("committer", "Reviewed")
	if got := independent(b.look(t, ref)); len(got) != 1 || got[0] != "committer" {
		t.Errorf("approved by %q, want the committer, who committed nothing here", got)
	}
	b.clock.forward(time.Minute)
	must(t, b.gitlab.EditNote(project, 12, turned, "Approved, says whoever may edit"), b.gitlab.DeleteNote(project, 12, gone))
	m := b.look(t, ref)
	if got := independent(m); len(got) != 0 {
		t.Errorf("approved by %q", got)
	}
	edited := 0
	for _, a := range m.Approvals {
		if a.Edited && a.User == "second" {
			edited++
		}
	}
	if edited != 1 || len(m.Approvals) != 4 {
		t.Errorf("what does not count is not told: %+v", m.Approvals)
	}
}

func TestAnApprovalWithoutATimeIsNotDated(t *testing.T) {
	t.Parallel()
	b := setupWith(t, gitlab.Options{NoTimes: true}, github.Options{})
	ref := b.onGitLab(t, mergeRequest())
	must(t, b.gitlab.Approve(project, 12, "reviewer"))
	if a := b.look(t, ref).Approvals[0]; a.When != change.BeforeMerge || !a.At.IsZero() {
		t.Errorf("while open: %+v", a)
	}
	must(t, b.gitlab.Merge(project, 12, "", "second"))
	if a := b.look(t, ref).Approvals[0]; a.When != "" || !a.At.IsZero() {
		t.Errorf("when merged: %+v", a)
	}
}

func TestStatesAndMergedCommits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, gitlab.MergeRequest{Commits: []gitlab.Commit{{SHA: "aaaaaaaaaa"}}})
	for _, state := range []string{"closed", "locked", "opened"} {
		must(t, b.gitlab.SetState(project, 12, state))
		want := map[string]change.MRState{"closed": change.MRClosed, "locked": change.MROpen, "opened": change.MROpen}[state]
		if m := b.look(t, ref); m.State != want || m.MergedCommit != "" || !m.MergedAt.IsZero() {
			t.Errorf("%s is read as %+v", state, m)
		}
	}
	must(t, b.gitlab.SetState(project, 12, "odd"))
	_, err := b.Look(t.Context(), ref)
	wantOutcome(t, err, change.Unknown)
}

func TestAFastForwardIsMergedAtItsTip(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, gitlab.MergeRequest{Commits: []gitlab.Commit{{SHA: "aaaaaaaaaa"}}})
	must(t, b.gitlab.Merge(project, 12, "", "second"))
	if m := b.look(t, ref); m.MergedCommit != "aaaaaaaaaa" {
		t.Errorf("merged as %q", m.MergedCommit)
	}
}

func TestEveryPageIsRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	commits := make([]gitlab.Commit, 250)
	commits[0] = gitlab.Commit{AuthorName: "The reviewer", AuthorEmail: "first@example.com"} // on the last page
	ref := b.onGitLab(t, gitlab.MergeRequest{Commits: commits})
	must(t, b.gitlab.Merge(project, 12, "", "author"))
	b.clock.forward(time.Minute)
	for _, who := range []string{"reviewer", "second"} { // on the last page
		_, err := b.gitlab.Note(project, 12, who, "Approved")
		must(t, err)
	}
	b.clock.forward(time.Minute)
	for range 220 {
		_, err := b.gitlab.Note(project, 12, "requester", "Still there?")
		must(t, err)
	}
	if diff := cmp.Diff([]string{"second"}, independent(b.look(t, ref))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEveryPageIsReadThoughAProxyHidesThatThereIsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	proxy := b.options
	proxy.GitLabURL = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		b.gitlab.ServeHTTP(rec, r)
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})) + "/gitlab"
	commits := make([]gitlab.Commit, 101)
	commits[0] = gitlab.Commit{AuthorName: "The reviewer"} // on the last page
	b.onGitLab(t, gitlab.MergeRequest{Commits: commits})
	must(t, b.gitlab.Approve(project, 12, "reviewer"))
	c := client(t, proxy)
	ref, err := c.Parse(proxy.GitLabURL + "/" + project + "/-/merge_requests/12")
	must(t, err)
	m, err := c.Look(t.Context(), ref)
	must(t, err)
	if got := independent(m); len(got) != 0 {
		t.Errorf("approved by %q", got)
	}
}

func TestWithMoreCommitsThanCanBeReadNobodyIsIndependent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, gitlab.MergeRequest{Commits: make([]gitlab.Commit, 1001)})
	must(t, b.gitlab.Approve(project, 12, "reviewer"))
	if m := b.look(t, ref); !m.CommittersCut || len(independent(m)) != 0 || len(m.Approvals) != 1 {
		t.Errorf("cut %v, approved by %q of %+v", m.CommittersCut, independent(m), m.Approvals)
	}
}

func TestABotsStandingThatCannotBeReadNowIsNotGuessed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, mergeRequest())
	must(t, b.gitlab.Approve(project, 12, "reviewer"))
	b.gitlab.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "get user", Times: 1})
	_, err := b.Look(t.Context(), ref)
	wantOutcome(t, err, change.Unknown)
	if got := independent(b.look(t, ref)); len(got) != 1 {
		t.Errorf("later approved by %q", got)
	}
}

func TestADeploymentIsEvidenceOfArrival(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitLab(t, mergeRequest())
	deploy := func(environment, status, sha string) gitlab.Deployment {
		t.Helper()
		b.clock.forward(time.Minute)
		d, err := b.gitlab.Deploy(project, environment, status, sha)
		must(t, err)
		return d
	}
	deployed := func(environments ...string) []change.MRDeployment {
		t.Helper()
		all, err := b.Deployed(t.Context(), ref, environments...)
		must(t, err)
		return all
	}
	deploy("production", "success", "")
	if got := deployed("production"); len(got) != 0 {
		t.Errorf("deployed before it was merged: %+v", got)
	}
	b.clock.forward(time.Minute)
	must(t, b.gitlab.Merge(project, 12, "cccccccccc", "second"))
	deploy("production", "failed", "cccccccccc")
	deploy("production", "running", "cccccccccc")
	if got := deployed("production"); len(got) != 0 {
		t.Errorf("deployed by a failure: %+v", got)
	}
	staged := deploy("staging", "success", "cccccccccc")
	later := deploy("production", "success", "") // a later commit that holds the merge
	deploy("production", "success", "")
	want := []change.MRDeployment{
		{ID: later.ID, Environment: "production", Commit: later.SHA, At: later.Created, SeenAt: b.clock.now()},
		{ID: staged.ID, Environment: "staging", Commit: "cccccccccc", At: staged.Created, SeenAt: b.clock.now()},
	}
	if diff := cmp.Diff(want, deployed("production", "staging", "moon")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestADeploymentOfSomethingElseIsNoEvidence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deployment, shipped string
		arrived             bool
	}{
		"this one":                       {`"status":"success","environment":{"name":"production"}`, `{"iid":12,"project_id":5}`, true},
		"another merge request":          {`"status":"success","environment":{"name":"production"}`, `{"iid":13,"project_id":5}`, false},
		"another project":                {`"status":"success","environment":{"name":"production"}`, `{"iid":12,"project_id":6}`, false},
		"a filter that was not heeded":   {`"status":"failed","environment":{"name":"production"}`, `{"iid":12,"project_id":5}`, false},
		"an environment not asked for":   {`"status":"success","environment":{"name":"review/production"}`, `{"iid":12,"project_id":5}`, false},
		"finished later than it changed": {`"status":"success","environment":{"name":"production"},"deployable":{"finished_at":"2026-03-02T11:00:00Z"}`, `{"iid":12,"project_id":5}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, refs := answering(t, func(w http.ResponseWriter, r *http.Request) {
				body := `{"iid":12,"project_id":5,"state":"merged","merged_at":"2026-03-02T09:00:00Z","merge_commit_sha":"a","sha":"b"}`
				switch {
				case strings.HasSuffix(r.URL.Path, "/deployments"):
					body = `[{"id":3,"sha":"c","updated_at":"2026-03-02T10:00:00Z",` + c.deployment + `}]`
				case strings.HasSuffix(r.URL.Path, "/deployments/3/merge_requests"):
					body = "[" + c.shipped + "]"
				}
				_, _ = w.Write([]byte(body))
			})
			got, err := client.Deployed(t.Context(), refs[1], "production")
			must(t, err)
			if (len(got) == 1) != c.arrived {
				t.Fatalf("arrived with %+v, want %v", got, c.arrived)
			}
			if c.arrived && got[0].At.Hour() != map[bool]int{true: 11, false: 10}[strings.Contains(c.deployment, "finished_at")] {
				t.Errorf("at %v", got[0].At)
			}
		})
	}
}

func TestDeploymentsAreReadOnGitLabOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.Deployed(t.Context(), b.onGitHub(t, github.Pull{}), "production")
	wantOutcome(t, err, change.Refused)
}
