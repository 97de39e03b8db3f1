package change

import "slices"

// newsOf says what people want to hear of a look at a merge request: that it was
// merged, deployed or closed. It is empty for all else, and asked before the look
// is kept.
func (c *Change) newsOf(m *LinkedMergeRequest, seen MergeRequest, deployed *MRDeployment) string {
	was := func(s MRState) bool { return m.Seen != nil && m.Seen.State == s }
	arrived := false
	if e := c.Plan.EndsOn; e != nil && seen.State == MRMerged && !m.Fix {
		before := m.Deployed != nil || (e.Label != "" && m.Seen != nil && slices.Contains(m.Seen.Labels, e.Label))
		after := deployed != nil || (e.Label != "" && slices.Contains(seen.Labels, e.Label))
		arrived = after && !before
	}
	switch {
	case seen.State == MRMerged && !was(MRMerged) && arrived:
		return "merged and deployed"
	case seen.State == MRMerged && !was(MRMerged):
		return "merged"
	case arrived:
		return "deployed"
	case seen.State == MRClosed && !was(MRClosed):
		return "closed"
	}
	return ""
}

// newsOfMergeRequest tells whether the timeline that people read hears of an
// event: not of every look, but of what became of a merge request, and of its
// review.
func newsOfMergeRequest(e Event) bool {
	switch e.Type { //nolint:exhaustive // the others are not about merge requests
	case EventMergeRequestSeen:
		return e.Fact("news") != ""
	case EventDone:
		name := ObligationName(e.Fact("obligation"))
		return name == OweIndependentReview || name == OwePermanentFix
	}
	return false
}

// IndependentApprovals are the approvals of a linked merge request by people who
// have no part in the change, as far as the rules know who is who.
func (c *Change) IndependentApprovals(rules Rules, m *LinkedMergeRequest) []MRApproval {
	if m.Seen == nil {
		return nil
	}
	return m.Seen.IndependentApprovals(func(forge Forge, user string) bool {
		for _, own := range []PersonID{c.Requester, c.Implementer} {
			if name := rules.People[own].on(forge); name != "" && sameUser(name, user) {
				return true
			}
		}
		return false
	})
}
