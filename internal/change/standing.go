package change

// DecideStanding is an approver's word about access that was there before
// breakglass did anything: that it is standing access, to be left alone for good,
// or (End) that it is to be removed. It may come long after the change has closed.
type DecideStanding struct{ End bool }

func (x DecideStanding) decide(d *decision) error {
	is, known := d.c.IsApprover(d.actor.Groups, d.actor.ID)
	if !is && !known {
		return unestablishable()
	}
	if !is {
		return refuse(NotAllowed, "Only the approvers of %s may decide about access that was there before.", d.c.Number)
	}
	if d.c.Access == nil || d.c.Access.Key.UserID == "" {
		return refuse(TooLate, "%s has no access that could have been there before.", d.c.Number)
	}
	kind := EventStandingKept
	if x.End {
		kind = EventStandingEnded
	}
	d.emit(kind, Facts{"account": d.c.Access.Key.AccountID, "permission_set": d.c.Access.Key.PermissionSetARN, "aws_user": d.c.Access.Key.UserID}, nil)
	return nil
}
