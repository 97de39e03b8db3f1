package change

import (
	"strconv"
	"time"
)

// independent lists the approvals of people who have no part in the change.
func (d *decision) independent(m *LinkedMergeRequest) []MRApproval {
	return d.c.IndependentApprovals(d.rules, m)
}

// judgeMergeRequests compares what is owed with what is known of every linked
// merge request.
func (d *decision) judgeMergeRequests() {
	c := &d.c
	if o := c.Owes(OweMergeRequest, 0); o != nil && o.State == Owed {
		for _, m := range c.Working() {
			if m.Seen != nil || m.Confirmed != "" {
				d.fulfil(o, Proof{Way: proofWay(m), By: m.By, Ref: m.name()})
				break
			}
		}
	}
	if o := c.Owes(OwePermanentFix, 0); o != nil && o.State == Owed {
		for _, m := range c.counting(true) {
			if (m.Seen != nil && m.Seen.State == MRMerged) || (!m.Ref.Readable() && m.Confirmed != "") {
				d.fulfil(o, Proof{Way: proofWay(m), By: m.Confirmed, Ref: m.name()})
				break
			}
		}
	}
	d.judgeIndependentReview()
}

// judgeIndependentReview: every merge request that the change is made by has to
// be reviewed by somebody without a part in it.
func (d *decision) judgeIndependentReview() {
	c := &d.c
	o := c.Owes(OweIndependentReview, 0)
	if o == nil || o.State == Waived {
		return
	}
	working := c.Working()
	proof := Proof{}
	missing := 0
	for _, m := range working {
		p, ok := d.reviewed(m)
		if !ok {
			missing = m.Item
			break
		}
		proof = p
	}
	switch done := len(working) > 0 && missing == 0; {
	case done && o.State == Owed:
		d.fulfil(o, proof)
	case !done && o.State == Done:
		d.emit(EventIndependentReviewUndone, Facts{"item": missing}, nil)
		o.State, o.Done, o.Part, o.Proof = Owed, time.Time{}, time.Time{}, Proof{}
		d.emit(EventOwed, Facts{"obligation": string(o.Name), "item": o.Item, "due": stamp(o.Due), "again": true}, nil)
	}
}

// reviewed gives the proof that somebody independent has reviewed a merge request.
func (d *decision) reviewed(m *LinkedMergeRequest) (Proof, bool) {
	if !m.Ref.Readable() {
		return Proof{Way: string(SignOffInSlack), By: m.Confirmed, Ref: m.name()}, m.Confirmed != ""
	}
	approvals := d.independent(m)
	if len(approvals) == 0 || (d.c.NeedsConfirmation(d.rules, m) && m.Confirmed == "") {
		return Proof{}, false
	}
	a := approvals[0]
	return Proof{Way: string(m.Ref.Forge), By: d.personOn(m.Ref.Forge, a.User), Account: a.User, Ref: m.name()}, true
}

// personOn gives whoever has a user name on a forge; empty when nobody is known to.
func (d *decision) personOn(f Forge, user string) PersonID {
	found := PersonID("")
	for p, who := range d.rules.People {
		if name := who.on(f); name != "" && sameUser(name, user) && (found == "" || p < found) {
			found = p
		}
	}
	return found
}

// proofWay names where a merge request was seen.
func proofWay(m *LinkedMergeRequest) string {
	if m.Ref.Readable() {
		return string(m.Ref.Forge)
	}
	return string(SignOffInSlack)
}

// name is what events call a merge request: its address stands in their texts.
func (m *LinkedMergeRequest) name() string { return "merge request " + strconv.Itoa(m.Item) }
