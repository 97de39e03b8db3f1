package config

import "github.com/breakglass-bot/breakglass/internal/change"

// maxWitnesses bounds the people on the call that a self-approval asks for.
const maxWitnesses = 10

// approvals reads what a kind needs approved, and by whom it could be.
func (b *builder) approvals(raw *fileKind) []change.ApprovalRule {
	raw.Approvals.filled(b.report, "a kind needs at least one approval")
	var rules []change.ApprovalRule
	for i := range raw.Approvals.items {
		rule := &raw.Approvals.items[i]
		rules = append(rules, change.ApprovalRule{
			From: b.groupRefs(rule.From), Fallback: b.groupRefs(rule.Fallback), Not: b.groupRefs(rule.Not),
		})
		rule.From.filled(b.report, "name the group that approves")
		if !rule.From.given || len(rule.From.items) == 0 {
			continue
		}
		approvers := b.reachOf(rule.From, rule.Fallback).less(b.reachOf(rule.Not))
		if approvers.empty() {
			b.problem(rule.spot, "%s is an approval that nobody could give: `from` and `fallback` less `not` leave no one; name a group with members", rule.whole())
			continue
		}
		b.ownApproval(raw, rule, approvers)
	}
	return rules
}

// ownApproval looks for the one approver who is a requester as well: nobody
// decides about themselves.
func (b *builder) ownApproval(raw *fileKind, rule *fileApprovalRule, approvers reach) {
	one, ok := approvers.only()
	if !ok || raw.SelfApproval.rule != nil {
		return
	}
	requesters := b.reachOf(raw.Requesters)
	if asks, alone := requesters.only(); alone && asks == one {
		b.problem(rule.spot, "%s is an approval that nobody could give: %s is the only approver and the only requester, and nobody approves their own change; name another", rule.whole(), quote(one))
		return
	}
	if requesters.has(one) {
		b.warn(rule.spot, "%s: nobody can approve this kind when %s, the only approver, asks for it; name a fallback", rule.whole(), quote(one))
	}
}

// selfApproval reads who may approve their own change; nil for nobody.
func (b *builder) selfApproval(raw *fileSelfApproval) *change.SelfApproval {
	if raw == nil {
		return nil
	}
	rule := &change.SelfApproval{
		Who: b.groupRefs(raw.Who),
		// What is left out never makes it easier.
		NeedsIncident: raw.NeedsIncident.or(true),
		Witnesses:     raw.Witnesses.between(b.report, 0, maxWitnesses, 1),
		WitnessesFrom: b.groupRefs(raw.WitnessesFrom),
	}
	raw.Who.filled(b.report, "name who may approve their own change, or set `self_approval: never`")
	who := b.reachOf(raw.Who)
	if raw.Who.given && len(raw.Who.items) > 0 && who.empty() {
		b.problem(raw.Who.spot, "%s is nobody: its groups have no members; give them some, or set `self_approval: never`", raw.Who.whole())
	}
	if rule.NeedsIncident && raw.line > 0 && b.file.IncidentIO == nil {
		at := raw.NeedsIncident.spot
		if at.line == 0 {
			at = raw.spot
		}
		b.problem(at, "%s needs an incident (`needs_incident`, true unless set otherwise), and with it %s", raw.whole(), need("incident_io"))
	}
	b.witnesses(raw, rule.Witnesses, who)
	return rule
}

// witnesses checks that as many can be found as are asked for.
func (b *builder) witnesses(raw *fileSelfApproval, needed int, who reach) {
	from := raw.WitnessesFrom
	switch {
	case needed > 0 && from.line == 0:
		b.problem(raw.spot, "%s asks for witnesses (`witnesses`, %d) but not from whom; add `witnesses_from`, or set `witnesses: 0`", raw.whole(), needed)
	case needed == 0 && from.given:
		b.problem(from.spot, "%s names witnesses, but `witnesses` is 0; set how many are needed, or leave it out", from.whole())
	case needed > 0 && from.given:
		from.filled(b.report, "name the groups that witnesses come from")
		people := b.reachOf(from)
		if len(from.items) > 0 && people.fixed() && mostWitnesses(people, who) < needed {
			b.problem(from.spot, "%s has too few people: %d are needed, and nobody witnesses their own change; add members, or ask for fewer", from.whole(), needed)
		}
	}
}

// mostWitnesses counts those who remain for the requester with the most of them.
func mostWitnesses(witnesses, who reach) int {
	if !who.fixed() {
		return len(witnesses.people)
	}
	most := 0
	for _, requester := range who.names() {
		n := len(witnesses.people)
		if witnesses.has(requester) {
			n--
		}
		most = max(most, n)
	}
	return most
}
