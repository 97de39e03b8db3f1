package jira_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

func TestATicketWhoseReplyWasLostIsFoundOnceSearchKnowsIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.jira.SetSearchLag(30*time.Second, 1)
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "create issue", Times: 1})
	_, err := b.Create(t.Context(), draft())
	wantOutcome(t, err, change.Unknown)

	label := draft().Labels[0]
	find := func() []change.TicketRef {
		t.Helper()
		refs, err := b.FindByLabel(t.Context(), label)
		if err != nil {
			t.Fatal(err)
		}
		return refs
	}
	if refs := find(); len(refs) != 0 {
		t.Errorf("search knows it already: %v", refs)
	}
	b.clock.forward(29 * time.Second)
	if refs := find(); len(refs) != 0 {
		t.Errorf("search knows it already: %v", refs)
	}
	b.clock.forward(time.Second)
	if refs := find(); len(refs) != 1 || refs[0].Key != "OPS-1" {
		t.Errorf("found %v, want OPS-1", refs)
	}
}

func TestFindByLabelAnswersOurTicketsOnlyOldestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := "breakglass-ec-12-k3x9", "breakglass-ec-12"
	add := func(i sandbox.Issue) string { i.Type, i.Creator = "Task", ctoID; return b.jira.AddIssue(i) }
	add(sandbox.Issue{Project: "SECRET", Labels: []string{"other", first}})
	old := add(sandbox.Issue{Project: "PLATFORM", Labels: []string{"twin", first}})
	add(sandbox.Issue{Project: "OPS", Description: "Somebody quotes " + first + " in a sentence"})
	add(sandbox.Issue{Project: "OPS", Labels: []string{first + "z"}})
	b.create(t)
	refs, err := b.FindByLabel(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range refs {
		keys = append(keys, r.Key)
	}
	if diff := cmp.Diff([]string{old, "OPS-3"}, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if refs, err := b.FindByLabel(t.Context(), second); err != nil || len(refs) != 0 {
		t.Errorf("a prefix found %v, %v", refs, err)
	}
}

func TestNothingUncheckedGetsIntoAQueryOrAPath(t *testing.T) {
	t.Parallel()
	b := setup(t)
	evil := []string{"../myself?x=1#", "OPS-1/../../myself", "ops-1", "OPS-1?", "OPS-1\n", "", "SECRET-1", "OPS-", "1x", `x" OR project = "SECRET`}
	for _, s := range evil {
		asks := map[string]func() error{
			"Ticket":     func() error { _, err := b.Ticket(t.Context(), s); return err },
			"Comments":   func() error { _, err := b.Comments(t.Context(), s); return err },
			"Comment":    func() error { _, err := b.Comment(t.Context(), s, "1"); return err },
			"Comment id": func() error { _, err := b.Comment(t.Context(), "1", s); return err },
			"AddComment": func() error { _, err := b.AddComment(t.Context(), s, "m", nil); return err },
			"Rewrite":    func() error { return b.Rewrite(t.Context(), s, "EC-12", nil) },
			"Secure":     func() error { return b.Secure(t.Context(), s, "10001") },
			"RemoteLink": func() error { return b.UpsertRemoteLink(t.Context(), s, "g", "https://x.example", "t") },
			"Required":   func() error { _, err := b.RequiredFields(t.Context(), s, "Task"); return err },
		}
		for name, ask := range asks {
			if e := outside(t, ask()); e.Outcome != change.Refused {
				t.Errorf("%s(%q): %v", name, s, e)
			}
		}
	}
	for _, s := range []string{`x" OR project = "SECRET`, "a b", ""} {
		_, err := b.FindByLabel(t.Context(), s)
		wantOutcome(t, err, change.Refused)
	}
	if n := b.sent.all.Load(); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestATicketIsToldAsItIsNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	b.jira.SetStatus(ref.ID, "Done")
	moved, _ := b.jira.MoveIssue(ref.ID, "PLATFORM")
	for _, by := range []string{ref.ID, ref.Key, moved} {
		got, err := b.Ticket(t.Context(), by)
		if err != nil {
			t.Fatal(err)
		}
		want := change.Ticket{
			Ref: change.TicketRef{ID: ref.ID, Key: "PLATFORM-1", URL: b.url + "/browse/PLATFORM-1"}, Project: "PLATFORM",
			Summary: draft().Summary, Status: "Done", Done: true, Creator: botID, Labels: draft().Labels, Created: b.clock.now(),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", by, diff)
		}
	}
}

func TestATicketThatLeftTheAllowedProjectsIsNeitherReadNorWritten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	b.jira.MoveIssue(ref.ID, "SECRET")
	before, _ := b.jira.Issue(ref.ID)
	asks := []func() error{
		func() error { _, err := b.Ticket(t.Context(), ref.ID); return err },
		func() error { _, err := b.Ticket(t.Context(), ref.Key); return err },
		func() error { _, err := b.Comments(t.Context(), ref.ID); return err },
		func() error { _, err := b.Comment(t.Context(), ref.ID, "1"); return err },
		func() error { _, err := b.AddComment(t.Context(), ref.ID, "m", nil); return err },
		func() error { return b.Rewrite(t.Context(), ref.ID, "EC-12", nil) },
		func() error { return b.Secure(t.Context(), ref.ID, "10001") },
		func() error { return b.UpsertRemoteLink(t.Context(), ref.ID, "g", "https://x.example", "t") },
	}
	for i, ask := range asks {
		if e := outsideWith(t, ask(), change.Refused); !strings.Contains(e.Say, "SECRET") || !strings.Contains(e.Say, "OPS, PLATFORM") {
			t.Errorf("%d: says %q", i, e.Say)
		}
	}
	if after, _ := b.jira.Issue(ref.ID); !after.Updated.Equal(before.Updated) || len(after.Comments) != 0 || len(after.Links) != 0 {
		t.Errorf("it was written: %+v", after)
	}
}

func TestATicketThatIsNotThereIsMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.Ticket(t.Context(), "OPS-99")
	if e := outsideWith(t, err, change.Missing); e.Say != "It is not there, or breakglass may not see it." {
		t.Errorf("says %q", e.Say)
	}
}

func TestEditsMayBeRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	for range 2 {
		for _, err := range []error{
			b.Rewrite(t.Context(), ref.ID, "EC-12", []change.TicketSection{{Text: "new"}}),
			b.UpsertRemoteLink(t.Context(), ref.ID, "breakglass-ec-12", "https://example.slack.com/archives/C1/p1", "EC-12"),
			b.UpsertRemoteLink(t.Context(), ref.ID, "breakglass-ec-12", "https://example.slack.com/archives/C1/p2", "EC-12\nnew"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	got, _ := b.jira.Issue(ref.ID)
	if got.Description != "new" || got.Summary != "EC-12" {
		t.Errorf("is %+v", got)
	}
	want := []sandbox.Link{{ID: got.Links[0].ID, GlobalID: "breakglass-ec-12", URL: "https://example.slack.com/archives/C1/p2", Title: "EC-12 new"}}
	if diff := cmp.Diff(want, got.Links); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	wantOutcome(t, b.UpsertRemoteLink(t.Context(), ref.ID, "g", "javascript:alert(1)", "x"), change.Refused)
}

func TestAnEditWhoseReplyIsLostIsUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	b.jira.Faults.Add(fault.Fault{Kind: fault.InternalLie, Call: "edit issue", Times: 1})
	wantOutcome(t, b.Rewrite(t.Context(), ref.ID, "EC-12", nil), change.Unknown)
	b.jira.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "remote link", Times: 1})
	wantOutcome(t, b.UpsertRemoteLink(t.Context(), ref.ID, "g", "https://x.example", "t"), change.Unknown)
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cases := []struct{ typed, want string }{
		{"OPS-12", "OPS-12"},
		{" ops-12 ", "OPS-12"},
		{b.url + "/browse/OPS-12", "OPS-12"},
		{b.url + "/browse/PLATFORM-3/?focusedCommentId=1#x", "PLATFORM-3"},
		{b.url + "/jira/software/projects/OPS/boards/1?selectedIssue=OPS-7", "OPS-7"},
		{"https://evil.example/browse/OPS-12", ""},
		{"http://evil.example/browse/OPS-12", ""},
		{b.url + "/browse/../rest/OPS-12", ""},
		{b.url, ""},
		{"SECRET-1", ""},
		{"OPS", ""},
		{"OPS-1-2", ""},
		{"../myself", ""},
		{"", ""},
		{"12", ""},
	}
	for _, c := range cases {
		got, err := b.ParseKey(c.typed)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v; want %q", c.typed, got, err, c.want)
		}
		if err != nil {
			wantOutcome(t, err, change.Refused)
		}
	}
	if _, err := b.ParseKey("SECRET-1"); !strings.Contains(outside(t, err).Say, "only those of OPS, PLATFORM") {
		t.Errorf("does not name the allowed projects: %v", err)
	}
}

func TestBreakglassKnowsItsOwnAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if id, err := b.Identity(t.Context()); id != botID || err != nil {
		t.Errorf("identity is %q, %v", id, err)
	}
}
