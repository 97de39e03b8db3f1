package slackapp_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

const labURL = "https://gitlab.example.com"

// gitlabOutside stands for GitLab, where group/app has two merge requests of ada's.
type gitlabOutside struct {
	fails  atomic.Bool
	stalls atomic.Bool
	panics atomic.Bool
	gaveUp atomic.Int32 // looks that stalled until whoever asked gave up
	looks  atomic.Int64 // how often it was asked
}

func (*gitlabOutside) Parse(address string) (change.MergeRequestRef, error) {
	if !strings.HasPrefix(address, "https://") {
		return change.MergeRequestRef{}, refusal(change.SystemForge, "That is not an address; it must begin with https://.")
	}
	path, ours := strings.CutPrefix(address, labURL+"/")
	if !ours {
		return change.MergeRequestRef{URL: address}, nil
	}
	number, isOne := strings.CutPrefix(strings.TrimSuffix(path, "/diffs"), "group/app/-/merge_requests/")
	n, err := strconv.Atoi(number)
	if !isOne || err != nil {
		return change.MergeRequestRef{}, refusal(change.SystemForge, "That is not the address of a merge request on GitLab.")
	}
	return change.MergeRequestRef{Forge: change.GitLab, Project: "group/app", Number: n, URL: mr(n)}, nil
}

func (g *gitlabOutside) Look(ctx context.Context, ref change.MergeRequestRef) (change.MergeRequest, error) {
	g.looks.Add(1)
	switch {
	case g.panics.Load():
		panic("a look at a merge request went wrong")
	case g.stalls.Load():
		<-ctx.Done()
		g.gaveUp.Add(1)
		return change.MergeRequest{}, silence(change.SystemForge)
	case g.fails.Load():
		return change.MergeRequest{}, refusal(change.SystemForge, "GitLab does not accept the token.")
	case ref.Number > 2:
		return change.MergeRequest{}, &change.OutsideError{System: change.SystemForge, Outcome: change.Missing, Say: "GitLab does not have it, or does not show it to this token."}
	}
	return change.MergeRequest{
		Ref: ref, Title: "Mend <!channel> & more", Author: "ada", State: change.MROpen, Head: "b", Labels: []string{"Pick"},
		Committers: []change.MRCommitter{}, Approvals: []change.MRApproval{}, SeenAt: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
	}, nil
}

func mr(n int) string { return fmt.Sprintf("%s/group/app/-/merge_requests/%d", labURL, n) }

type labbed struct {
	*edge
	lab *gitlabOutside
}

func withGitLab(t *testing.T, kind func(*change.Kind), confidential ...string) *labbed {
	t.Helper()
	lab := &gitlabOutside{}
	return &labbed{lab: lab, edge: setup(t, withRules(func(r *change.Rules) {
		r.MergeRequests = change.MergeRequestRules{ReviewWithin: 72 * time.Hour, PermanentFixWithin: 336 * time.Hour}
		r.ConfidentialProjects = map[change.Forge][]string{change.GitLab: confidential}
		for i := range r.Kinds {
			if r.Kinds[i].ID == "patch" {
				kind(&r.Kinds[i])
			}
		}
	}), func(_ *slack.Options, a *slackapp.App) { a.Lookups.MergeRequests = lab })}
}

func asItIs(*change.Kind) {}

// patch fills the form in for the kind that demands a merge request.
func (l *labbed) patch(typed string) error {
	l.t.Helper()
	ctx, p := l.t.Context(), l.ws.Person(ada)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(l.t, err)
	must(l.t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	must(l.t, p.Select(ctx, "Kind of change", "Hot patch"))
	must(l.t, p.Type(ctx, "What will you change?", "Patch the queue"))
	must(l.t, p.Type(ctx, "Why is it needed now?", "It burns"))
	if typed != "" {
		must(l.t, p.Type(ctx, "Merge request", typed))
	}
	return p.Submit(ctx)
}

func TestEveryMergeRequestOfTheFormIsReadAndLookedAt(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, asItIs)
	must(t, l.patch(mr(1)+"/diffs\nhttps://git.example.com/x/pull/3\n"+mr(2)))
	c := l.change(1)
	if len(c.MergeRequests) != 3 {
		t.Fatalf("linked: %+v", c.MergeRequests)
	}
	for i, want := range []struct {
		name string
		seen bool
	}{{"group/app!1", true}, {"https://git.example.com/x/pull/3", false}, {"group/app!2", true}} {
		if m := c.MergeRequests[i]; m.Ref.String() != want.name || (m.Seen != nil) != want.seen || m.Fix {
			t.Errorf("item %d: %+v, want %s", i+1, m, want.name)
		}
	}
}

