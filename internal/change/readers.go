package change

import "slices"

// MayRead tells whether p, a full member, may see what the change is about:
// everybody, but of a confidential one only its own people and the auditors.
// Its own people are the requester, the implementer, the witnesses, the
// coordinators, the members of its approval groups, those eligible to sign it
// off, and whoever has inherited one of its obligations. known is false when p
// was not found among them but a source did not answer.
func (c *Change) MayRead(rules Rules, v GroupView, p PersonID) (may, known bool) {
	if !c.Confidential || c.Own(p) || slices.Contains(c.Witnesses, p) || slices.Contains(c.Coordinators, p) {
		return true, true
	}
	known = true
	among := func(groups ...GroupID) bool {
		has, k := v.Has(p, groups...)
		known = known && k
		return has
	}
	for _, rule := range c.Plan.Approvals {
		if among(rule.From...) || among(rule.Fallback...) {
			return true, true
		}
	}
	signers, k := c.EligibleSigners(v)
	known = known && k
	if slices.Contains(signers, p) {
		return true, true
	}
	for _, o := range c.Obligations {
		if o.Owner == p && o.Name != OweAction {
			return true, true
		}
		if o.Owner == "" && o.Name != OweSignOff && among(o.Groups...) {
			return true, true
		}
	}
	if among(rules.Roles.Auditors...) {
		return true, true
	}
	return false, known
}

// ReaderGroups lists every group whose membership MayRead may need.
func (c *Change) ReaderGroups(rules Rules) []GroupID {
	ids := slices.Concat(c.GroupsOf(rules), rules.Roles.Auditors)
	for _, o := range c.Obligations {
		ids = append(ids, o.Groups...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
