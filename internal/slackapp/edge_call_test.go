package slackapp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// withCall adds kinds about the people on the call and about incidents.
func withCall() edgeOption {
	return withRules(func(r *change.Rules) {
		approvals := []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}}}
		kind := func(id change.KindID, name string, self *change.SelfApproval, incident change.Need) change.Kind {
			return change.Kind{
				ID: id, Name: name, Requesters: []change.GroupID{"everyone"}, Access: change.NeedNone, Incident: incident,
				MergeRequest: change.NeedNone, Approvals: approvals, SelfApproval: self,
			}
		}
		r.Groups["on-call"] = change.Group{Members: []change.PersonID{ada}}
		r.Kinds = append(r.Kinds,
			kind("config", "Configuration change", &change.SelfApproval{
				Who: []change.GroupID{"on-call"}, NeedsIncident: true, Witnesses: 1, WitnessesFrom: []change.GroupID{"everyone"},
			}, change.NeedOptional),
			kind("trusted", "Trusted change", &change.SelfApproval{Who: []change.GroupID{"on-call"}}, change.NeedOptional),
			kind("unfixed", "Urgent patch", nil, change.NeedRequired))
		r.Access.BlockWhenOverdue = true
	})
}

const liveLine = "INC-7 Orders are stuck (Investigating)"

// call fills the form in for one of these kinds, during an incident.
func (e *edge) call(who, kind, incident string) slack.Person {
	e.t.Helper()
	ctx, p := e.t.Context(), e.ws.Person(who)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(e.t, err)
	must(e.t, p.Type(ctx, "What will you change?", "Turn the flag off"))
	must(e.t, p.Type(ctx, "Why is it needed now?", "Orders are stuck"))
	must(e.t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	must(e.t, p.Select(ctx, "Kind of change", kind))
	if incident != "" {
		must(e.t, p.Select(ctx, "Active incident", incident))
	}
	return p
}

func callEdge(t *testing.T) *edge {
	t.Helper()
	e := setup(t, withCall())
	e.outside.set(func(o *outside) {
		i := liveIncident()
		i.SeenAt = e.clock.Now()
		o.incidents = []change.Incident{i}
	})
	return e
}

func (e *edge) incidentNow(alter func(*change.Incident)) {
	e.outside.set(func(o *outside) { alter(&o.incidents[0]) })
}

func mitigatedNow(i *change.Incident) { i.Status, i.Mitigated = "Monitoring", true }
func overNow(i *change.Incident)      { i.Status, i.Category = "Closed", change.IncidentClosed }

// selfApproved asks for a change with ben as the witness.
func (e *edge) selfApproved() change.Change {
	e.t.Helper()
	p := e.call(ada, "Configuration change", liveLine)
	must(e.t, p.Select(e.t.Context(), "Who is on the call with you?", ben))
	must(e.t, p.Submit(e.t.Context()))
	return e.change(e.newest())
}

func (e *edge) witness(n change.Number, to string, buttons ...string) slack.Message {
	e.t.Helper()
	if len(buttons) == 0 {
		buttons = []string{"on_call"}
	}
	for i, b := range buttons {
		buttons[i] = b + " " + value(n, 1)
	}
	return e.posted(n, change.DeliverAsk, "1/witness/"+to, to, `{"ask":1,"message":"witness"}`, buttons...)
}

func TestANamedWitnessConfirmsWithOneClickAndTheWindowOpens(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	c := e.selfApproved()
	if c.Self == nil || !c.OpenAsk().Quiet || len(c.Witnesses) != 1 || c.Witnesses[0] != ben || !c.Incident.AtRequest.SeenAt.Equal(e.clock.Now()) {
		t.Fatalf("%+v, %+v, %+v", c.Self, c.OpenAsk(), c.Incident)
	}
	must(t, e.ws.Person(ben).Click(t.Context(), e.witness(c.Number, ben), "on_call"))
	c = e.change(c.Number)
	if c.Phase != change.Active || c.Self.At.IsZero() || c.Incident.AtApproval == nil || c.Approver() != ada {
		t.Errorf("%s: %+v, %+v", c.Phase, c.Self, c.Incident)
	}
}

func TestWhoeverCannotApproveThemselvesIsToldAtThatInput(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		who, kind, incident string
		witnesses           []string
		say                 string
	}{
		"not on call":      {ben, "Configuration change", liveLine, []string{ada}, "not among those who may approve"},
		"only oneself":     {ada, "Configuration change", liveLine, []string{ada}, "your own witness"},
		"without incident": {ada, "Configuration change", "No incident", []string{ben}, "needs an active incident"},
		"a guest":          {ada, "Configuration change", liveLine, []string{"U0GUEST"}, "full member"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := callEdge(t)
			p := e.call(test.who, test.kind, test.incident)
			must(t, p.Select(t.Context(), "Who is on the call with you?", test.witnesses...))
			if said := formError(t, p.Submit(t.Context())); !strings.Contains(said["Who is on the call with you?"], test.say) {
				t.Errorf("the form says %v", said)
			}
			if e.newest() != 0 {
				t.Error("a change was made")
			}
		})
	}
}

