package forge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
)

func (b *bundle) review(t *testing.T, who, state string) int64 {
	t.Helper()
	b.clock.forward(time.Minute)
	id, err := b.github.Review(repository, 7, who, state)
	must(t, err)
	return id
}

func TestAPullRequestIsReadWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitHub(t, github.Pull{Title: "Mend the broker", Labels: []string{"b", "a"}, Commits: []github.Commit{
		{},
		{Author: "committer", Committer: "web-flow", CommitterEmail: "noreply@github.com"},
		{AuthorEmail: "Someone@Example.com"},
		{AuthorEmail: "5+hidden@users.noreply.127.0.0.1"},
		{SHA: "bbbbbbbbbb"},
	}})
	b.github.AddUser(github.User{Login: "web-flow"})
	if m := b.look(t, ref); m.State != change.MROpen || m.MergedCommit != "" || !m.MergedAt.IsZero() {
		t.Errorf("an open one is read as %+v", m)
	}
	first := b.review(t, "reviewer", github.Approved)
	approved := b.clock.now()
	b.clock.forward(time.Minute)
	must(t, b.github.Merge(repository, 7, "cccccccccc", "second"))
	merged := b.clock.now()
	second := b.review(t, "second", github.Approved)
	want := change.MergeRequest{
		Ref: ref, Title: "Mend the broker", Author: "author", State: change.MRMerged, Head: "bbbbbbbbbb", MergedAt: merged, MergedCommit: "cccccccccc",
		Committers: []change.MRCommitter{{User: "author"}, {User: "committer"}, {Email: "someone@example.com"}, {User: "hidden"}},
		Labels:     []string{"a", "b"},
		Approvals: []change.MRApproval{
			{User: "reviewer", How: change.ByReview, At: approved, When: change.BeforeMerge, Commit: "bbbbbbbbbb", URL: fmt.Sprintf("%s#pullrequestreview-%d", ref.URL, first)},
			{User: "second", How: change.ByReview, At: b.clock.now(), When: change.AfterMerge, Commit: "bbbbbbbbbb", URL: fmt.Sprintf("%s#pullrequestreview-%d", ref.URL, second)},
		},
		SeenAt: b.clock.now(),
	}
	if diff := cmp.Diff(want, b.look(t, ref)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAClosedPullRequestIsNotMerged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitHub(t, github.Pull{})
	must(t, b.github.Close(repository, 7))
	if m := b.look(t, ref); m.State != change.MRClosed || m.MergedCommit != "" {
		t.Errorf("read as %+v", m)
	}
}

func TestOnlyAnIndependentPersonsReviewCountsOnGitHub(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		play func(*testing.T, *bundle)
		want []string
	}{
		"nobody":        {func(*testing.T, *bundle) {}, []string{}},
		"another":       {func(t *testing.T, b *bundle) { b.review(t, "reviewer", github.Approved) }, []string{"reviewer"}},
		"the requester": {func(t *testing.T, b *bundle) { b.review(t, "requester", github.Approved) }, []string{}},
		"a committer":   {func(t *testing.T, b *bundle) { b.review(t, "committer", github.Approved) }, []string{}},
		"a bot":         {func(t *testing.T, b *bundle) { b.review(t, "renovate[bot]", github.Approved) }, []string{}},
		"an account that is gone": {func(t *testing.T, b *bundle) {
			b.review(t, "reviewer", github.Approved)
			b.github.RemoveUser("reviewer")
		}, []string{}},
		"a comment after an approval": {func(t *testing.T, b *bundle) {
			b.review(t, "reviewer", github.Approved)
			b.review(t, "reviewer", github.Commented)
			b.review(t, "reviewer", github.Pending)
		}, []string{"reviewer"}},
		"an approval after a refusal": {func(t *testing.T, b *bundle) {
			b.review(t, "reviewer", github.ChangesRequested)
			b.review(t, "reviewer", github.Approved)
		}, []string{"reviewer"}},
		"a refusal after an approval": {func(t *testing.T, b *bundle) {
			b.review(t, "reviewer", github.Approved)
			b.review(t, "reviewer", github.ChangesRequested)
		}, []string{}},
		"a refusal by another": {func(t *testing.T, b *bundle) {
			b.review(t, "reviewer", github.Approved)
			b.review(t, "second", github.ChangesRequested)
		}, []string{"reviewer"}},
		"dismissed": {func(t *testing.T, b *bundle) {
			must(t, b.github.Dismiss(repository, 7, b.review(t, "reviewer", github.Approved)))
		}, []string{}},
		"the last one dismissed": {func(t *testing.T, b *bundle) {
			b.review(t, "reviewer", github.Approved)
			must(t, b.github.Dismiss(repository, 7, b.review(t, "reviewer", github.ChangesRequested)))
		}, []string{}},
		"an earlier one dismissed": {func(t *testing.T, b *bundle) {
			id := b.review(t, "reviewer", github.Approved)
			b.review(t, "reviewer", github.Approved)
			must(t, b.github.Dismiss(repository, 7, id))
		}, []string{"reviewer"}},
		"of an earlier commit": {func(t *testing.T, b *bundle) {
			b.review(t, "reviewer", github.Approved)
			must(t, b.github.Push(repository, 7, github.Commit{}))
		}, []string{}},
		"anew after a push": {func(t *testing.T, b *bundle) {
			b.review(t, "reviewer", github.Approved)
			must(t, b.github.Push(repository, 7, github.Commit{}))
			b.review(t, "reviewer", github.Approved)
		}, []string{"reviewer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ref := b.onGitHub(t, github.Pull{Commits: []github.Commit{{}, {Committer: "committer"}}})
			c.play(t, b)
			if diff := cmp.Diff(c.want, independent(b.look(t, ref))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestAReviewOnALaterPageTakesAnApprovalBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitHub(t, github.Pull{})
	b.review(t, "reviewer", github.Approved)
	for range 100 {
		b.review(t, "second", github.Commented)
	}
	if got := independent(b.look(t, ref)); len(got) != 1 {
		t.Fatalf("approved by %q", got)
	}
	b.review(t, "reviewer", github.ChangesRequested)
	if got := independent(b.look(t, ref)); len(got) != 0 {
		t.Errorf("still approved by %q", got)
	}
}

func TestReviewsThatCannotAllBeReadAreNotJudged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.onGitHub(t, github.Pull{})
	for range 1001 {
		b.review(t, "reviewer", github.Approved)
	}
	_, err := b.Look(t.Context(), ref)
	wantOutcome(t, err, change.Refused)
}

func TestCommitsThatGitHubDoesNotListLeaveNobodyIndependent(t *testing.T) {
	t.Parallel()
	for count, cut := range map[int]bool{250: false, 251: true} {
		b := setup(t)
		ref := b.onGitHub(t, github.Pull{Commits: make([]github.Commit, count)})
		b.review(t, "reviewer", github.Approved)
		if m := b.look(t, ref); m.CommittersCut != cut || (len(independent(m)) == 0) != cut {
			t.Errorf("%d commits: cut %v, approved by %q", count, m.CommittersCut, independent(m))
		}
	}
}
