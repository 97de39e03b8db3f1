package slackapp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// callKind is a kind about the people on the call, or one that needs an incident
// that is not mitigated.
func callKind(id change.KindID, self bool) change.Kind {
	k := change.Kind{
		ID: id, Name: "Configuration change", Requesters: []change.GroupID{"engineers"}, Access: change.NeedNone, Incident: change.NeedRequired, MergeRequest: change.NeedNone,
		Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}}},
	}
	if self {
		k.Incident = change.NeedOptional
		k.SelfApproval = &change.SelfApproval{Who: []change.GroupID{"on-call"}, NeedsIncident: true, Witnesses: 1, WitnessesFrom: []change.GroupID{"engineers"}}
	}
	return k
}

func callRequest(id change.KindID) change.Request {
	return change.Request{Kind: id, Reason: "down", What: "Turn the <flag> off", Why: "Orders are stuck", Incident: seenIncident()}
}

func seenIncident() *change.Incident {
	i := storyIncident()
	i.SeenAt = morning
	return i
}

func selfStory(t *testing.T) *story {
	t.Helper()
	req := callRequest("config")
	req.SelfApprove, req.Witnesses = true, []change.PersonID{deputy, cto}
	return begin(t, req)
}

func selfOver(t *testing.T) *story {
	t.Helper()
	over := seenIncident()
	over.Category, over.Status = change.IncidentClosed, "Closed"
	return selfStory(t).do(deputy, change.ConfirmCall{Ask: 1, Incident: over})
}

func openingStory() change.Request {
	req := callRequest("unfixed")
	req.Incident, req.Opening = nil, &change.IncidentOpening{Name: "Orders are <stuck>", SeverityID: "1", Severity: "Major"}
	return req
}

func doubtedStory(t *testing.T) *story {
	t.Helper()
	req := callRequest("unfixed")
	req.Incident.SeenAt = time.Time{}
	s := begin(t, req).approved()
	late := seenIncident()
	late.Status, late.Mitigated = "Monitoring <x>", true
	return s.do("", change.IncidentSeen{Incident: *late, Of: change.AtApproval})
}

func overdueStory(t *testing.T) *story {
	t.Helper()
	req := callRequest("unfixed")
	req.Overdue = []change.Number{3}
	s := begin(t, req)
	s.c.Plan.BlockWhenOverdue = true
	s.told[0].c.Plan.BlockWhenOverdue = true
	return s.do(cto, change.Approve{Ask: 1, Overdue: []change.Number{3}, Reason: "The shop <is> down"})
}

func witnessOf(s *story, to change.PersonID) *message {
	return storyWords().render(change.Posting{
		Change: s.c, Delivery: change.Delivery{Kind: change.DeliverAsk, To: to, Ref: change.Ref{Ask: 1, Message: change.MessageWitness}},
	})
}

func TestAWitnessIsAskedOnlyWhetherTheyWereOnTheCall(t *testing.T) {
	t.Parallel()
	s := selfStory(t)
	m := witnessOf(s, deputy)
	wantWords(t, m, "<@U0ADA> says that you are on the emergency call", "wants to approve this change themselves", "Turn the <flag> off", "Orders are stuck", "INC-7", "*Say so only if you were on the call.*")
	if got := buttonsOf(m); !slices.Equal(got, []string{"I was on the call", "Show"}) {
		t.Errorf("buttons %q", got)
	}
	if !strings.Contains(m.text, "Turn the &lt;flag&gt; off") {
		t.Errorf("the notification: %s", m.text)
	}
	s.do(deputy, change.ConfirmCall{Ask: 1, Incident: seenIncident()})
	for _, p := range []change.PersonID{deputy, cto} {
		m = witnessOf(s, p)
		wantWords(t, m, "<@U0ADA> approved this themselves on the emergency call", "*On the call, by their own word:* <@U0DEPUTY>", "*Named, and not confirmed:* <@U0CTO>")
		if got := buttonsOf(m); len(got) != 0 {
			t.Errorf("a dead button stays: %q", got)
		}
	}
}

