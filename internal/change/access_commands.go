package change

import "time"

// PersonFound freezes the requester's AWS user, when AWS did not answer at the
// request.
type PersonFound struct{ User AWSUser }

// PersonRefused says that there is no AWS user that could be given access.
type PersonRefused struct{ Say string }

// IntendAccess is committed before a create is sent to AWS.
type IntendAccess struct{}

// AccessVerified says that AWS lists the access. Standing: it had been there
// before breakglass did anything, and is not ours to remove.
type AccessVerified struct{ Standing bool }

// AccessFailed says that AWS refused the access and shows none.
type AccessFailed struct{ Say string }

// AccessTrouble says what AWS is being waited for; empty when nothing is.
type AccessTrouble struct{ Say string }

// AccessGone says that AWS verifiably lists the access no more, or that it is
// left in place because it is not ours, or (Held) because another change holds
// it. Sessions bounds how long a live session may outlast it; zero when unknown.
type AccessGone struct {
	Sessions time.Duration
	Held     bool
}

// LateAfter is how long after its end (AccessEnd) an access may still be there
// before people are told that the removal is late.
const LateAfter = 5 * time.Minute

// AccessLate says that the access should have been gone since LateAfter, and is
// not: everybody concerned is told, once.
type AccessLate struct{}

// AccessBack says that access which was gone is listed again.
type AccessBack struct{}

func (x PersonFound) decide(d *decision) error {
	c := &d.c
	if c.Access == nil || c.Access.Key.UserID != "" || c.Phase.Final() {
		return nil
	}
	c.Access.Key.UserID, c.Access.Trouble = x.User.ID, ""
	d.emit(EventPersonFound, Facts{"aws_user": x.User.ID}, nil)
	return nil
}

func (x PersonRefused) decide(d *decision) error {
	c := &d.c
	if c.Access == nil || c.Access.Key.UserID != "" || c.Phase.Final() {
		return nil
	}
	if c.Phase == Approved {
		return d.fail(x.Say)
	}
	if c.Access.Trouble != x.Say {
		c.Access.Trouble = x.Say
		d.emit(EventPersonRefused, Facts{"say": x.Say}, nil)
	}
	return nil
}

func (IntendAccess) decide(d *decision) error {
	c := &d.c
	if !c.WantedAt(d.now) || c.Access.Key.UserID == "" || (c.Phase == Approved && due(c.Access.GrantBy, d.now)) {
		return refuse(TooLate, "%s does not want access any more.", c.Number)
	}
	if !c.Access.IntendedAt.IsZero() {
		return nil
	}
	c.Access.IntendedAt, c.Access.Standing = d.now, false
	if c.Access.VerifiedAt.IsZero() {
		c.Access.RevokeBy = d.now.Add(c.Plan.GrantWithin + c.Access.Approved)
	}
	d.emit(EventAccessIntended, Facts{
		"account": c.Access.Key.AccountID, "permission_set": c.Access.Key.PermissionSetARN,
		"aws_user": c.Access.Key.UserID, "revoke_by": stamp(c.Access.RevokeBy),
	}, nil)
	return nil
}

func (x AccessVerified) decide(d *decision) error {
	c := &d.c
	a := c.Access
	if a == nil || !a.VerifiedAt.IsZero() || c.Phase.Final() {
		return nil
	}
	if c.Phase != Approved && a.IntendedAt.IsZero() {
		return nil
	}
	a.VerifiedAt, a.Standing, a.Trouble = d.now, x.Standing, ""
	d.emit(EventAccessVerified, Facts{"standing": x.Standing}, nil)
	if c.Phase != Approved {
		return nil
	}
	if a.IntendedAt.IsZero() { // nothing of ours to remove
		a.GoneAt = time.Time{}
	}
	promised := a.RevokeBy
	c.Window.Until = d.now.Add(a.Approved)
	a.RevokeBy = c.Window.Until
	if a.GivenUp || due(a.GrantBy, d.now) { // too late for it, also where the clock has not been here yet
		c.Window.Until, a.RevokeBy = d.now, earliest(promised, d.now)
		return d.closeWindow("grant_within")
	}
	return d.activate(d.now)
}

func (x AccessFailed) decide(d *decision) error {
	c := &d.c
	a := c.Access
	if a == nil || !a.GoneAt.IsZero() || c.Phase.Final() {
		return nil
	}
	if c.Phase == Approved && a.VerifiedAt.IsZero() {
		return d.fail(x.Say)
	}
	return AccessGone{}.decide(d)
}

// fail ends a change whose access never existed. It owes nothing.
func (d *decision) fail(say string) error {
	c := &d.c
	c.Reply = say
	if !c.Access.IntendedAt.IsZero() {
		c.Access.GoneAt = d.now
	}
	if err := d.finish(Failed, AskWithdrawn); err != nil {
		return err
	}
	d.emit(EventFailed, Facts{"say": say}, nil)
	return nil
}

func (x AccessTrouble) decide(d *decision) error {
	a := d.c.Access
	if a == nil || a.Trouble == x.Say || d.c.Phase.Final() {
		return nil
	}
	a.Trouble = x.Say
	d.emit(EventAccessTrouble, Facts{"say": x.Say}, nil)
	return nil
}

func (x AccessGone) decide(d *decision) error {
	c := &d.c
	a := c.Access
	if a == nil || !a.GoneAt.IsZero() || c.Wanted() || c.Phase.Final() || c.Phase == Requested {
		return nil
	}
	if c.Phase == Approved {
		if a.VerifiedAt.IsZero() {
			say := "AWS did not give the access in time, so it was given up; nothing was left behind."
			if a.Trouble != "" {
				say += " " + a.Trouble
			}
			return d.fail(say)
		}
		return nil
	}
	a.GoneAt, a.Trouble = d.now, ""
	facts := Facts{"standing": a.Standing, "held": x.Held, "late_seconds": int64(max(0, d.now.Sub(c.AccessEnd())) / time.Second)}
	if x.Sessions > 0 && !x.Held && !a.VerifiedAt.IsZero() {
		a.SessionsEndBy = d.now.Add(x.Sessions)
		facts["sessions_end_by"] = stamp(a.SessionsEndBy)
	}
	d.emit(EventAccessGone, facts, nil)
	return nil
}

func (AccessLate) decide(d *decision) error {
	c := &d.c
	a := c.Access
	end := c.AccessEnd()
	if a == nil || c.Phase != Ended || !a.GoneAt.IsZero() || !a.LateAt.IsZero() || !due(end.Add(LateAfter), d.now) {
		return nil
	}
	a.LateAt = d.now
	d.emit(EventAccessLate, Facts{"ended": stamp(end), "late_seconds": int64(d.now.Sub(end) / time.Second)}, nil)
	return nil
}

func (AccessBack) decide(d *decision) error {
	a := d.c.Access
	if a == nil || a.GoneAt.IsZero() || a.Standing {
		return nil
	}
	if d.c.Phase == Ended {
		a.GoneAt, a.LateAt = time.Time{}, time.Time{}
	}
	d.emit(EventAccessBack, nil, nil)
	return nil
}