func TestWhatIsWrongWithAMergeRequestStandsAtItsInput(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, func(k *change.Kind) { k.MergeRequestLabels = [][]string{{"Pick"}, {"s1", "s2"}} })
	for name, c := range map[string]struct{ typed, says string }{
		"no address":      {"group/app!1", "looks like https://gitlab.com/group/project/-/merge_requests/12"},
		"another page":    {labURL + "/group/app/-/issues/1", "not the address of a merge request on GitLab"},
		"not there":       {mr(99), "group/app!99: GitLab does not have it"},
		"one of two":      {mr(1) + "\n" + mr(98), "group/app!98"},
		"without a label": {mr(1), "“s1” or “s2”"},
		"too many":        {strings.Repeat(mr(1)+"\n", 21), "At most 20"},
	} {
		if said := formError(t, l.patch(c.typed)); !strings.Contains(said["Merge request"], c.says) {
			t.Errorf("%s: the form says %v, want %q", name, said, c.says)
		}
		must(t, l.ws.Person(ada).CloseView(t.Context()))
	}
	if n := l.newest(); n != 0 {
		t.Errorf("%s was stored", n)
	}
}

func TestAForgeThatIsSilentDoesNotHoldUpARequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		silent func(*gitlabOutside)
		gaveUp int32
	}{
		"it stalls":            {func(g *gitlabOutside) { g.stalls.Store(true) }, 2}, // the stand-in waits for an answer as long as Slack does
		"it refuses its token": {func(g *gitlabOutside) { g.fails.Store(true) }, 0},
	} {
		l := withGitLab(t, asItIs)
		c.silent(l.lab)
		must(t, l.patch(mr(1)+" "+mr(2)))
		if n := l.lab.gaveUp.Load(); n != c.gaveUp {
			t.Errorf("%s: %d looks were given up, want %d", name, n, c.gaveUp)
		}
		if c := l.change(1); len(c.MergeRequests) != 2 || c.MergeRequests[0].Seen != nil || c.MergeRequests[0].Refused != "" {
			t.Errorf("%s: stored %+v", name, c.MergeRequests)
		}
	}
}

func TestTheCommandLinksMergeRequests(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, asItIs)
	ctx, p := t.Context(), l.ws.Person(ada)
	must(t, l.patch(mr(1)))
	for _, c := range []struct{ typed, says string }{
		{mr(2), "Linked to EC-1"},
		{mr(2), "linked to EC-1 already"},
		{mr(97), "does not have it"},
		{"https://git.example.com/x/pull/3", "kept as text"},
		{"https://wiki.example.com/page", "Linked to EC-1."},
		{mr(2) + " fix", "asks for no permanent fix"},
	} {
		_, err := p.Command(ctx, otherChannel, "/emergency", "link EC-1 "+c.typed)
		must(t, err)
		l.toldHolds(ada, c.says)
	}
	c := l.change(1)
	if len(c.MergeRequests) != 3 || len(c.Links) != 1 || c.MergeRequests[1].Seen == nil || c.MergeRequests[2].Ref.Readable() {
		t.Errorf("linked: %+v, %v", c.MergeRequests, c.Links)
	}
}

