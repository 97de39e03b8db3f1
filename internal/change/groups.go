package change

import "slices"

// Membership is who belongs to a group, as established at a moment. The people
// are live full members of the workspace only.
type Membership struct {
	Known    bool       // false: the group's source, or one of a union's, did not answer
	Everyone bool       // every full member of the workspace
	People   []PersonID // of a union that is not Known: of its sources that did answer
}

// Has tells whether p, a full member, is known to belong to the group. Whom one
// source of a union names belongs to it, whether or not the others answer.
func (m Membership) Has(p PersonID) bool {
	return m.Everyone || slices.Contains(m.People, p)
}

// GroupView is the membership of the groups that a decision needs. A group that
// is not in it counts as one whose source did not answer.
type GroupView map[GroupID]Membership

// Has tells whether p belongs to any of the groups. known is false when p was
// found in none of them but the source of at least one did not answer.
func (v GroupView) Has(p PersonID, groups ...GroupID) (has, known bool) {
	known = true
	for _, g := range groups {
		m := v[g]
		if m.Has(p) {
			return true, true
		}
		known = known && m.Known
	}
	return false, known
}

// People lists the members of the groups, each once. known is false when a
// source did not answer. Groups of everyone add nobody by name.
func (v GroupView) People(groups ...GroupID) (people []PersonID, known bool) {
	known = true
	for _, g := range groups {
		m := v[g]
		if !m.Known { // whom else it has is not known, so nothing is concluded from those it names
			known = false
			continue
		}
		for _, p := range m.People {
			if !slices.Contains(people, p) {
				people = append(people, p)
			}
		}
	}
	return people, known
}

// everyone tells whether one of the groups is every full member, who are not
// listed by name.
func (v GroupView) everyone(groups []GroupID) bool {
	return slices.ContainsFunc(groups, func(g GroupID) bool { return v[g].Everyone })
}

// Actor is whoever gives a command, as established at the moment of the click.
type Actor struct {
	ID       PersonID
	Standing Standing
	Groups   GroupView
	System   bool   // breakglass itself: the clock or a reconciler
	Via      string // how it came: "slack", "jira", "clock", …; kept in the events
}

// Itself is breakglass, acting through the named part of it.
func Itself(via string) Actor { return Actor{System: true, Via: via} }

// GroupsOf lists every group whose membership a decision about c may need.
func (c *Change) GroupsOf(rules Rules) []GroupID {
	var ids []GroupID
	add := func(groups []GroupID) {
		for _, g := range groups {
			if !slices.Contains(ids, g) {
				ids = append(ids, g)
			}
		}
	}
	for _, a := range c.Plan.Approvals {
		add(a.From)
		add(a.Fallback)
		add(a.Not)
	}
	if s := c.Plan.SelfApproval; s != nil && c.Self != nil && c.Phase == Requested {
		add(s.Who)
		add(s.WitnessesFrom)
	}
	add(c.Plan.SignOff.From)
	add(c.Plan.SignOff.Fallback)
	add(rules.Roles.CTO)
	for _, o := range c.Obligations {
		add(o.Groups)
	}
	if c.Confidential { // who may give any command at all
		add(rules.Roles.Auditors)
	}
	return ids
}

// approverOf tells whether p may give the approval that rule asks for.
func (c *Change) approverOf(v GroupView, rule ApprovalRule, p PersonID) (may, known bool) {
	if c.Own(p) {
		return false, true
	}
	not, notKnown := v.Has(p, rule.Not...)
	if not {
		return false, true
	}
	in, inKnown := v.Has(p, slices.Concat(rule.From, rule.Fallback)...)
	if !in {
		return false, inKnown
	}
	return notKnown, notKnown
}

// IsApprover tells whether p is an approver of c: a current member of a from or
// fallback group of its kind, less not, who neither asked for nor makes it.
func (c *Change) IsApprover(v GroupView, p PersonID) (is, known bool) {
	known = true
	for _, rule := range c.Plan.Approvals {
		may, k := c.approverOf(v, rule, p)
		if may {
			return true, true
		}
		known = known && k
	}
	return false, known
}

// Candidates lists the people of the groups who could give the approval that
// rule asks for, and whether that is certain.
func (c *Change) Candidates(v GroupView, rule ApprovalRule, groups []GroupID) (people []PersonID, known bool) {
	all, known := v.People(groups...)
	for _, p := range all {
		if c.Own(p) {
			continue
		}
		not, k := v.Has(p, rule.Not...)
		known = known && k
		if !not {
			people = append(people, p)
		}
	}
	return people, known
}

// EligibleSigners lists who may sign c's record off: the members of sign_off.from
// who neither asked for nor made the change; the fallback only where there is
// nobody among them. known is false when that could not be established.
func (c *Change) EligibleSigners(v GroupView) (people []PersonID, known bool) {
	pick := func(groups []GroupID) ([]PersonID, bool) {
		all, known := v.People(groups...)
		return slices.DeleteFunc(all, c.Own), known
	}
	people, known = pick(c.Plan.SignOff.From)
	if len(people) > 0 || !known {
		return people, known
	}
	return pick(c.Plan.SignOff.Fallback)
}
