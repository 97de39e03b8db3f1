package change

import (
	"strconv"
	"strings"
	"time"
)

// Tick lets everything happen whose time has come. It is harmless at any time
// and however often.
type Tick struct{}

// NextAt is when the clock must look at the change again; zero for never. The
// ledger indexes it, so that a tick costs what is due and not what exists.
func (c *Change) NextAt() time.Time {
	if c.Phase.Final() {
		return time.Time{}
	}
	var at time.Time
	if a := c.OpenAsk(); a != nil {
		at = earliest(a.EscalateAt, a.LapseAt)
	}
	if c.Phase == Approved && c.Access != nil && !c.Access.GivenUp {
		at = earliest(at, c.Access.GrantBy)
	}
	if c.Phase == Active {
		at = earliest(at, c.Window.Until)
		if c.warnable() {
			at = earliest(at, c.Window.Until.Add(-c.Plan.WarnBeforeEnd))
		}
	}
	for _, o := range c.Obligations {
		at = earliest(at, c.Plan.ladder(o.Name).next(o, c.Phase == Active))
	}
	return at
}

// warnable tells whether the warning before this end is still to be given. A
// window shorter than the warning gets none.
func (c *Change) warnable() bool {
	w := c.Window
	return c.Access != nil && !w.Warned.Equal(w.Until) && w.Until.Add(-c.Plan.WarnBeforeEnd).After(w.Start)
}

func (Tick) decide(d *decision) error {
	if d.c.Phase.Final() {
		return nil
	}
	if err := d.tickAsk(); err != nil {
		return err
	}
	if err := d.tickWindow(); err != nil {
		return err
	}
	for i := range d.c.Obligations {
		d.tickObligation(&d.c.Obligations[i])
	}
	return nil
}

// tickAsk escalates and lapses the open question.
func (d *decision) tickAsk() error {
	a := d.c.OpenAsk()
	if a == nil {
		return nil
	}
	if due(a.LapseAt, d.now) {
		if a.For == ForExtension {
			a.Result, a.Settled = AskLapsed, d.now
			d.emit(EventExtensionLapsed, Facts{"ask": a.ID}, nil)
			return nil
		}
		if err := d.finish(Lapsed, AskLapsed); err != nil {
			return err
		}
		d.emit(EventLapsed, Facts{"ask": a.ID}, nil)
		return nil
	}
	if due(a.EscalateAt, d.now) {
		d.escalate(a, "nobody has decided yet")
	}
	return nil
}

// tickWindow warns before the end, ends the window, and gives up an access that
// did not come in time.
func (d *decision) tickWindow() error {
	c := &d.c
	switch {
	case c.Phase == Approved && c.Access != nil && !c.Access.GivenUp && due(c.Access.GrantBy, d.now):
		if c.Access.IntendedAt.IsZero() {
			return d.fail(strings.TrimSpace("AWS did not give the access in time, and it was never asked for there. " + c.Access.Trouble))
		}
		c.Access.GivenUp = true
		d.emit(EventAccessGivenUp, nil, nil)
	case c.Phase == Active && due(c.Window.Until, d.now):
		return d.closeWindow("time")
	case c.Phase == Active && c.warnable() && due(c.Window.Until.Add(-c.Plan.WarnBeforeEnd), d.now):
		c.Window.Warned = c.Window.Until
		d.emit(EventEndWarned, Facts{"until": stamp(c.Window.Until)}, nil)
	}
	return nil
}

// tickObligation reminds of what is owed and tells of its breach: of several
// missed rungs only the newest, and a breach alone where it has come.
func (d *decision) tickObligation(o *Obligation) {
	if o.State != Owed || o.Due.IsZero() {
		return
	}
	l := d.c.Plan.ladder(o.Name)
	rungs, overdue := l.reached(*o, d.now)
	switch {
	case o.Breached.IsZero() && due(o.Due, d.now):
		inTime := !o.Part.IsZero() && !o.Part.After(o.Due) // theirs was done; the copy is what is late
		o.Breached, o.Rung, o.Overdue, o.Snoozed = d.now, len(l.rungs), overdue, time.Time{}
		d.emit(EventBreached, Facts{"obligation": string(o.Name), "item": o.Item, "due": stamp(o.Due), "delivery": inTime}, nil)
	case !o.Part.IsZero() || d.c.Phase == Active:
	case !o.Breached.IsZero() && overdue > o.Overdue:
		o.Overdue = overdue
		d.remind(o, rungName("overdue", overdue))
	case !o.Breached.IsZero() || d.now.Before(o.Snoozed):
	case rungs > o.Rung:
		o.Rung, o.Snoozed = rungs, time.Time{}
		d.remind(o, rungName("rung", rungs))
	case !o.Snoozed.IsZero():
		at := o.Snoozed
		o.Snoozed = time.Time{}
		d.remind(o, "later-"+strconv.FormatInt(at.Unix(), 10))
	}
}

func (d *decision) remind(o *Obligation, rung string) {
	d.emit(EventReminded, Facts{"obligation": string(o.Name), "item": o.Item, "rung": rung, "due": stamp(o.Due)}, nil)
}

// SnoozeFor is how long Remind me later puts a reminder off.
const SnoozeFor = 2 * time.Hour

// RemindLater puts the reminders of an obligation off for SnoozeFor, never past
// its deadline.
type RemindLater struct {
	Obligation ObligationName
	Item       int
}

func (x RemindLater) decide(d *decision) error {
	o := d.c.Owes(x.Obligation, x.Item)
	if o == nil || o.State != Owed || !o.Part.IsZero() {
		return refuse(TooLate, "Nothing is owed here any more.")
	}
	owns, known := o.ownedBy(d.actor.ID, d.actor.Groups)
	if o.Owner != "" && o.Owner == d.c.Requester { // the implementer does it as well as the requester
		owns = owns || d.c.Own(d.actor.ID)
	}
	if !owns && !known {
		return unestablishable()
	}
	if !owns {
		return refuse(NotAllowed, "Only whoever owes this may put it off.")
	}
	if due(o.Due, d.now) {
		return refuse(TooLate, "This is overdue, so it cannot be put off any more.")
	}
	o.Snoozed = earliest(d.now.Add(SnoozeFor), o.Due)
	d.emit(EventSnoozed, Facts{"obligation": string(o.Name), "item": o.Item, "until": stamp(o.Snoozed)}, nil)
	return nil
}

// OwnerGone passes what a departed person owes on to roles.cto.
type OwnerGone struct{ Person PersonID }

func (x OwnerGone) decide(d *decision) error {
	for i := range d.c.Obligations {
		o := &d.c.Obligations[i]
		if o.State == Owed && o.Owner == x.Person {
			o.Owner, o.Groups = "", d.rules.Roles.CTO
			d.emit(EventOwnerChanged, Facts{"obligation": string(o.Name), "item": o.Item, "from": string(x.Person)}, nil)
		}
	}
	return nil
}

// Undelivered says that a message cannot be delivered to where it belongs, and
// that people are told directly instead.
type Undelivered struct{ Say string }

func (x Undelivered) decide(d *decision) error {
	d.emit(EventUndelivered, Facts{"say": x.Say}, nil)
	return nil
}