// The token of breakglass sees more than people do.
func TestTheForgeIsAskedForNobodyWhoMayNotLink(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, asItIs)
	must(t, l.patch(mr(1)))
	before := l.lab.looks.Load()
	for _, number := range []int{2, 97} {
		_, err := l.ws.Person(ben).Command(t.Context(), otherChannel, "/emergency", "link EC-1 "+mr(number))
		must(t, err)
		l.toldHolds(ben, "Only the people of this change")
	}
	card := l.posted(1, change.DeliverCard, "card", "", `{}`, "link_merge_request "+value(1, 0))
	must(t, l.ws.Person(ben).Click(t.Context(), card, "link_merge_request"))
	must(t, l.ws.Person(ben).Type(t.Context(), "Merge request", mr(97)))
	if said := formError(t, l.ws.Person(ben).Submit(t.Context())); !strings.Contains(said["Merge request"], "Only the people of this change") {
		t.Errorf("the form says %v", said)
	}
	if asked := l.lab.looks.Load() - before; asked != 0 {
		t.Errorf("GitLab was asked %d times", asked)
	}
	events, err := l.ledger.Events(t.Context(), 1, 0, 100)
	must(t, err)
	if n := len(slices.DeleteFunc(events, func(e change.Event) bool { return e.Type != change.EventRefused })); n != 3 {
		t.Errorf("%d refusals were written down, want 3", n)
	}
}

func TestWhatIsConfidentialOnTheForgeIsLinkedWithConfidentialChangesOnly(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, asItIs, "elsewhere/app", "Group/*")
	l.request(ada)
	for _, number := range []int{2, 97} { // whether there is one or not
		_, err := l.ws.Person(ada).Command(t.Context(), otherChannel, "/emergency", "link EC-1 "+mr(number))
		must(t, err)
		l.toldHolds(ada, "Merge requests of group/app are linked with confidential changes only")
		if said := formError(t, l.patch(mr(number))); !strings.Contains(said["Merge request"], "with confidential changes only") {
			t.Errorf("the form says %v", said)
		}
		must(t, l.ws.Person(ada).CloseView(t.Context()))
	}
	if asked := l.lab.looks.Load(); asked != 0 || l.newest() != 1 || len(l.change(1).MergeRequests) != 0 {
		t.Errorf("GitLab was asked %d times, the newest is %s: %+v", asked, l.newest(), l.change(1).MergeRequests)
	}
}

func TestAConfidentialChangeTakesWhatIsConfidentialOnTheForge(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, func(k *change.Kind) { k.Confidential = true }, "group/app")
	must(t, l.patch(mr(1)))
	_, err := l.ws.Person(ada).Command(t.Context(), otherChannel, "/emergency", "link EC-1 "+mr(2))
	must(t, err)
	if c := l.change(1); len(c.MergeRequests) != 2 || c.MergeRequests[0].Seen == nil || c.MergeRequests[1].Seen == nil {
		t.Errorf("linked: %+v", c.MergeRequests)
	}
}

func TestWhoeverLinksOneWhereAFixIsOwedIsAskedWhichItIs(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, func(k *change.Kind) { k.PermanentFix = true })
	ctx, p := t.Context(), l.ws.Person(ada)
	must(t, l.patch(mr(1)))
	_, err := p.Command(ctx, otherChannel, "/emergency", "link EC-1 "+mr(2))
	must(t, err)
	l.toldHolds(ada, "Say in the form")
	if n := len(l.change(1).MergeRequests); n != 1 {
		t.Errorf("there are %d merge requests before it was said", n)
	}
	if shown := l.view(ada); !strings.Contains(shown, mr(2)) || !strings.Contains(shown, "The permanent fix") {
		t.Errorf("the form shows:\n%s", shown)
	}
	must(t, p.Select(ctx, "What does this merge request hold?", "The permanent fix"))
	must(t, p.Submit(ctx))
	if c := l.change(1); len(c.MergeRequests) != 2 || !c.MergeRequests[1].Fix || c.MergeRequests[1].Seen == nil {
		t.Errorf("linked: %+v", c.MergeRequests)
	}
	if _, err = p.Command(ctx, otherChannel, "/emergency", "link EC-1 https://git.example.com/x/pull/3 fix"); err != nil {
		t.Fatal(err)
	}
	if c := l.change(1); len(c.MergeRequests) != 3 || !c.MergeRequests[2].Fix {
		t.Errorf("linked: %+v", c.MergeRequests)
	}
}

