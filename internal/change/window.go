package change

import (
	"strings"
	"time"
)

// Withdraw takes a change back. Once a create may have been sent to AWS it ends
// the change instead.
type Withdraw struct{}

// Finish says that the work is done. The access ends first.
type Finish struct{}

// EndNow is an approver's order that the access ends.
type EndNow struct{}

// Extend asks the approvers for more time.
type Extend struct {
	Duration time.Duration
	Why      string
}

// mine refuses everybody but the requester and the implementer.
func (d *decision) mine() error {
	if d.actor.System || d.c.Own(d.actor.ID) {
		return nil
	}
	return refuse(NotAllowed, "Only whoever asked for this change or makes it may do this.")
}

// mineOrInherited refuses everybody but the requester, the implementer, and
// whoever the obligation has passed to because they are gone.
func (d *decision) mineOrInherited(name ObligationName) error {
	err := d.mine()
	o := d.c.Owes(name, 0)
	if err == nil || o == nil || o.Owner != "" {
		return err
	}
	switch owns, known := o.ownedBy(d.actor.ID, d.actor.Groups); {
	case owns:
		return nil
	case !known:
		return unestablishable()
	}
	return err
}

// over refuses what comes after the window, naming who ended it.
func (d *decision) over() error {
	c := &d.c
	r := refuse(TooLate, "%s is %s already.", c.Number, c.Phase)
	if c.Phase == Ended || c.Phase == Closed {
		r.By, r.At = c.Window.EndedBy, c.Window.Ended
		r.Say = c.Number.String() + " has ended already."
	}
	return r
}

func (Withdraw) decide(d *decision) error {
	if err := d.mine(); err != nil {
		return err
	}
	return d.stop("withdraw")
}

func (Finish) decide(d *decision) error {
	if err := d.mine(); err != nil {
		return err
	}
	if d.c.Phase == Requested {
		return refuse(TooEarly, "%s has not been approved yet; “Withdraw” takes it back.", d.c.Number)
	}
	return d.stop("finish")
}

// EndNow never waits for a look-up: it is carried out for anybody who may be an
// approver as far as is known, since it only takes access away.
func (EndNow) decide(d *decision) error {
	is, known := d.c.IsApprover(d.actor.Groups, d.actor.ID)
	if !is && known && !d.c.Own(d.actor.ID) {
		return refuse(NotAllowed, "Only the approvers of this change may end it for others; they are asked in its thread.")
	}
	if d.c.Phase == Requested {
		return refuse(TooEarly, "%s has not been approved yet; “Deny” refuses it.", d.c.Number)
	}
	return d.stop("end_now")
}

// stop ends a change by hand: a withdrawal as long as AWS was asked for
// nothing, else an end with everything owed as usual.
func (d *decision) stop(how string) error {
	c := &d.c
	switch {
	case c.Phase == Requested, c.Phase == Approved && c.Access != nil && c.Access.IntendedAt.IsZero():
		if err := d.finish(Withdrawn, AskWithdrawn); err != nil {
			return err
		}
		d.emit(EventWithdrawn, Facts{"how": how}, nil)
		return nil
	case c.Phase == Approved || c.Phase == Active:
		return d.closeWindow(how)
	default:
		return d.over()
	}
}

func (x Extend) decide(d *decision) error {
	if err := d.mine(); err != nil {
		return err
	}
	c := &d.c
	if c.Phase != Active {
		if c.Phase == Requested || c.Phase == Approved {
			return refuse(TooEarly, "%s is not active yet, so there is nothing to extend.", c.Number)
		}
		return d.over()
	}
	if c.Access == nil {
		return refuse(BadInput, "%s has no access that could be extended.", c.Number)
	}
	if c.OpenAsk() != nil {
		return refuse(Decided, "An extension of %s is being asked for already.", c.Number)
	}
	if !d.now.Before(c.Window.Until) {
		return refuse(TooLate, "The time of %s is over; ask for a new change.", c.Number)
	}
	if say := c.extensionProblem(x.Duration); say != "" {
		return &Refusal{Code: BadInput, Say: say, Fields: map[Field]string{FieldDuration: say}}
	}
	why := strings.TrimSpace(x.Why)
	if p := textProblem(why, false); p != "" {
		return &Refusal{Code: BadInput, Say: p, Fields: map[Field]string{FieldWhy: p}}
	}
	d.emit(EventExtensionAsked, Facts{"seconds": int64(x.Duration / time.Second)}, map[string]string{"why": why})
	d.putAsk(Ask{For: ForExtension, Duration: x.Duration, Why: why})
	return nil
}

// extensionProblem says why a period cannot be added; empty when it can.
func (c *Change) extensionProblem(add time.Duration) string {
	switch a := c.Access; {
	case add <= 0:
		return "Say how much longer, such as 30m or 1h."
	case add > a.MaxPeriod:
		return "This permission set is given for at most " + ShortDuration(a.MaxPeriod) + " at a time."
	case a.Approved+add > c.Plan.MaxTotal:
		left := c.Plan.MaxTotal - a.Approved
		if left <= 0 {
			return "One change may last " + ShortDuration(c.Plan.MaxTotal) + " in all, and that is used up."
		}
		return "One change may last " + ShortDuration(c.Plan.MaxTotal) + " in all; " + ShortDuration(left) + " are left."
	}
	return ""
}

// Extensions lists the periods by which the change may be extended.
func (c *Change) Extensions() []time.Duration {
	var fit []time.Duration
	if c.Access == nil {
		return nil
	}
	for _, x := range c.Plan.Durations {
		if c.extensionProblem(x) == "" {
			fit = append(fit, x)
		}
	}
	return sortedDurations(fit)
}

// extend adds an approved period to the window's end, so that there is no gap.
func (d *decision) extend(add time.Duration) {
	c := &d.c
	c.Access.Approved += add
	c.Window.Until = c.Window.Until.Add(add)
	c.Access.RevokeBy = c.Window.Until
	d.emit(EventExtensionApproved, Facts{"seconds": int64(add / time.Second), "until": stamp(c.Window.Until)}, nil)
}

// ShortDuration writes a duration as people type it: 1h30m, 45m, 30s.
func ShortDuration(x time.Duration) string {
	s := x.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
