package change_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestAKindThatDemandsAMergeRequestRefusesARequestWithoutAFittingOne(t *testing.T) {
	t.Parallel()
	labels := func(k *change.Kind) { k.MergeRequestLabels = [][]string{{"Pick"}, {"s1", "s2"}} }
	none := func(k *change.Kind) { k.MergeRequest = change.NeedNone }
	for name, c := range map[string]struct {
		kind func(*change.Kind)
		req  func(*change.Request)
		says string
	}{
		"none given":    {asIs, noneAsked, "needs a merge request"},
		"none is taken": {none, asAsked, "takes no merge request"},
		"twice":         {asIs, askedFor(lab(1), lab(1)), "twice"},
		"too many": {asIs, func(r *change.Request) {
			r.MergeRequests = nil
			for i := range change.MergeRequestLimit + 1 {
				r.MergeRequests = append(r.MergeRequests, change.RequestedMergeRequest{Ref: lab(i + 1)})
			}
		}, "At most 20"},
		"a line of labels is not met": {labels, func(r *change.Request) {
			seen := open(1, labelled("Pick", "s3"))
			r.MergeRequests[0].Seen = &seen
		}, "“s1” or “s2”"},
	} {
		_, err := tryMergeLife(t, c.kind, c.req)
		if code, fields := refusalOf(err); code != change.BadInput || !strings.Contains(fields[change.FieldMergeRequest], c.says) {
			t.Errorf("%s: %v, want %q at the merge request", name, err, c.says)
		}
	}
}

func TestLabelsAreCheckedAgainAtTheApproval(t *testing.T) {
	t.Parallel()
	l := mergeLife(t, func(k *change.Kind) { k.MergeRequestLabels = [][]string{{"Pick"}, {"s1", "s2"}} }, asAsked)
	l.see(1, open(1, labelled("Pick")))
	if r := l.refusal(change.Approve{Ask: 1}, member(cto), change.TooEarly); !strings.Contains(r.Say, "“s1” or “s2”") || strings.Contains(r.Say, "Pick") {
		t.Errorf("it says %q", r.Say)
	}
	l.see(1, open(1, labelled("Pick", "s2")))
	l.approve().phase(change.Active)
}

func TestAnUnseenMergeRequestHoldsUpNothingButARefusedOneDoes(t *testing.T) {
	t.Parallel()
	l := mergeLife(t, asIs, asAsked)
	l.do(change.MergeRequestRefused{Item: 1, Say: "GitLab does not have it."}, itself)
	if r := l.refusal(change.Approve{Ask: 1}, member(cto), change.TooEarly); !strings.Contains(r.Say, "Link one") {
		t.Errorf("it says %q", r.Say)
	}
	l.do(change.LinkMergeRequest{Ref: lab(1)}, member(requester)) // it may be there by now
	l.approve().phase(change.Active)
	if got := l.owed(change.OweIndependentReview); got != change.Owed {
		t.Errorf("the independent review is %s", got)
	}
}

func TestWhoeverWroteAPartDoesNotApproveTheChange(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]looking{
		"the author":  func(m *change.MergeRequest) { m.Author = "The-CTO" },
		"a committer": func(m *change.MergeRequest) { m.Committers = []change.MRCommitter{{User: "the-cto"}} },
	} {
		l := mergeLife(t, asIs, asAsked)
		l.see(1, open(1, alter))
		if r := l.refusal(change.Approve{Ask: 1}, member(cto), change.NotAllowed); !strings.Contains(r.Say, "wrote or committed") {
			t.Errorf("%s: it says %q", name, r.Say)
		}
	}
}

