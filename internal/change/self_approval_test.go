package change_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestASelfApprovalOpensTheWindowOnceAWitnessHasConfirmed(t *testing.T) {
	t.Parallel()
	l := begin(t, selfRequest(byMyself, witness, colleague))
	l.phase(change.Requested)
	if !l.wants(change.DeliverAsk, witness, change.MessageWitness) || !l.wants(change.DeliverAsk, colleague, change.MessageWitness) || l.wants(change.DeliverAskOut, "", "") {
		t.Error("the witnesses alone are to be asked")
	}
	l.now = l.now.Add(time.Minute)
	l.do(change.ConfirmCall{Ask: 1, Incident: l.seen()}, member(witness))
	l.phase(change.Active)
	if !l.has(change.EventCallConfirmed, change.EventSelfApproved, change.EventApproved, change.EventActivated) {
		t.Errorf("what happened: %v", types(l.events))
	}
	if l.c.Approver() != requester || !l.c.Self.At.Equal(l.now) || l.c.Self.Confirmed[0].By != witness || !l.c.Approved().Equal(l.now) {
		t.Errorf("approved by %s: %+v", l.c.Approver(), l.c.Self)
	}
	if !l.wants(change.DeliverCTO, "", change.MessageSelfApproved) || !l.wants(change.DeliverAudit, "", "") {
		t.Error("neither the CTO nor the audit channel is told")
	}
	l.refused(change.ConfirmCall{Ask: 1, Incident: l.seen()}, member(colleague), change.Decided)
}

func TestASelfApprovalThatCannotBeIsRefusedAtItsInput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		req  change.Request
		as   change.Actor
		say  string
		want change.Field
	}{
		"not on call":          {selfRequest(byMyself, witness), seeing(requester, with("on-call", change.Membership{Known: true, People: []change.PersonID{cto}})), "on call", change.FieldWitnesses},
		"nobody named":         {selfRequest(byMyself), member(requester), "at least 1 person", change.FieldWitnesses},
		"only oneself":         {selfRequest(byMyself, requester), member(requester), "your own witness", change.FieldWitnesses},
		"too few":              {selfRequest(byTwo, witness), member(requester), "at least 2 people", change.FieldWitnesses},
		"one person twice":     {selfRequest(byTwo, witness, witness), member(requester), "at least 2 people", change.FieldWitnesses},
		"somebody who may not": {selfRequest(byMyself, manager), member(requester), "cannot be a witness", change.FieldWitnesses},
		"no incident": {func() change.Request {
			r := selfRequest(byMyself, witness)
			r.Incident = nil
			return r
		}(), member(requester), "needs an active incident", change.FieldWitnesses},
		"an incident that is only being opened": {func() change.Request {
			r := selfRequest(byMyself, witness)
			r.Incident, r.Opening = nil, &change.IncidentOpening{Name: "x", SeverityID: "s"}
			return r
		}(), member(requester), "only being opened", change.FieldWitnesses},
		"an incident that is over": {func() change.Request {
			r := selfRequest(byMyself, witness)
			over(r.Incident)
			return r
		}(), member(requester), "no longer active", change.FieldIncident},
		"a kind without": {selfRequest(unsettled, witness), member(requester), "cannot be approved by yourself", change.FieldWitnesses},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := change.Submit(rules(), c.req, c.as, 1, start)
			r, ok := errors.AsType[*change.Refusal](err)
			if !ok || !strings.Contains(r.Fields[c.want], c.say) {
				t.Errorf("%v; want %s to say %q", err, c.want, c.say)
			}
		})
	}
}

