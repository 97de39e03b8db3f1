package change

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Command is something that somebody wants to happen to a change.
type Command interface {
	decide(d *decision) error
}

// decision is one run of Decide: the change as it is being altered, and what
// has happened so far.
type decision struct {
	rules  Rules
	c      Change
	actor  Actor
	now    time.Time
	events []Event
}

// Decide carries a command out on c, or refuses it with a *Refusal. It is pure:
// c itself is not altered. No events and no error means that the command found
// nothing to do.
func Decide(rules Rules, c Change, cmd Command, actor Actor, now time.Time) (Change, []Event, error) {
	d := &decision{rules: rules, c: c.clone(), actor: actor, now: now}
	if !actor.System && actor.Standing != Member {
		return c, nil, refuse(NotAllowed, "Only full members of this workspace may do this.")
	}
	if err := d.cleared(cmd); err != nil {
		return c, nil, err
	}
	if by := givenBy(cmd); (actor.System && by == people) || (!actor.System && by == machinery) {
		return c, nil, refuse(NotAllowed, "This is not yours to say.")
	}
	if err := cmd.decide(d); err != nil {
		return c, nil, d.untelling(err)
	}
	if len(d.events) == 0 {
		return c, nil, nil
	}
	d.settle()
	return d.c, d.events, nil
}

// givers is who gives a command.
type givers int

const (
	anybody   givers = iota
	people           // a decision, which is never taken by breakglass itself
	machinery        // what breakglass has seen or waited for; nobody may claim it
)

// givenBy tells who gives a command. It stands in one place, so that what the
// edges check is checked here once more.
func givenBy(cmd Command) givers {
	switch cmd.(type) {
	case Approve, Deny, ChangeDuration, SignOff, RemindLater, DecideStanding, Waive, ConfirmCall, ConfirmMergeRequest:
		return people
	case Tick, Escalate, PersonFound, PersonRefused, IntendAccess, AccessVerified, AccessFailed, AccessTrouble, AccessGone, AccessLate, AccessBack,
		TicketChecked, IncidentSeen, IncidentMoved, IncidentRefused, RecordMirrored, ReviewMirrored, ActionRecorded, CommentsSeen, OwnerGone, Undelivered,
		MergeRequestSeen, MergeRequestRefused, StatusSeen, Coordinated, ApproverAway, IncidentOpened, TicketSecured:
		return machinery
	}
	return anybody
}

// emit adds an event that tells of what has just been done to d.c.
func (d *decision) emit(t EventType, facts Facts, texts map[string]string) {
	for k, v := range texts {
		if v == "" {
			delete(texts, k)
		}
	}
	d.events = append(d.events, Event{
		Type: t, At: d.now, Actor: d.actor.ID, Via: d.actor.Via, Phase: d.c.Phase, Facts: facts, Texts: texts,
	})
}

// move steps to the next phase. An illegal step is a defect, not a refusal.
func (d *decision) move(next Phase) error {
	if !d.c.Phase.May(next) {
		return fmt.Errorf("%s: no move from %s to %s", d.c.Number, d.c.Phase, next)
	}
	d.c.Phase = next
	return nil
}

// settle closes a change whose access is verifiably gone and which owes nothing.
func (d *decision) settle() {
	c := &d.c
	if c.Phase != Ended || len(c.Owing()) > 0 || !c.accessOver() {
		return
	}
	c.Phase = Closed
	d.emit(EventClosed, nil, nil)
}

// accessOver tells whether nothing of the change's access is left in AWS, as
// far as breakglass is responsible for it: none was asked for, or it is gone.
// Access that was seen without a create for this change may be another change's
// and still ours to remove, so that has to be gone as well.
func (c *Change) accessOver() bool {
	a := c.Access
	return a == nil || !a.GoneAt.IsZero() || (a.IntendedAt.IsZero() && a.VerifiedAt.IsZero())
}

// owe adds an obligation, or does nothing when the change has it already.
func (d *decision) owe(o Obligation) {
	if d.c.Owes(o.Name, o.Item) != nil {
		return
	}
	o.State = Owed
	d.c.Obligations = append(d.c.Obligations, o)
	facts := Facts{"obligation": string(o.Name), "item": o.Item}
	if o.Owner != "" {
		facts["owner"] = string(o.Owner)
	}
	if !o.Due.IsZero() {
		facts["due"] = stamp(o.Due)
	}
	d.emit(EventOwed, facts, nil)
}

// fulfil marks an obligation as done by a proof.
func (d *decision) fulfil(o *Obligation, proof Proof) {
	o.State, o.Done, o.Proof = Done, d.now, proof
	if o.Part.IsZero() {
		o.Part = d.now
	}
	facts := Facts{"obligation": string(o.Name), "item": o.Item, "way": proof.Way, "late": due(o.Due, d.now)}
	for k, v := range map[string]string{"by": string(proof.By), "account": proof.Account, "ref": proof.Ref, "hash": proof.Hash} {
		if v != "" {
			facts[k] = v
		}
	}
	d.emit(EventDone, facts, nil)
}

// oweAgain undoes the proof of an obligation. Whoever owed it has done their
// part and is not reminded; what is missing is the copy.
func (d *decision) oweAgain(o *Obligation) {
	o.State, o.Done, o.Proof = Owed, time.Time{}, Proof{}
	d.emit(EventOwed, Facts{"obligation": string(o.Name), "item": o.Item, "due": stamp(o.Due), "again": true}, nil)
}

// openWindow starts the window at a time, and with it what is owed from then on.
func (d *decision) openWindow(start time.Time) {
	c := &d.c
	c.Window.Start = start
	d.owe(Obligation{
		Name: OweRecord, Owner: c.Requester,
		From: start, Due: start.Add(c.Plan.RecordWithin),
	})
	d.retimeSignOff()
	d.oweMergeRequests()
	d.judgeMergeRequests()
}

// closeWindow ends the window at this moment, for whoever ended it.
func (d *decision) closeWindow(how string) error {
	c := &d.c
	if c.Window.Start.IsZero() {
		d.openWindow(d.now)
	}
	if err := d.move(Ended); err != nil {
		return err
	}
	c.Window.Ended, c.Window.EndedBy = d.now, d.actor.ID
	if a := c.OpenAsk(); a != nil && how == "time" { // an extension that nobody decided in time
		d.shutAsk(AskLapsed)
		d.emit(EventExtensionLapsed, Facts{"ask": a.ID}, nil)
	}
	d.shutAsk(AskWithdrawn)
	d.emit(EventEnded, Facts{"how": how}, nil)
	d.oweReview(d.now)
	return nil
}

func (d *decision) oweReview(end time.Time) {
	d.owe(Obligation{Name: OweReview, Owner: d.c.Requester, From: end, Due: end.Add(d.c.Plan.ReviewWithin)})
}

// finish takes a change that never had a window to a final phase: it owes
// nothing, no question stays open, and nothing is waited for.
func (d *decision) finish(next Phase, result AskResult) error {
	d.shutAsk(result)
	if d.c.Access != nil {
		d.c.Access.Trouble = ""
	}
	d.c.Obligations = nil
	return d.move(next)
}

// shutAsk ends the open question, if there is one, without an answer.
func (d *decision) shutAsk(result AskResult) {
	if a := d.c.OpenAsk(); a != nil {
		a.Result, a.Settled = result, d.now
	}
}

// CommandName names a command as events and logs do: approve, end_now.
func CommandName(cmd Command) string {
	name := fmt.Sprintf("%T", cmd)
	name = name[strings.LastIndexByte(name, '.')+1:]
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
