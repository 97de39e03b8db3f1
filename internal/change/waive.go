package change

import "strings"

// Waive lets an approver spare the change something that it owes, with a
// reason. Nobody waives what they owe themselves, alone or in a group.
type Waive struct {
	Obligation ObligationName
	Item       int
	Reason     string
}

func (x Waive) decide(d *decision) error {
	c := &d.c
	if err := d.open(); err != nil {
		return err
	}
	if c.Own(d.actor.ID) {
		return refuse(OwnChange, "You asked for this change or made it, so only another approver may waive what it owes.")
	}
	is, known := c.IsApprover(d.actor.Groups, d.actor.ID)
	if !is && !known {
		return unestablishable()
	}
	if !is {
		return refuse(NotAllowed, "Only the approvers of %s may waive what it owes.", c.Number)
	}
	o := c.Owes(x.Obligation, x.Item)
	if o == nil {
		return refuse(TooLate, "%s does not owe this.", c.Number)
	}
	if o.State != Owed {
		return &Refusal{Code: Decided, Say: "This is " + string(o.State) + " already.", By: o.Proof.By, At: o.Done}
	}
	switch owns, known := o.ownedBy(d.actor.ID, d.actor.Groups); {
	case owns:
		return refuse(OwnChange, "You owe this yourself, so another approver has to waive it.")
	case !known:
		return unestablishable()
	}
	reason := strings.TrimSpace(x.Reason)
	if p := textProblem(reason, true); p != "" {
		return &Refusal{Code: BadInput, Say: "A waiver needs a reason. " + p, Fields: map[Field]string{FieldText: p}}
	}
	o.State, o.Done, o.Proof, o.Waiver = Waived, d.now, Proof{Way: "waiver", By: d.actor.ID}, reason
	d.emit(EventWaived, Facts{"obligation": string(o.Name), "item": o.Item, "late": due(o.Due, d.now)}, map[string]string{"reason": reason})
	d.retimeSignOff()
	return nil
}

// MayWaive tells whether p could waive an obligation of the change.
func (c *Change) MayWaive(v GroupView, p PersonID, o *Obligation) (may, known bool) {
	if o.State != Owed || c.Own(p) || c.Phase.Final() {
		return false, true
	}
	is, known := c.IsApprover(v, p)
	if !is {
		return false, known
	}
	owns, known := o.ownedBy(p, v)
	return !owns && known, known
}