func TestTheButtonLinksAMergeRequest(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, func(k *change.Kind) { k.PermanentFix = true })
	ctx, p := t.Context(), l.ws.Person(ada)
	must(t, l.patch(mr(1)))
	card := l.posted(1, change.DeliverCard, "card", "", `{}`, "link_merge_request "+value(1, 0), "link_record "+value(1, 0))
	must(t, p.Click(ctx, card, "link_merge_request"))
	must(t, p.Type(ctx, "Merge request", "nonsense"))
	must(t, p.Select(ctx, "What does this merge request hold?", "The change itself"))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Merge request"], "looks like https://") {
		t.Errorf("the form says %v", said)
	}
	must(t, p.Type(ctx, "Merge request", mr(2)))
	must(t, p.Submit(ctx))
	if c := l.change(1); len(c.MergeRequests) != 2 || c.MergeRequests[1].Fix {
		t.Errorf("linked: %+v", c.MergeRequests)
	}
	must(t, p.Click(ctx, card, "link_record"))
	must(t, p.Type(ctx, "Link", "https://git.example.com/x/pull/3"))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["What does this merge request hold?"], "Say which it is") {
		t.Errorf("the form says %v", said)
	}
	must(t, p.Select(ctx, "What does this merge request hold?", "The permanent fix"))
	must(t, p.Submit(ctx))
	if c := l.change(1); len(c.MergeRequests) != 3 || !c.MergeRequests[2].Fix {
		t.Errorf("linked: %+v", c.MergeRequests)
	}
	must(t, l.ws.Person(ben).Click(ctx, card, "link_merge_request"))
	must(t, l.ws.Person(ben).Type(ctx, "Merge request", "https://git.example.com/x/pull/4"))
	must(t, l.ws.Person(ben).Select(ctx, "What does this merge request hold?", "The change itself"))
	if said := formError(t, l.ws.Person(ben).Submit(ctx)); !strings.Contains(said["Merge request"], "Only the people of this change") {
		t.Errorf("somebody without a part is told %v", said)
	}
}

func TestAnotherPersonConfirmsAReviewWhereNoMachineCanTell(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, asItIs)
	ctx := t.Context()
	must(t, l.patch(mr(1)))
	confirm := "confirm_review 1/0//1"
	message := l.posted(1, change.DeliverThread, "9", "", `{"seq":9}`, confirm)
	must(t, l.ws.Person(ada).Click(ctx, message, "confirm_review"))
	l.toldHolds(ada, "somebody else has to confirm")
	must(t, l.ws.Person("U0GUEST").Click(ctx, message, "confirm_review"))
	l.toldHolds("U0GUEST", "full members")
	if got := l.change(1).MergeRequests[0].Confirmed; got != "" {
		t.Fatalf("confirmed by %s", got)
	}
	must(t, l.ws.Person(ben).Click(ctx, message, "confirm_review"))
	l.toldHolds(ben, "You have confirmed the review of", "group/app!1")
	if got := l.change(1).MergeRequests[0].Confirmed; got != ben {
		t.Errorf("confirmed by %q", got)
	}
	must(t, l.ws.Person(cto).Click(ctx, message, "confirm_review"))
	l.toldHolds(cto, "confirmed already", "Ben")
	elsewhere := l.posted(1, change.DeliverSignOff, "x", cto, `{}`, confirm)
	must(t, l.ws.Person(cto).Click(ctx, elsewhere, "confirm_review"))
	l.toldHolds(cto, "does not belong to a message")
}

func TestTheViewOfAChangeOffersTheConfirmationToOthers(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, asItIs)
	ctx := t.Context()
	must(t, l.patch(mr(1)))
	card := l.posted(1, change.DeliverCard, "card", "", `{}`, "show "+value(1, 0))
	must(t, l.ws.Person(ada).Click(ctx, card, "show"))
	if shown := l.view(ada); strings.Contains(shown, "[ Confirm review ]") || !strings.Contains(shown, "Mend <!channel> & more") {
		t.Errorf("the requester sees:\n%s", shown)
	}
	p := l.ws.Person(ben)
	must(t, p.Click(ctx, card, "show"))
	must(t, p.ClickInView(ctx, "Confirm review"))
	if got := l.change(1).MergeRequests[0].Confirmed; got != ben {
		t.Errorf("confirmed by %q", got)
	}
	if shown := l.view(ben); strings.Contains(shown, "[ Confirm review ]") || !strings.Contains(shown, "confirmed by @Ben") {
		t.Errorf("the view shows:\n%s", shown)
	}
}