func TestWithNobodyNamedTheApproversAreAsked(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	must(t, e.call(ada, "Configuration change", liveLine).Submit(t.Context()))
	if c := e.change(1); c.Self != nil || c.OpenAsk() == nil || c.OpenAsk().Quiet {
		t.Errorf("%+v, %+v", c.Self, c.OpenAsk())
	}
}

func TestWhereNoWitnessIsWantedATickIsEnough(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	p := e.call(ada, "Trusted change", "No incident")
	must(t, p.Select(t.Context(), "Self-approval", "I approve this myself"))
	must(t, p.Submit(t.Context()))
	if c := e.change(1); c.Phase != change.Active || c.Self == nil || c.Self.At.IsZero() {
		t.Errorf("%s: %+v", c.Phase, c.Self)
	}
}

// No answer is no yes: what was seen before is not what is.
func TestASilentIncidentIORefusesTheSelfApprovalAndNotTheRequest(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	p := e.call(ada, "Configuration change", liveLine)
	must(t, p.Select(t.Context(), "Who is on the call with you?", ben))
	e.outside.set(func(o *outside) { o.incErr = silence(change.SystemIncident) })
	must(t, p.Submit(t.Context()))
	c := e.change(1)
	if c.Self == nil || !strings.Contains(c.Self.Refused, "could not be looked up") || c.OpenAsk().Quiet || !c.Incident.AtRequest.SeenAt.IsZero() {
		t.Errorf("%+v, %+v, %+v", c.Self, c.OpenAsk(), c.Incident.AtRequest)
	}
}

func TestAWitnessIsBelievedOnlyByWhatIsSoAtTheClick(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		who    string // default: ben
		before func(e *edge)
		say    string
		check  func(c change.Change) bool
	}{
		"incident.io is silent": {before: func(e *edge) { e.outside.set(func(o *outside) { o.incErr = silence(change.SystemIncident) }) }, say: "press again"},
		"whoever asked cannot be looked up": {before: func(e *edge) {
			e.people.answers.Store(change.PersonID(ada), silence(change.SystemSlack))
		}, say: "press again"},
		"whoever asked has left": {before: func(e *edge) { e.people.answers.Store(change.PersonID(ada), change.Deactivated) }, check: func(c change.Change) bool {
			return strings.Contains(c.Self.Refused, "no longer a full member") && !c.OpenAsk().Quiet
		}},
		"the groups are silent": {before: func(e *edge) { e.people.silentGroups.Store(true) }, say: "press again"},
		"the incident is over": {before: func(e *edge) { e.incidentNow(overNow) }, check: func(c change.Change) bool {
			return strings.Contains(c.Self.Refused, "no longer active") && !c.OpenAsk().Quiet
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := callEdge(t)
			c := e.selfApproved()
			m := e.witness(c.Number, ben)
			test.before(e)
			must(t, e.ws.Person(ben).Click(t.Context(), m, "on_call"))
			if test.say != "" {
				e.toldHolds(ben, test.say)
			}
			c = e.change(c.Number)
			if c.Phase != change.Requested || len(c.Self.Confirmed) != 0 || (test.check != nil && !test.check(c)) {
				t.Errorf("%s: %+v, %+v", c.Phase, c.Self, c.OpenAsk())
			}
		})
	}
}

func TestTheWitnessesButtonAndTheApproversAreNotMixedUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		who, button string
		message     func(e *edge, n change.Number) slack.Message
	}{
		"a witness's button on an approver's message": {cto, "on_call", func(e *edge, n change.Number) slack.Message {
			return e.posted(n, change.DeliverAsk, "1/"+cto, cto, `{"ask":1}`, "on_call "+value(n, 1))
		}},
		"approve on a witness's message": {cto, "approve", func(e *edge, n change.Number) slack.Message { return e.witness(n, cto, "approve") }},
		"another's message":              {cto, "on_call", func(e *edge, n change.Number) slack.Message { return e.witness(n, ben) }},
		"on the card": {ben, "on_call", func(e *edge, n change.Number) slack.Message {
			return e.posted(n, change.DeliverCard, "card", "", `{}`, "on_call "+value(n, 1))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := callEdge(t)
			c := e.selfApproved()
			must(t, e.clickAs(test.who, test.message(e, c.Number), test.button))
			e.toldHolds(test.who, "does not belong to a message that breakglass posted here")
			if got := e.change(c.Number); got.Phase != change.Requested || len(got.Self.Confirmed) != 0 {
				t.Errorf("%s: %+v", got.Phase, got.Self)
			}
		})
	}
}

