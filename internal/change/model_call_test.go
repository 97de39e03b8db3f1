package change_test

import (
	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// randomCall begins a change with people on the call, or with an incident.
func randomCall(rt *rapid.T) *life {
	kind := rapid.SampledFrom([]change.KindID{byMyself, byMyself, byTwo, byNobody, unsettled}).Draw(rt, "callKind")
	req := onCallRequest(kind)
	if kind != unsettled && rapid.IntRange(0, 3).Draw(rt, "self") > 0 {
		req.SelfApprove = true
		if kind != byNobody {
			req.Witnesses = []change.PersonID{witness, colleague}
		}
	}
	if !req.SelfApprove && rapid.Bool().Draw(rt, "opening") {
		req = openingRequest(kind)
	} else if rapid.Bool().Draw(rt, "unseen") {
		unseen(req.Incident)
	}
	l := beginAs(rt, req, member(requester), start)
	l.rules.Access.BlockWhenOverdue = true
	l.quick = true
	return l
}

// momentOf is an incident as it may be at a decision; nil where incident.io does
// not answer.
func momentOf(rt *rapid.T, l *life) *change.Incident {
	switch rapid.IntRange(0, 5).Draw(rt, "incidentNow") {
	case 0:
		return nil
	case 1:
		return l.seen(mitigated)
	case 2:
		return l.seen(over)
	case 3:
		return l.seen(unseen)
	}
	return l.seen()
}