func TestASelfApprovalIsShownAsWhatItIs(t *testing.T) {
	t.Parallel()
	s := selfStory(t)
	wantWords(t, card(cardOf(s.c)), "waiting for the people on the call", "*Next:* the people on the call: <@U0DEPUTY>, <@U0CTO>", "*Self-approval:* <@U0ADA> approves this themselves once", "*Named, and not confirmed:* <@U0DEPUTY>, <@U0CTO>")
	silent := selfStory(t).wait(11 * time.Minute)
	wantWords(t, card(cardOf(silent.c)), "not confirmed in time, so the approvers are asked as well", "the approvers: cto")
	wantWords(t, storyWords().render(askOf(silent.c, 1)), "not confirmed in time", "[Approve]")
	over := selfOver(t)
	wantWords(t, card(cardOf(over.c)), "*Self-approval:* The incident is no longer active")
	s.do(deputy, change.ConfirmCall{Ask: 1, Incident: seenIncident()})
	wantWords(t, card(cardOf(s.c)), "*Self-approval:* <@U0ADA> approved this themselves on the emergency call", "by their own word:* <@U0DEPUTY>")
	told := map[change.EventType]string{}
	for _, e := range s.events {
		told[e.Type] = threadLine(&s.c, e)
	}
	for kind, want := range map[change.EventType]string{
		change.EventCallConfirmed: "<@U0DEPUTY> said that they were on the emergency call.",
		change.EventSelfApproved:  "Self-approved: by <@U0ADA> themselves on the emergency call, confirmed by <@U0DEPUTY>.",
	} {
		if told[kind] != want {
			t.Errorf("the thread says %q, want %q", told[kind], want)
		}
	}
}

func TestTheCTOIsToldOfASelfApprovalAndMayEndIt(t *testing.T) {
	t.Parallel()
	s := selfStory(t).do(deputy, change.ConfirmCall{Ask: 1, Incident: seenIncident()})
	p := change.Posting{Change: s.c, Delivery: change.Delivery{Kind: change.DeliverDirect, To: cto, Ref: change.Ref{Message: change.MessageSelfApproved}}}
	m := storyWords().render(p)
	wantWords(t, m, "Approved by <@U0ADA> themselves on the emergency call, confirmed by <@U0DEPUTY>.", "Turn the", "[End now] [Show]")
	p.Change = s.do(ada, change.Finish{}).c
	if got := buttonsOf(storyWords().render(p)); !slices.Equal(got, []string{"Show"}) {
		t.Errorf("buttons %q", got)
	}
}

func TestApproversSeeWhatIsNotKnownOfTheIncident(t *testing.T) {
	t.Parallel()
	req := callRequest("unfixed")
	req.Incident.SeenAt = time.Time{}
	unchecked := begin(t, req)
	wantWords(t, storyWords().render(askOf(unchecked.c, 1)), "*Incident not checked:* incident.io did not answer")
	wantWords(t, card(cardOf(unchecked.approved().c)), "*Incident not checked at the approval:*")
	checked := begin(t, callRequest("unfixed"))
	for _, m := range []*message{storyWords().render(askOf(checked.c, 1)), card(cardOf(checked.c))} {
		if got := shown(m); strings.Contains(got, "not checked") {
			t.Errorf("it was checked:\n%s", got)
		}
	}
	late := seenIncident()
	late.Status, late.Mitigated = "Monitoring", true
	checked.do("", change.IncidentSeen{Incident: *late})
	wantWords(t, storyWords().render(askOf(checked.c, 1)), "*The incident is mitigated already*")
}

func TestApproversSeeThatARecordIsOverdue(t *testing.T) {
	t.Parallel()
	req := callRequest("unfixed")
	req.Overdue = []change.Number{3, 4}
	s := begin(t, req)
	m := storyWords().render(askOf(s.c, 1))
	wantWords(t, m, "*Overdue:* <@U0ADA> has not written the record of EC-3, EC-4, which is overdue.")
	if strings.Contains(shown(m), "asks for a reason") || !strings.Contains(m.text, "record of EC-3, EC-4, which is overdue") {
		t.Errorf("%s\n%s", m.text, shown(m))
	}
	s.c.Plan.BlockWhenOverdue = true
	wantWords(t, storyWords().render(askOf(s.c, 1)), "*Approve* asks for a reason.")
	after := overdueStory(t)
	wantWords(t, card(cardOf(after.c)), "*Approved although the record of EC-3 was overdue:* <@U0CTO>: The shop &lt;is&gt; down")
	for _, e := range after.events {
		if e.Type == change.EventApprovedOverdue {
			wantWords(t, audit(&after.c, e), "approved although a record is overdue", "although the record of EC-3 is overdue", "The shop <is> down")
		}
	}
}

func TestAnIncidentThatIsBeingOpenedIsShownAsThat(t *testing.T) {
	t.Parallel()
	s := begin(t, openingStory())
	wantWords(t, card(cardOf(s.c)), "*Incident:* “Orders are &lt;stuck&gt;” (being opened, Major)")
	wantWords(t, storyWords().render(askOf(s.c, 1)), "in “Orders are &lt;stuck&gt;” (being opened, Major); no separate sign-off")
	s.do("", change.IncidentOpened{Incident: *seenIncident()})
	wantWords(t, card(cardOf(s.c)), "*Incident:* <https://app.incident.io/incidents/7|INC-7 “Orders are stuck”> (Investigating)")
	no := begin(t, openingStory()).do("", change.IncidentRefused{Say: "The incident could not be opened: incident.io refused it."})
	wantWords(t, card(cardOf(no.c)), "“Orders are &lt;stuck&gt;” – The incident could not be opened")
}