func (e *edge) clickAs(who string, m slack.Message, button string) error {
	p, err := e.ws.Person(who).ClickPayload(m, button)
	if err != nil {
		return err
	}
	_, err = e.ws.Deliver(e.t.Context(), slack.KindInteractive, p)
	return err
}

func TestOnlyFittingIncidentsAreOfferedWhereTheKindDemandsThem(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	e.outside.set(func(o *outside) {
		o.incidents = append(o.incidents, change.Incident{ID: "inc8", Reference: "INC-8", Name: "Mails are late", Status: "Monitoring", Category: change.IncidentLive, Mitigated: true, Created: o.incidents[0].Created})
	})
	for kind, want := range map[string]string{
		"Urgent patch":         liveLine + "|Open an incident",
		"Configuration change": "No incident|" + liveLine + "|INC-8 Mails are late (Monitoring, mitigated)|Open an incident",
	} {
		offered, err := e.call(ada, kind, "").Search(t.Context(), "Active incident", "")
		must(t, err)
		if got := strings.Join(offered, "|"); got != want {
			t.Errorf("%s: offered %q, want %q", kind, got, want)
		}
	}
}

func TestAMitigatedIncidentIsRefusedAtTheRequestAndAtTheApproval(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	ctx := t.Context()
	p := e.call(ada, "Urgent patch", liveLine)
	e.incidentNow(mitigatedNow)
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Active incident"], "INC-7 is mitigated (Monitoring)") {
		t.Errorf("the form says %v", said)
	}
	e.incidentNow(func(i *change.Incident) { i.Status, i.Mitigated = "Investigating", false })
	must(t, p.Submit(ctx))
	c := e.change(1)
	e.incidentNow(mitigatedNow)
	must(t, e.ws.Person(cto).Click(ctx, e.ask(c.Number, cto), "approve"))
	e.toldHolds(cto, "INC-7 is mitigated already (Monitoring)", "cannot be approved")
	if got := e.change(c.Number).Phase; got != change.Requested {
		t.Fatalf("the change is %s", got)
	}
	e.outside.set(func(o *outside) { o.incErr = silence(change.SystemIncident) })
	must(t, e.ws.Person(cto).Click(ctx, e.ask(c.Number, cto), "approve"))
	if c = e.change(c.Number); c.Phase != change.Active || c.Incident.AtApproval != nil {
		t.Errorf("no answer refuses nothing, and is not taken for one: %s, %+v", c.Phase, c.Incident)
	}
}

func TestTheIncidentAtTheApprovalIsKept(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	must(t, e.call(ada, "Urgent patch", liveLine).Submit(t.Context()))
	e.incidentNow(func(i *change.Incident) { i.Status = "Fixing" })
	must(t, e.ws.Person(cto).Click(t.Context(), e.ask(1, cto), "approve"))
	if i := e.change(1).Incident; i.AtApproval == nil || i.AtApproval.Status != "Fixing" || i.AtRequest.Status != "Investigating" {
		t.Errorf("%+v", i)
	}
}

// overdueRecord gives somebody a change whose record is overdue.
func (e *edge) overdueRecord(who string) {
	e.t.Helper()
	c := e.request(who)
	e.activate(c.Number)
	e.clock.forward(30 * time.Hour)
	e.incidentNow(func(i *change.Incident) { i.SeenAt = e.clock.Now() })
	e.system(c.Number, change.Tick{})
}