func TestTheWindowEndsOnTheEvidence(t *testing.T) {
	t.Parallel()
	on := func(d change.Deployment) func(*change.Kind) { return func(k *change.Kind) { k.EndsOn = &d } }
	deployed := &change.MRDeployment{ID: 1, Environment: "production", Commit: "c", At: start, SeenAt: start}
	for name, c := range map[string]struct {
		kind func(*change.Kind)
		req  func(*change.Request)
		last change.MergeRequestSeen // after every other was merged
		ends bool
	}{
		"the only one is merged":        {asIs, asAsked, change.MergeRequestSeen{Item: 1, Seen: open(1, merged)}, true},
		"it is open":                    {asIs, asAsked, change.MergeRequestSeen{Item: 1, Seen: open(1, approvedBy("colleague"))}, false},
		"it is closed unmerged":         {asIs, asAsked, change.MergeRequestSeen{Item: 1, Seen: open(1, func(m *change.MergeRequest) { m.State = change.MRClosed })}, false},
		"the last of two is merged":     {asIs, askedFor(lab(1), lab(2)), change.MergeRequestSeen{Item: 1, Seen: open(1, merged)}, true},
		"merged, not deployed":          {on(change.Deployment{Environments: []string{"production"}}), asAsked, change.MergeRequestSeen{Item: 1, Seen: open(1, merged)}, false},
		"merged and deployed":           {on(change.Deployment{Environments: []string{"production"}}), asAsked, change.MergeRequestSeen{Item: 1, Seen: open(1, merged), Deployed: deployed}, true},
		"merged, with the label":        {on(change.Deployment{Label: "workflow::production"}), asAsked, change.MergeRequestSeen{Item: 1, Seen: open(1, merged, labelled("workflow::production"))}, true},
		"the label, not merged":         {on(change.Deployment{Label: "workflow::production"}), asAsked, change.MergeRequestSeen{Item: 1, Seen: open(1, labelled("workflow::production"))}, false},
		"another place is not readable": {asIs, askedFor(lab(1), change.MergeRequestRef{URL: "https://git.example.com/1"}), change.MergeRequestSeen{Item: 1, Seen: open(1, merged)}, false},
	} {
		l := mergeLife(t, c.kind, c.req)
		l.approve()
		for _, m := range l.c.MergeRequests[1:] {
			if m.Ref.Readable() {
				l.see(m.Item, open(m.Ref.Number, merged))
			}
		}
		events := l.do(c.last, itself)
		ended := slices.ContainsFunc(events, func(e change.Event) bool { return e.Type == change.EventEnded && e.Fact("how") == "evidence" })
		if ended != c.ends || (l.c.Phase == change.Ended) != c.ends {
			t.Errorf("%s: ended on evidence: %t (%s), want %t", name, ended, l.c.Phase, c.ends)
		}
	}
}

func TestThePermanentFixNeitherEndsTheWindowNorIsReviewedForIt(t *testing.T) {
	t.Parallel()
	l := mergeLife(t, withFix, asAsked)
	l.approve()
	l.do(change.LinkMergeRequest{Ref: lab(2), Fix: true}, member(requester))
	if got := l.owed(change.OwePermanentFix); got != change.Owed {
		t.Errorf("the permanent fix is %s before it is merged", got)
	}
	l.see(2, open(2, merged))
	l.phase(change.Active)
	if got := l.owed(change.OwePermanentFix); got != change.Done {
		t.Errorf("the permanent fix is %s", got)
	}
	l.see(1, open(1, merged, approvedBy("colleague")))
	l.phase(change.Ended)
	if got := l.owed(change.OweIndependentReview); got != change.Done {
		t.Errorf("the independent review is %s", got)
	}
	plain := mergeLife(t, asIs, asAsked)
	plain.refused(change.LinkMergeRequest{Ref: lab(2), Fix: true}, member(requester), change.BadInput)
	plain.refused(change.LinkMergeRequest{Ref: lab(1)}, member(requester), change.Decided)
	plain.refused(change.LinkMergeRequest{Ref: lab(2)}, member(colleague), change.NotAllowed)
}