// No answer refuses the self-approval, and never the request.
func TestWhatIsNotKnownRefusesTheSelfApprovalAndAsksTheApprovers(t *testing.T) {
	t.Parallel()
	unknown := selfRequest(byMyself, witness)
	unseen(unknown.Incident)
	for name, c := range map[string]struct {
		req change.Request
		as  change.Actor
		say string
	}{
		"who is on call":       {selfRequest(byMyself, witness), seeing(requester, with("on-call", change.Membership{})), "Who is on call"},
		"who may be a witness": {selfRequest(byMyself, witness), seeing(requester, with("callers", change.Membership{})), "Who may be a witness"},
		"the incident's state": {unknown, member(requester), "Whether the incident is active"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := beginAs(t, c.req, c.as, start)
			l.phase(change.Requested)
			if !strings.Contains(l.c.Self.Refused, c.say) || !l.has(change.EventSelfApprovalRefused) || l.c.OpenAsk().Quiet {
				t.Errorf("%+v, %+v", l.c.Self, l.c.OpenAsk())
			}
			if !l.wants(change.DeliverAskOut, "", "") || !l.wants(change.DeliverDirect, requester, change.MessageSelfRefused) || l.wants(change.DeliverAsk, witness, change.MessageWitness) {
				t.Error("the approvers are to be asked, and the requester told")
			}
			l.refused(change.ConfirmCall{Ask: 1, Incident: l.seen()}, member(witness), change.TooLate)
			l.do(change.Approve{Ask: 1, Incident: l.seen()}, member(cto))
			l.phase(change.Active)
		})
	}
}

func TestOnlyANamedWitnessConfirmsAndOnlyByWhatIsKnown(t *testing.T) {
	t.Parallel()
	guest := member(witness)
	guest.Standing = change.Guest
	for name, c := range map[string]struct {
		as    change.Actor
		alter func(x *change.ConfirmCall)
		want  change.RefusalCode
	}{
		"the requester":                {member(requester), nil, change.OwnChange},
		"somebody not named":           {member(colleague), nil, change.NotAllowed},
		"an approver not named":        {member(cto), nil, change.NotAllowed},
		"a guest":                      {guest, nil, change.NotAllowed},
		"breakglass itself":            {itself, nil, change.NotAllowed},
		"no longer a possible witness": {seeing(witness, with("callers", change.Membership{Known: true})), nil, change.NotAllowed},
		"witnesses not known":          {seeing(witness, with("callers", change.Membership{})), nil, change.Unestablished},
		"who is on call not known":     {seeing(witness, with("on-call", change.Membership{})), nil, change.Unestablished},
		"incident.io silent":           {member(witness), func(x *change.ConfirmCall) { x.Incident = nil }, change.Unestablished},
		"an incident not looked at":    {member(witness), func(x *change.ConfirmCall) { unseen(x.Incident) }, change.Unestablished},
		"another incident":             {member(witness), func(x *change.ConfirmCall) { x.Incident.ID = "I2" }, change.Unestablished},
		"another question":             {member(witness), func(x *change.ConfirmCall) { x.Ask = 2 }, change.TooLate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, selfRequest(byMyself, witness))
			x := change.ConfirmCall{Ask: 1, Incident: l.seen()}
			if c.alter != nil {
				c.alter(&x)
			}
			l.refused(x, c.as, c.want)
			l.phase(change.Requested)
		})
	}
}

func TestASelfApprovalEndsWhereItsGroundsAreGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		as  change.Actor
		x   func(l *life) change.ConfirmCall
		say string
	}{
		"the incident is over": {member(witness), func(l *life) change.ConfirmCall { return change.ConfirmCall{Ask: 1, Incident: l.seen(over)} }, "no longer active"},
		"no longer on call": {seeing(witness, with("on-call", change.Membership{Known: true})), func(l *life) change.ConfirmCall {
			return change.ConfirmCall{Ask: 1, Incident: l.seen()}
		}, "not (or no longer) on call"},
		"whoever asked has left": {member(witness), func(l *life) change.ConfirmCall {
			return change.ConfirmCall{Ask: 1, Incident: l.seen(), Departed: true}
		}, "no longer a full member"},
		"the incident was declined": {member(witness), func(l *life) change.ConfirmCall {
			l.do(change.IncidentRefused{Say: "Declined."}, itself)
			return change.ConfirmCall{Ask: 1}
		}, "none any more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, selfRequest(byMyself, witness, colleague))
			l.do(c.x(l), c.as)
			l.phase(change.Requested)
			if !strings.Contains(l.c.Self.Refused, c.say) || l.c.OpenAsk().Quiet || len(l.c.Self.Confirmed) != 0 || !l.wants(change.DeliverAskOut, "", "") {
				t.Errorf("%+v, %+v", l.c.Self, l.c.OpenAsk())
			}
			if l.c.AwaitsWitness(witness) || l.c.AwaitsWitness(colleague) {
				t.Error("a witness is still waited for")
			}
			l.refused(change.ConfirmCall{Ask: 1, Incident: l.seen()}, member(colleague), change.TooLate)
		})
	}
}

