package change_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestAMitigatedIncidentIsRefusedAtTheRequest(t *testing.T) {
	t.Parallel()
	report := func(at time.Duration) func(*change.Request) {
		return func(r *change.Request) { r.Reported, r.MadeAt = true, start.Add(at) }
	}
	for name, c := range map[string]struct {
		kind     change.KindID
		incident func(*change.Incident)
		alter    func(*change.Request)
		say      string // empty: it is taken
	}{
		"live":                               {kind: unsettled},
		"mitigated":                          {kind: unsettled, incident: mitigated, say: "is mitigated (Monitoring)"},
		"over":                               {kind: unsettled, incident: over, say: "no longer active"},
		"mitigated, where that may be":       {kind: byMyself, incident: mitigated},
		"reported, mitigated after that":     {kind: unsettled, incident: mitigated, alter: report(-2 * time.Minute)},
		"reported, mitigated at that time":   {kind: unsettled, incident: mitigated, alter: report(-30 * time.Second), say: "was mitigated at the stated time"},
		"reported, over after that":          {kind: unsettled, incident: over, alter: report(-2 * time.Minute)},
		"reported, over at that time":        {kind: unsettled, incident: over, alter: report(-30 * time.Second), say: "was not active at the stated time"},
		"none":                               {kind: unsettled, alter: func(r *change.Request) { r.Incident = nil }, say: "needs an active incident"},
		"not checked: incident.io is silent": {kind: unsettled, incident: unseen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := onCallRequest(c.kind)
			if c.incident != nil {
				c.incident(req.Incident)
			}
			if c.alter != nil {
				c.alter(&req)
			}
			_, _, err := change.Submit(rules(), req, member(requester), 1, start)
			r, refused := errors.AsType[*change.Refusal](err)
			if c.say == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.say != "" && (!refused || !strings.Contains(r.Fields[change.FieldIncident], c.say)) {
				t.Errorf("%v; want it to say %q", err, c.say)
			}
		})
	}
}

func TestAnApprovalIsJudgedByTheIncidentAtThatMoment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind    change.KindID
		alter   []func(*change.Incident)
		silent  bool
		refused bool
		kept    bool // its state at the approval
	}{
		"live":                         {kind: unsettled, kept: true},
		"mitigated":                    {kind: unsettled, alter: []func(*change.Incident){mitigated}, refused: true},
		"over":                         {kind: unsettled, alter: []func(*change.Incident){over}, refused: true},
		"silent":                       {kind: unsettled, silent: true},
		"another":                      {kind: unsettled, alter: []func(*change.Incident){over, func(i *change.Incident) { i.ID = "I9" }}},
		"mitigated, where that may be": {kind: byMyself, alter: []func(*change.Incident){mitigated}, kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, onCallRequest(c.kind))
			x := change.Approve{Ask: 1, Incident: l.seen(c.alter...)}
			if c.silent {
				x.Incident = nil
			}
			if c.refused {
				l.refused(x, member(cto), change.TooLate)
				l.phase(change.Requested)
				return
			}
			l.do(x, member(cto))
			l.phase(change.Active)
			if got := l.c.Incident.AtApproval != nil; got != c.kept {
				t.Errorf("its state at the approval is kept: %t", got)
			}
			if e := l.events[len(l.events)-1]; e.Type == change.EventApproved && (e.Fact("incident_checked") == "true") != c.kept {
				t.Errorf("%+v", e.Facts)
			}
		})
	}
}

func TestAnIncidentThatWasGivenUpNeedsAnotherBeforeTheApproval(t *testing.T) {
	t.Parallel()
	l := begin(t, onCallRequest(unsettled))
	l.do(change.IncidentRefused{Say: "Declined."}, itself)
	l.refused(change.Approve{Ask: 1}, member(cto), change.TooLate)
	l.refused(change.LinkIncident{}, member(requester), change.Unestablished) // nobody looked it up
	l.do(change.LinkIncident{Incident: incident("I2")}, member(requester))
	l.do(change.Approve{Ask: 1}, member(cto))
	l.phase(change.Active)
}

// A look takes its time, and another incident may have been linked meanwhile, or the one
// that it was at been merged.
func TestALookAtAnIncidentThatIsNoLongerTheChangesAltersNothing(t *testing.T) {
	t.Parallel()
	l := begin(t, onCallRequest(unsettled))
	of := l.c.Incident.Now
	l.do(change.LinkIncident{Incident: incident("I2")}, member(requester))
	of.Status = "Fixing"
	if events, err := l.try(change.IncidentSeen{Incident: of}, itself); err != nil || len(events) != 0 {
		t.Errorf("a late look at the one before: %v, %v", types(events), err)
	}
	if l.c.Incident.Now.ID != "I2" {
		t.Errorf("the change has %s", l.c.Incident.Now.ID)
	}
	l.do(change.IncidentMoved{From: "I2", Incident: incident("I3")}, itself)
	if events, err := l.try(change.IncidentSeen{Incident: incident("I2")}, itself); err != nil || len(events) != 0 || l.c.Incident.Now.ID != "I3" {
		t.Errorf("a late look at the one that was merged: %v, %v, and the change has %s", types(events), err, l.c.Incident.Now.ID)
	}
}