func TestOnlyAnotherPersonsApprovalIsAnIndependentReview(t *testing.T) {
	t.Parallel()
	given := func(a change.MRApproval) looking {
		return func(m *change.MergeRequest) { m.Approvals = append(m.Approvals, a) }
	}
	for name, c := range map[string]struct {
		alter looking
		want  change.ObligationState
	}{
		"another person":               {approvedBy("colleague"), change.Done},
		"somebody nobody knows":        {approvedBy("stranger"), change.Done},
		"the author":                   {func(m *change.MergeRequest) { m.Author = "ada"; approvedBy("Ada")(m) }, change.Owed},
		"a committer":                  {approvedBy("committer"), change.Owed},
		"the requester":                {func(m *change.MergeRequest) { m.Author = "ada"; approvedBy("REQUESTER")(m) }, change.Owed},
		"a bot":                        {given(change.MRApproval{User: "helper", Bot: true}), change.Owed},
		"an account that is gone":      {given(change.MRApproval{}), change.Owed},
		"an edited note":               {given(change.MRApproval{User: "colleague", How: change.ByNote, Edited: true}), change.Owed},
		"of an earlier commit":         {given(change.MRApproval{User: "colleague", Commit: "a"}), change.Owed},
		"of the last commit":           {given(change.MRApproval{User: "colleague", Commit: "b"}), change.Done},
		"not all committers are known": {func(m *change.MergeRequest) { m.CommittersCut = true; approvedBy("colleague")(m) }, change.Owed},
	} {
		l := mergeLife(t, asIs, asAsked)
		l.approve()
		l.see(1, open(1, merged, c.alter))
		if got := l.owed(change.OweIndependentReview); got != c.want {
			t.Errorf("approved by %s, the review is %s, want %s", name, got, c.want)
		}
	}
	l := mergeLife(t, asIs, func(r *change.Request) {
		r.Reported, r.MadeAt, r.Implementer = true, start.Add(-time.Hour), colleague
	})
	l.see(1, open(1, merged, approvedBy("colleague")))
	if got := l.owed(change.OweIndependentReview); got != change.Owed {
		t.Errorf("approved by the implementer, the review is %s", got)
	}
}

func TestARemovedApprovalIsOwedAgainUntilTheChangeIsClosed(t *testing.T) {
	t.Parallel()
	l := mergeLife(t, asIs, asAsked)
	l.approve()
	l.see(1, open(1, merged, approvedBy("colleague")))
	if o := l.owes(change.OweIndependentReview); o.State != change.Done || o.Proof.By != colleague || o.Proof.Account != "colleague" || o.Proof.Way != "GitLab" {
		t.Errorf("the review: %+v", o)
	}
	events := l.see(1, open(1, merged))
	if got := types(events); !slices.Contains(got, change.EventIndependentReviewUndone) || l.owed(change.OweIndependentReview) != change.Owed {
		t.Errorf("an approval was taken back: %v, the review is %s", got, l.owed(change.OweIndependentReview))
	}
	told := change.Outbox(l.c, l.events[len(l.events)-len(events):])
	if !slices.ContainsFunc(told, func(d change.Delivery) bool {
		return d.To == requester && d.Ref.Message == change.MessageIndependentReviewUndone
	}) {
		t.Errorf("the requester is not told: %v", told)
	}
	l.record()
	l.do(change.SignOff{}, member(cto))
	l.review()
	l.phase(change.Ended)
	l.see(1, open(1, merged, approvedBy("manager")))
	l.phase(change.Closed)
	if events := l.see(1, open(1, merged)); len(events) > 0 {
		t.Errorf("a closed change was altered: %v", types(events))
	}
}

func TestWhereNobodyKnowsWhoSomebodyIsThereAnotherPersonConfirms(t *testing.T) {
	t.Parallel()
	l := mergeLife(t, asIs, asAsked)
	l.rules.People = map[change.PersonID]change.Identities{colleague: {GitLab: "colleague"}}
	l.approve()
	l.see(1, open(1, merged, approvedBy("stranger"), func(m *change.MergeRequest) { m.Author = "colleague" }))
	if got := l.owed(change.OweIndependentReview); got != change.Owed {
		t.Errorf("the approval may be the requester's own, and the review is %s", got)
	}
	l.refused(change.ConfirmMergeRequest{Item: 1}, member(requester), change.OwnChange)
	l.refused(change.ConfirmMergeRequest{Item: 1}, member(colleague), change.NotAllowed) // wrote it
	l.refused(change.ConfirmMergeRequest{Item: 2}, member(manager), change.TooLate)
	l.do(change.ConfirmMergeRequest{Item: 1}, member(manager))
	if got := l.owed(change.OweIndependentReview); got != change.Done {
		t.Errorf("confirmed, the review is %s", got)
	}
	if r := l.refusal(change.ConfirmMergeRequest{Item: 1}, member(cto), change.Decided); r.By != manager {
		t.Errorf("it names %q", r.By)
	}
	known := mergeLife(t, asIs, asAsked)
	known.approve()
	known.see(1, open(1, merged))
	known.refused(change.ConfirmMergeRequest{Item: 1}, member(manager), change.BadInput)
}