func TestEachNeededWitnessConfirmsThemselves(t *testing.T) {
	t.Parallel()
	l := begin(t, selfRequest(byTwo, witness, colleague))
	l.do(change.ConfirmCall{Ask: 1, Incident: l.seen()}, member(witness))
	l.phase(change.Requested)
	if l.c.AwaitsWitness(witness) || len(l.c.Unconfirmed()) != 1 || l.c.Unconfirmed()[0] != colleague {
		t.Errorf("waited for: %v", l.c.Unconfirmed())
	}
	l.refused(change.ConfirmCall{Ask: 1, Incident: l.seen()}, member(witness), change.Decided)
	l.do(change.ConfirmCall{Ask: 1, Incident: l.seen()}, member(colleague))
	l.phase(change.Active)
	if l.count(change.EventSelfApproved) != 1 || len(l.c.Unconfirmed()) != 0 {
		t.Errorf("self-approved %d times; waited for: %v", l.count(change.EventSelfApproved), l.c.Unconfirmed())
	}
}

func TestWhereTheWitnessesAreSilentTheApproversAreAsked(t *testing.T) {
	t.Parallel()
	ask := func() *life {
		l := begin(t, selfRequest(byMyself, witness))
		l.after(9 * time.Minute)
		if l.wants(change.DeliverAskOut, "", "") {
			t.Error("the approvers were asked before the witnesses' time was over")
		}
		l.after(2 * time.Minute)
		if !l.wants(change.DeliverAskOut, "", "") || l.c.OpenAsk().Quiet {
			t.Errorf("the approvers were not asked: %+v", l.c.OpenAsk())
		}
		return l
	}
	l := ask()
	l.after(10 * time.Minute)
	if !l.c.OpenAsk().Fallback {
		t.Error("the fallback was not asked in its turn")
	}
	l.do(change.Approve{Ask: 1, Incident: l.seen()}, member(cto))
	l.phase(change.Active)
	if l.c.Approver() != cto || !l.c.Self.At.IsZero() {
		t.Errorf("approved by %s: %+v", l.c.Approver(), l.c.Self)
	}
	l = ask() // and the witness may still confirm
	l.do(change.ConfirmCall{Ask: 1, Incident: l.seen()}, member(witness))
	l.phase(change.Active)
	if l.c.Self.At.IsZero() {
		t.Error("not self-approved")
	}
}

func TestWithoutWitnessesASelfApprovalCountsAtOnce(t *testing.T) {
	t.Parallel()
	req := selfRequest(byNobody)
	req.Incident = nil
	l := begin(t, req)
	l.phase(change.Active)
	if !l.has(change.EventSelfApproved) || !l.wants(change.DeliverCTO, "", change.MessageSelfApproved) {
		t.Errorf("%v", types(l.events))
	}
}

func TestAReportOfASelfApprovedKindAsksNobody(t *testing.T) {
	t.Parallel()
	req := selfRequest(byMyself, witness)
	req.Reported, req.MadeAt = true, start.Add(-time.Minute)
	l := begin(t, req)
	l.phase(change.Ended)
	if len(l.c.Asks) != 0 || l.c.Self != nil {
		t.Errorf("%+v, %+v", l.c.Asks, l.c.Self)
	}
}
