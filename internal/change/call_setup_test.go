package change_test

import (
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The kinds about the people on the call, and about incidents.
const (
	byMyself  change.KindID = "myself"  // self-approved by whoever is on call, with a witness, during an incident
	byTwo     change.KindID = "two"     // the same with two witnesses
	byNobody  change.KindID = "nobody"  // self-approved without witnesses and without an incident
	unsettled change.KindID = "unfixed" // needs an incident that is live and not mitigated
)

func callKinds() []change.Kind {
	kind := func(id change.KindID, self *change.SelfApproval, incident change.Need) change.Kind {
		return change.Kind{
			ID: id, Name: "A kind", Requesters: []change.GroupID{"engineers"}, Access: change.NeedNone, Incident: incident, MergeRequest: change.NeedNone,
			Approvals: []change.ApprovalRule{{From: []change.GroupID{"cto"}, Fallback: []change.GroupID{"deputies"}}}, SelfApproval: self,
		}
	}
	with := func(witnesses int) *change.SelfApproval {
		return &change.SelfApproval{Who: []change.GroupID{"on-call"}, NeedsIncident: true, Witnesses: witnesses, WitnessesFrom: []change.GroupID{"callers"}}
	}
	return []change.Kind{
		kind(byMyself, with(1), change.NeedOptional), kind(byTwo, with(2), change.NeedOptional),
		kind(byNobody, &change.SelfApproval{Who: []change.GroupID{"on-call"}}, change.NeedOptional), kind(unsettled, nil, change.NeedRequired),
	}
}

// onCallRequest asks for a change with an incident that is live.
func onCallRequest(kind change.KindID) change.Request {
	i := incident("I1")
	return change.Request{Kind: kind, Reason: "down", What: "Turn the flag off", Why: "Orders are stuck", Incident: &i}
}

// selfRequest asks to approve it oneself, with these witnesses.
func selfRequest(kind change.KindID, witnesses ...change.PersonID) change.Request {
	req := onCallRequest(kind)
	req.SelfApprove, req.Witnesses = true, witnesses
	return req
}

// seen is the incident of the tests, as it is now.
func (l *life) seen(alter ...func(*change.Incident)) *change.Incident {
	i := incident("I1")
	i.SeenAt = l.now
	for _, f := range alter {
		f(&i)
	}
	return &i
}

func mitigated(i *change.Incident) {
	i.Status, i.Mitigated, i.MitigatedSince = "Monitoring", true, start.Add(-time.Minute)
}

func over(i *change.Incident) {
	i.Status, i.Category, i.Closed = "Closed", change.IncidentClosed, start.Add(-time.Minute)
}

func unseen(i *change.Incident) { i.SeenAt = time.Time{} }

// wants tells whether the events of the life ask for a delivery of a kind to somebody.
func (l *life) wants(kind change.DeliveryKind, to change.PersonID, message change.Message) bool {
	l.t.Helper()
	return slices.ContainsFunc(change.Outbox(l.c, l.events), func(d change.Delivery) bool {
		return d.Kind == kind && d.To == to && d.Ref.Message == message
	})
}

// checkSelf checks what holds of every self-approval.
func (l *life) checkSelf(c change.Change, a change.Ask, dec change.Decision) {
	l.t.Helper()
	rule := c.Plan.SelfApproval
	if rule == nil || c.Self == nil || c.Self.At.IsZero() || dec.By != c.Requester || a.For != change.ForChange || a.Result != change.AskApproved {
		l.t.Fatalf("a self-approval that cannot be: %+v, %+v", c.Self, dec)
	}
	var by []change.PersonID
	for _, w := range c.Self.Confirmed {
		if c.Own(w.By) || !slices.Contains(c.Witnesses, w.By) || slices.Contains(by, w.By) {
			l.t.Fatalf("%s counts as a witness: %v", w.By, c.Self.Confirmed)
		}
		by = append(by, w.By)
	}
	if len(by) < rule.Witnesses {
		l.t.Fatalf("%d witnesses have confirmed, and %d are needed", len(by), rule.Witnesses)
	}
	if rule.NeedsIncident && (c.Incident == nil || c.Incident.AtApproval == nil || c.Incident.AtApproval.Category != change.IncidentLive || c.Incident.AtApproval.SeenAt.IsZero()) {
		l.t.Fatalf("self-approved without an incident that was known to be live: %+v", c.Incident)
	}
}
