package change_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// TestNobodyApprovesTheirOwnMergeRequest draws merge requests and holds every
// approval that counts, and every one that does not, to the rule.
func TestNobodyApprovesTheirOwnMergeRequest(t *testing.T) {
	t.Parallel()
	names := rapid.SampledFrom([]string{"", "ada", "Ada", "bob", "BOB", "cy"})
	rapid.Check(t, func(t *rapid.T) {
		m := change.MergeRequest{
			Ref: change.MergeRequestRef{Forge: change.GitHub}, Author: names.Draw(t, "author"), Head: "b", CommittersCut: rapid.Bool().Draw(t, "cut"),
			Committers: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change.MRCommitter {
				return change.MRCommitter{User: names.Draw(t, "committer"), Email: "x@example.com"}
			}), 0, 3).Draw(t, "committers"),
			Approvals: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change.MRApproval {
				return change.MRApproval{
					User: names.Draw(t, "by"), Bot: rapid.Bool().Draw(t, "bot"), Edited: rapid.Bool().Draw(t, "edited"),
					Commit: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "commit"),
				}
			}), 0, 4).Draw(t, "approvals"),
		}
		not := names.Draw(t, "not")
		var want []change.MRApproval
		for _, a := range m.Approvals {
			wrote := strings.EqualFold(a.User, m.Author)
			for _, c := range m.Committers {
				wrote = wrote || strings.EqualFold(a.User, c.User)
			}
			if !m.CommittersCut && !wrote && a.User != "" && !a.Bot && !a.Edited && a.Commit != "a" && a.User != not {
				want = append(want, a)
			}
		}
		got := m.IndependentApprovals(func(forge change.Forge, user string) bool { return forge == change.GitHub && user == not })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

func TestWithoutOthersToLeaveOutAnyStrangerCounts(t *testing.T) {
	t.Parallel()
	m := change.MergeRequest{Author: "ada", Approvals: []change.MRApproval{{User: "bob"}}}
	if got := m.IndependentApprovals(nil); len(got) != 1 {
		t.Errorf("%+v count", got)
	}
}

func TestEveryLineOfLabelsIsMetByOneOfItsLabels(t *testing.T) {
	t.Parallel()
	lines := [][]string{{"Pick into auto-deploy"}, {"severity::1", "severity::2"}}
	for name, c := range map[string]struct{ labels, want []string }{
		"none":         {nil, []string{"Pick into auto-deploy", "severity::1"}},
		"one":          {[]string{"severity::2"}, []string{"Pick into auto-deploy"}},
		"all":          {[]string{"other", "severity::2", "Pick into auto-deploy"}, nil},
		"another case": {[]string{"pick into auto-deploy", "severity::1"}, []string{"Pick into auto-deploy"}},
	} {
		var got []string
		for _, line := range (change.MergeRequest{Labels: c.labels}).LacksLabels(lines) {
			got = append(got, line[0])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestAMergeRequestIsKnownByItsPlace(t *testing.T) {
	t.Parallel()
	lab := change.MergeRequestRef{Forge: change.GitLab, Project: "group/app", Number: 12, URL: "https://gitlab.com/group/app/-/merge_requests/12"}
	hub := change.MergeRequestRef{Forge: change.GitHub, Project: "group/app", Number: 12, URL: "https://github.com/group/app/pull/12"}
	text := change.MergeRequestRef{URL: "https://example.com/1"}
	upper, other := lab, lab
	upper.Project, upper.URL, other.Number = "Group/App", "https://gitlab.com/Group/App/-/merge_requests/12", 13
	if !lab.Same(upper) || lab.Same(other) || lab.Same(hub) || lab.Same(text) || !text.Same(text) || text.Same(change.MergeRequestRef{URL: "https://example.com/2"}) {
		t.Error("two are taken for one, or one for two")
	}
	if diff := cmp.Diff([]string{"group/app!12", "group/app#12", "https://example.com/1"}, []string{lab.String(), hub.String(), text.String()}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