func TestAPlaceThatCannotBeReadNeedsAWordAndNothingElse(t *testing.T) {
	t.Parallel()
	text := change.MergeRequestRef{URL: "https://git.example.com/1"}
	l := mergeLife(t, func(k *change.Kind) { withFix(k); withRecordMR(k) }, noneAsked)
	l.approve()
	l.do(change.Finish{}, member(requester))
	l.do(change.LinkMergeRequest{Ref: text}, member(requester))
	l.do(change.LinkMergeRequest{Ref: change.MergeRequestRef{URL: "https://git.example.com/2"}, Fix: true}, member(requester))
	for _, name := range []change.ObligationName{change.OweMergeRequest, change.OweIndependentReview, change.OwePermanentFix} {
		if got := l.owed(name); got != change.Owed {
			t.Errorf("before anybody's word, the %s is %s", name, got)
		}
	}
	l.do(change.ConfirmMergeRequest{Item: 1}, member(colleague))
	l.do(change.ConfirmMergeRequest{Item: 2}, member(colleague))
	for _, name := range []change.ObligationName{change.OweMergeRequest, change.OweIndependentReview, change.OwePermanentFix} {
		if o := l.owes(name); o.State != change.Done {
			t.Errorf("the %s is %s", name, o.State)
		}
	}
	for _, d := range change.Outbox(l.c, l.events) {
		if d.Kind == change.DeliverMergeRequest {
			t.Errorf("breakglass would look at %s", text.URL)
		}
	}
}

func TestAnOptionalMergeRequestThatIsNotThereOwesNoReview(t *testing.T) {
	t.Parallel()
	l := mergeLife(t, optionalMR, asAsked)
	l.approve()
	if got := l.owed(change.OweIndependentReview); got != change.Owed {
		t.Errorf("the review is %s", got)
	}
	l.do(change.MergeRequestRefused{Item: 1, Say: "GitLab does not have it."}, itself)
	if got := l.owed(change.OweIndependentReview); got != "never" {
		t.Errorf("of nothing, the review is %s", got)
	}
	seen := mergeLife(t, optionalMR, asAsked)
	seen.see(1, open(1))
	if events := seen.do(change.MergeRequestRefused{Item: 1, Say: "GitLab does not have it."}, itself); len(events) > 0 {
		t.Errorf("what had been seen was refused: %v", types(events))
	}
}

func TestALookThatShowsNothingNewIsNoNews(t *testing.T) {
	t.Parallel()
	l := mergeLife(t, asIs, asAsked)
	if got := types(l.see(1, open(1))); !slices.Equal(got, []change.EventType{change.EventMergeRequestSeen}) {
		t.Errorf("the first look: %v", got)
	}
	later := open(1)
	later.SeenAt = start.Add(time.Minute)
	if got := l.see(1, later); len(got) > 0 {
		t.Errorf("the second: %v", types(got))
	}
	threads := func(events []change.Event) (lines []string) {
		for _, d := range change.Outbox(l.c, events) {
			if d.Kind == change.DeliverThread {
				lines = append(lines, d.Key)
			}
		}
		return lines
	}
	if got := threads(l.see(1, open(1, labelled("x")))); len(got) != 0 {
		t.Errorf("a label is told in the thread: %v", got)
	}
	l.approve()
	if got := threads(l.see(1, open(1, merged, labelled("x")))); len(got) != 2 { // that it was merged, and that the change has ended
		t.Errorf("the merge is told in %d replies", len(got))
	}
}

func TestEveryMergeRequestIsReferredToWhereTheRecordStands(t *testing.T) {
	t.Parallel()
	l := mergeLife(t, asIs, asAsked)
	links := func() (keys []string) {
		for _, d := range change.Outbox(l.c, l.events) {
			if d.Kind == change.DeliverMergeRequestLink {
				keys = append(keys, string(d.System())+" "+d.Key)
			}
		}
		return keys
	}
	if got := links(); len(got) != 0 {
		t.Errorf("nowhere to refer from, and yet %v", got)
	}
	l.do(change.LinkIncident{Incident: incident("I1")}, member(requester))
	l.do(change.LinkTicket{Ticket: ticket, Ours: true}, itself)
	l.do(change.LinkMergeRequest{Ref: hub(7)}, member(requester))
	want := []string{"incident.io incident/I1/1", "Jira ticket/OPS-1/1", "incident.io incident/I1/2", "Jira ticket/OPS-1/2"}
	if got := links(); !slices.Equal(got, want) {
		t.Errorf("referred to by %v, want %v", got, want)
	}
}
