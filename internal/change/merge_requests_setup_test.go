package change_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// lab is a merge request on GitLab, hub a pull request on GitHub.
func lab(n int) change.MergeRequestRef {
	return change.MergeRequestRef{Forge: change.GitLab, Project: "group/app", Number: n, URL: fmt.Sprintf("https://gitlab.com/group/app/-/merge_requests/%d", n)}
}

func hub(n int) change.MergeRequestRef {
	return change.MergeRequestRef{Forge: change.GitHub, Project: "group/app", Number: n, URL: fmt.Sprintf("https://github.com/group/app/pull/%d", n)}
}

// identities is who people are on the forges.
func identities() map[change.PersonID]change.Identities {
	return map[change.PersonID]change.Identities{
		requester: {GitLab: "requester", GitHub: "requester"}, colleague: {GitLab: "colleague", GitHub: "colleague"},
		cto: {GitLab: "the-cto", GitHub: "the-cto"}, manager: {GitLab: "manager", GitHub: "manager"},
	}
}

type looking func(*change.MergeRequest)

// open is a merge request as a forge shows it: the requester's own.
func open(n int, alter ...looking) change.MergeRequest {
	m := change.MergeRequest{
		Ref: lab(n), Title: "Mend it", Author: "requester", State: change.MROpen, Head: "b", Labels: []string{}, Approvals: []change.MRApproval{},
		Committers: []change.MRCommitter{{User: "Committer"}}, SeenAt: start,
	}
	for _, f := range alter {
		f(&m)
	}
	return m
}

func merged(m *change.MergeRequest) {
	m.State, m.MergedAt, m.MergedCommit = change.MRMerged, start, "c"
}

func labelled(labels ...string) looking {
	return func(m *change.MergeRequest) { m.Labels = labels }
}

func approvedBy(users ...string) looking {
	return func(m *change.MergeRequest) {
		for _, u := range users {
			m.Approvals = append(m.Approvals, change.MRApproval{User: u, How: change.ByApproval})
		}
	}
}

// mergeLife is a change without access of a kind that the test has altered.
func mergeLife(t tester, kind func(*change.Kind), req func(*change.Request)) *life {
	t.Helper()
	l, err := tryMergeLife(t, kind, req)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	return l
}

func tryMergeLife(t tester, kind func(*change.Kind), alter func(*change.Request)) (*life, error) {
	t.Helper()
	l := &life{t: t, rules: rules(), now: start, sent: map[string]bool{}}
	l.rules.People = identities()
	l.rules.Kinds = slices.Clone(l.rules.Kinds)
	for i := range l.rules.Kinds {
		if l.rules.Kinds[i].ID == noAccess {
			l.rules.Kinds[i].MergeRequest = change.NeedRequired
			kind(&l.rules.Kinds[i])
		}
	}
	req := request(noAccess)
	req.MergeRequests = []change.RequestedMergeRequest{{Ref: lab(1)}}
	alter(&req)
	c, events, err := change.Submit(l.rules, req, member(requester), 1, start)
	if err == nil {
		l.take(change.Change{Phase: events[0].Phase}, c, events)
	}
	return l, err
}

func asIs(*change.Kind)           {}
func asAsked(*change.Request)     {}
func withFix(k *change.Kind)      { k.PermanentFix = true }
func optionalMR(k *change.Kind)   { k.MergeRequest = change.NeedOptional }
func withRecordMR(k *change.Kind) { k.MergeRequest = change.NeedWithRecord }

func noneAsked(r *change.Request) { r.MergeRequests = nil }

func askedFor(refs ...change.MergeRequestRef) func(*change.Request) {
	return func(r *change.Request) {
		r.MergeRequests = nil
		for _, ref := range refs {
			r.MergeRequests = append(r.MergeRequests, change.RequestedMergeRequest{Ref: ref})
		}
	}
}

// see is a look of breakglass at a linked merge request.
func (l *life) see(item int, seen change.MergeRequest) []change.Event {
	l.t.Helper()
	return l.do(change.MergeRequestSeen{Item: item, Seen: seen}, itself)
}

func (l *life) owed(name change.ObligationName) change.ObligationState {
	if o := l.c.Owes(name, 0); o != nil {
		return o.State
	}
	return "never"
}

// checkReviewed checks that nobody counts as independent who has a part in the
// change, in words of its own.
func (l *life) checkReviewed(c change.Change) {
	l.t.Helper()
	o := c.Owes(change.OweIndependentReview, 0)
	if o == nil || o.State != change.Done {
		return
	}
	if c.Own(o.Proof.By) {
		l.t.Fatalf("%s reviewed their own change", o.Proof.By)
	}
	found := 0
	for _, m := range c.MergeRequests {
		if m.Fix || m.Refused != "" {
			continue
		}
		found++
		byAnother := m.Seen != nil && slices.ContainsFunc(m.Seen.Approvals, func(a change.MRApproval) bool {
			wrote := strings.EqualFold(a.User, m.Seen.Author) || slices.ContainsFunc(m.Seen.Committers, func(x change.MRCommitter) bool { return strings.EqualFold(x.User, a.User) })
			own := strings.EqualFold(a.User, l.rules.People[c.Requester].GitLab) || strings.EqualFold(a.User, l.rules.People[c.Implementer].GitLab)
			return !wrote && !own && !a.Bot && !a.Edited && (a.Commit == "" || a.Commit == m.Seen.Head)
		})
		if !byAnother && m.Confirmed == "" {
			l.t.Fatalf("%s counts as reviewed, and nobody else approved it: %+v", m.Ref, m.Seen)
		}
	}
	if found == 0 {
		l.t.Fatal("a review counts as done of no merge request")
	}
}

// randomLook is what a forge may show of one of the linked merge requests.
func randomLook(rt *rapid.T, l *life) change.Command {
	item := rapid.IntRange(0, len(l.c.MergeRequests)).Draw(rt, "item")
	m := open(item, approvedBy(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"requester", "committer", "colleague", "the-cto", "Bot"}), 0, 2, rapid.ID).Draw(rt, "approvals")...))
	if item > 0 {
		m.Ref = l.c.MergeRequests[item-1].Ref
	}
	for i := range m.Approvals {
		m.Approvals[i].Bot = m.Approvals[i].User == "Bot"
	}
	if rapid.Bool().Draw(rt, "merged") {
		merged(&m)
	}
	return change.MergeRequestSeen{Item: item, Seen: m}
}

// codeOf is the code of a refusal, and its fields.
func refusalOf(err error) (change.RefusalCode, map[change.Field]string) {
	r, ok := errors.AsType[*change.Refusal](err)
	if !ok {
		return "", nil
	}
	return r.Code, r.Fields
}