func TestAnOverdueRecordMakesApproveAskForTheReason(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	ctx := t.Context()
	e.overdueRecord(ada)
	must(t, e.call(ada, "Urgent patch", liveLine).Submit(ctx))
	c := e.change(2)
	if a := c.OpenAsk(); len(a.Overdue) != 1 || a.Overdue[0] != 1 {
		t.Fatalf("%+v", a)
	}
	must(t, e.ws.Person(cto).Click(ctx, e.ask(2, cto), "approve"))
	if shown := e.view(cto); !strings.Contains(shown, "Approve EC-2") || !strings.Contains(shown, "The record of EC-1 is overdue") {
		t.Fatalf("the form:\n%s", shown)
	}
	if got := e.change(2).Phase; got != change.Requested {
		t.Fatalf("the change is %s", got)
	}
	must(t, e.ws.Person(cto).Type(ctx, "Why do you approve it all the same?", "   "))
	if said := formError(t, e.ws.Person(cto).Submit(ctx)); said["Why do you approve it all the same?"] == "" {
		t.Errorf("the form says %v", said)
	}
	must(t, e.ws.Person(cto).Type(ctx, "Why do you approve it all the same?", "The shop is down"))
	must(t, e.ws.Person(cto).Submit(ctx))
	c = e.change(2)
	if d := c.Asks[0].Decisions; c.Phase != change.Active || len(d) != 1 || d[0].Reason != "The shop is down" || len(d[0].Overdue) != 1 || c.Incident.AtApproval == nil {
		t.Errorf("%s: %+v, %+v", c.Phase, d, c.Incident)
	}
}

func TestARecordWrittenMeanwhileNeedsNoReason(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	ctx := t.Context()
	e.overdueRecord(ada)
	must(t, e.call(ada, "Urgent patch", liveLine).Submit(ctx))
	must(t, e.ws.Person(ada).Click(ctx, e.posted(1, change.DeliverDirect, "x", ada, `{}`, "write_record "+value(1, 0)), "write_record"))
	must(t, e.ws.Person(ada).Submit(ctx))
	must(t, e.ws.Person(cto).Click(ctx, e.ask(2, cto), "approve"))
	if c := e.change(2); c.Phase != change.Active || len(c.Asks[0].Decisions[0].Overdue) != 0 {
		t.Errorf("%s: %+v", c.Phase, c.Asks)
	}
}

func TestAnIncidentIsOpenedFromTheForm(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	ctx := t.Context()
	p := e.call(ada, "Urgent patch", "Open an incident")
	if said := localError(t, p.Submit(ctx)); said["Name of the incident"] == "" || said["Severity"] == "" {
		t.Errorf("Slack says %v", said)
	}
	must(t, p.Type(ctx, "Name of the incident", "Orders are <!channel> stuck"))
	offered, err := p.Search(ctx, "Severity", "")
	must(t, err)
	if strings.Join(offered, "|") != "Minor|Major" {
		t.Errorf("offered %q", offered)
	}
	must(t, p.Select(ctx, "Severity", "Major"))
	must(t, p.Submit(ctx))
	c := e.change(1)
	if o := c.Incident.Opening; !c.Incident.BeingOpened() || o.SeverityID != "sev-major" || o.Severity != "Major" || o.Name != "Orders are <!channel> stuck" || c.Record.In != change.RecordInIncident {
		t.Errorf("%+v, recorded in %s", c.Incident, c.Record.In)
	}
}

func localError(t *testing.T, err error) map[string]string {
	t.Helper()
	refused, ok := asFormError(err)
	if !ok || !refused.Local {
		t.Fatalf("Slack let it through: %v", err)
	}
	return refused.ByLabel
}

func TestWhereTheSeveritiesAreNotKnownThatIsSaidAtTheirInput(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	ctx := t.Context()
	e.outside.set(func(o *outside) { o.incErr = silence(change.SystemIncident) })
	p := e.call(ada, "Urgent patch", "Open an incident")
	if shown := e.view(ada); !strings.Contains(shown, "its severities are not known") {
		t.Errorf("the form says nothing of it:\n%s", shown)
	}
	must(t, p.Type(ctx, "Name of the incident", "Orders are stuck"))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Severity"], "its severities are not known") {
		t.Errorf("the form says %v", said)
	}
	e.outside.set(func(o *outside) { o.incErr = nil })
	must(t, p.Select(ctx, "Severity", "Minor"))
	must(t, p.Submit(ctx))
	if c := e.change(1); !c.Incident.BeingOpened() {
		t.Errorf("%+v", c.Incident)
	}
}

func TestAReportOpensNoIncident(t *testing.T) {
	t.Parallel()
	e := callEdge(t)
	ctx, p := t.Context(), e.ws.Person(ada)
	_, err := p.Command(ctx, otherChannel, "/emergency", "report")
	must(t, err)
	must(t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	must(t, p.Select(ctx, "Kind of change", "Configuration change"))
	offered, err := p.Search(ctx, "Active incident", "open")
	must(t, err)
	if shown := e.view(ada); len(offered) != 0 || strings.Contains(shown, "Who is on the call with you?") {
		t.Errorf("offered %q:\n%s", offered, shown)
	}
}