func TestAnIncidentLookedAtTooLateIsDoubtedOnce(t *testing.T) {
	t.Parallel()
	req := onCallRequest(unsettled)
	unseen(req.Incident)
	l := begin(t, req)
	l.do(change.Approve{Ask: 1}, member(cto))
	look := change.IncidentSeen{Incident: *l.seen(mitigated), Of: change.AtApproval}
	l.do(look, itself)
	if l.count(change.EventIncidentDoubted) != 1 || l.c.Incident.AtApproval == nil || !l.c.Incident.AtApproval.Mitigated {
		t.Errorf("%v, %+v", types(l.events), l.c.Incident)
	}
	for _, p := range []change.PersonID{requester, cto} {
		if !l.wants(change.DeliverDirect, p, change.MessageIncidentDoubted) {
			t.Errorf("%s is not told", p)
		}
	}
	if !l.wants(change.DeliverAudit, "", "") {
		t.Error("the audit channel is not told")
	}
	if again, err := l.try(look, itself); err != nil || len(again) != 0 {
		t.Errorf("looked at again: %v, %v", types(again), err)
	}
	l.do(change.IncidentSeen{Incident: *l.seen(over), Of: change.AtEnd}, itself) // what it is later is no concern
	if l.count(change.EventIncidentDoubted) != 1 {
		t.Error("doubted for what it was at the end")
	}
}

// What an incident was at the stated time is what counts for a report, however
// late it is looked at.
func TestAReportsIncidentIsJudgedByTheStatedTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at      time.Duration
		was     func(*change.Incident)
		doubted bool
	}{
		"over since":             {-2 * time.Minute, over, false},
		"over by then":           {-30 * time.Second, over, true},
		"mitigated since":        {-2 * time.Minute, mitigated, false},
		"mitigated by then":      {-30 * time.Second, mitigated, true},
		"before it was reported": {-200 * time.Hour, func(*change.Incident) {}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := onCallRequest(unsettled)
			unseen(req.Incident)
			req.Incident.Created = start.Add(-1000 * time.Hour) // incident.io did not say
			req.Reported, req.MadeAt = true, start.Add(c.at)
			l := begin(t, req)
			l.do(change.IncidentSeen{Incident: *l.seen(c.was), Of: change.AtRequest}, itself)
			if got := l.has(change.EventIncidentDoubted); got != c.doubted {
				t.Errorf("doubted: %t", got)
			}
		})
	}
}

func TestThatTheIncidentWasLookedAtAgainIsNoNews(t *testing.T) {
	t.Parallel()
	l := begin(t, onCallRequest(byMyself))
	l.do(change.IncidentSeen{Incident: *l.seen(mitigated)}, itself)
	elsewhere := l.seen(mitigated)
	elsewhere.MitigatedSince = elsewhere.MitigatedSince.In(time.FixedZone("CET", 3600))
	l.now = l.now.Add(time.Minute)
	if events, err := l.try(change.IncidentSeen{Incident: *elsewhere}, itself); err != nil || len(events) != 0 {
		t.Errorf("%v, %v", types(events), err)
	}
}

func TestAnOverdueRecordMakesAnApprovalGiveItsReason(t *testing.T) {
	t.Parallel()
	owing := []change.Number{3, 4}
	l := begin(t, request(withAccess))
	l.c.Plan.BlockWhenOverdue = true
	r := l.refusal(change.Approve{Ask: 1, Overdue: owing}, member(cto), change.ReasonNeeded)
	if !strings.Contains(r.Say, "EC-3, EC-4") || r.Fields[change.FieldText] == "" {
		t.Errorf("%+v", r)
	}
	l.refused(change.Approve{Ask: 1, Overdue: owing, Reason: " "}, member(cto), change.ReasonNeeded)
	l.refused(change.Approve{Ask: 1, Overdue: owing, Reason: "Now"}, member(colleague), change.NotAllowed)
	l.do(change.Approve{Ask: 1, Overdue: owing, Reason: " The shop is down "}, member(cto))
	l.phase(change.Approved)
	d := l.c.Asks[0].Decisions[0]
	if d.Reason != "The shop is down" || len(d.Overdue) != 2 || !l.has(change.EventApprovedOverdue) || !l.wants(change.DeliverAudit, "", "") {
		t.Errorf("%+v, %v", d, types(l.events))
	}
	free := begin(t, request(withAccess)) // where the rules do not ask for it
	free.do(change.Approve{Ask: 1, Overdue: owing}, member(cto))
	if free.has(change.EventApprovedOverdue) {
		t.Error("told of an overdue record although nobody asked")
	}
}
