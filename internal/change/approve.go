package change

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Approve is an approver's yes to the question Ask.
//
// Incident is the change's incident as it is at this moment, nil where
// incident.io did not answer. Overdue are the changes whose record the requester
// owes, overdue; where the rules say so, the approval then needs a Reason.
type Approve struct {
	Ask      int
	Reason   string
	Incident *Incident
	Overdue  []Number
}

// Deny is an approver's no, with the reason that they owe.
type Deny struct {
	Ask    int
	Reason string
}

// ChangeDuration shortens what is asked for, before it is approved.
type ChangeDuration struct {
	Ask      int
	Duration time.Duration
}

// Escalate asks the fallback groups as well: because nobody of the first may
// decide. The clock does the same after escalate_after.
type Escalate struct {
	Ask int
	Why string // empty: nobody of the first groups may decide
}

// question gives the open ask of that id, or why it takes no answer any more.
func (d *decision) question(id int) (*Ask, error) {
	i := slices.IndexFunc(d.c.Asks, func(a Ask) bool { return a.ID == id })
	if i < 0 {
		return nil, refuse(TooLate, "This button belongs to a question that %s never asked.", d.c.Number)
	}
	a := &d.c.Asks[i]
	if a.Open() && (due(a.LapseAt, d.now) || (a.For == ForExtension && due(d.c.Window.Until, d.now))) {
		return nil, refuse(TooLate, "%s: the time to decide this is over.", d.c.Number) // though the clock has not been here yet
	}
	if a.Open() {
		return a, nil
	}
	r := refuse(TooLate, "%s: this was %s already.", d.c.Number, a.Result)
	if dec, ok := a.decider(); ok {
		r.Code, r.By, r.At = Decided, dec.By, dec.At
	}
	return nil, r
}

// decides says which approvals, not given yet, the actor may give: or why none.
func (d *decision) decides(a *Ask) ([]int, error) {
	if d.c.Own(d.actor.ID) {
		return nil, refuse(OwnChange, "You asked for this change or make it yourself, so somebody else has to decide.")
	}
	var may []int
	known := true
	for i, rule := range d.c.Plan.Approvals {
		ok, k := d.c.approverOf(d.actor.Groups, rule, d.actor.ID)
		known = known && k
		if ok {
			may = append(may, i)
		}
	}
	if len(may) > 0 && a.with(may) {
		return may, nil
	}
	if is, _ := d.c.IsApprover(d.actor.Groups, d.actor.ID); is {
		return nil, refuse(Decided, "The approval that you can give has been given already; another group's is still missing.")
	}
	if !known {
		return nil, unestablishable()
	}
	return nil, refuse(NotAllowed, "You are not among the approvers of this kind of change.")
}

func (x Approve) decide(d *decision) error {
	a, err := d.question(x.Ask)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(a.Decisions, func(dec Decision) bool { return dec.By == d.actor.ID }) {
		return refuse(Decided, "You have approved this already; somebody else has to give the other approval.")
	}
	may, err := d.decides(a)
	if err != nil {
		return err
	}
	if err := d.unowned(a, x); err != nil {
		return err
	}
	decision := Decision{By: d.actor.ID, At: d.now, Approved: true, May: may}
	if a.For == ForChange && len(x.Overdue) > 0 && d.c.Plan.BlockWhenOverdue {
		decision.Overdue, decision.Reason = x.Overdue, strings.TrimSpace(x.Reason)
	}
	a.Decisions = append(a.Decisions, decision)
	a.assign()
	d.emit(EventApprovalGiven, Facts{"ask": a.ID, "rule": a.Decisions[len(a.Decisions)-1].Rule, "for": string(a.For), "seconds": int64(a.Duration / time.Second)}, nil)
	if len(decision.Overdue) > 0 {
		d.emit(EventApprovedOverdue, Facts{"ask": a.ID, "overdue": numbers(decision.Overdue)}, map[string]string{"reason": decision.Reason})
	}
	for i := range d.c.Plan.Approvals {
		if !a.met(i) {
			return nil
		}
	}
	a.Result, a.Settled = AskApproved, d.now
	if a.For == ForExtension {
		d.extend(a.Duration)
		return nil
	}
	return d.approved(a)
}

// unowned refuses an approval that what the kind demands forbids at this moment.
func (d *decision) unowned(a *Ask, x Approve) error {
	if a.For != ForChange {
		return nil
	}
	if err := d.notMine(); err != nil {
		return err
	}
	if err := d.mergeRequestsHold(); err != nil {
		return err
	}
	if err := d.approvable(x.Incident); err != nil {
		return err
	}
	if !d.c.Plan.BlockWhenOverdue || len(x.Overdue) == 0 {
		return nil
	}
	if p := textProblem(x.Reason, true); p != "" {
		return &Refusal{
			Code: ReasonNeeded, Say: "The record of " + strings.Join(numbers(x.Overdue), ", ") + " is overdue, so approving " + d.c.Number.String() + " needs a reason.",
			Fields: map[Field]string{FieldText: p},
		}
	}
	return nil
}

func numbers(all []Number) []string {
	words := make([]string, 0, len(all))
	for _, n := range all {
		words = append(words, n.String())
	}
	return words
}

// approved opens the way to the access, or the window where there is none.
func (d *decision) approved(a *Ask) error {
	c := &d.c
	if err := d.move(Approved); err != nil {
		return err
	}
	if c.Access != nil {
		c.Access.Approved = a.Duration
		c.Access.GrantBy = d.now.Add(c.Plan.GrantWithin)
	}
	facts := Facts{"ask": a.ID, "seconds": int64(a.Duration / time.Second)}
	if i := c.Incident; i != nil {
		facts["incident_checked"] = i.AtApproval != nil
		if at := i.AtApproval; at != nil {
			facts["incident"], facts["incident_status"], facts["incident_category"], facts["incident_mitigated"] = at.ID, at.Status, string(at.Category), at.Mitigated
		}
	}
	d.emit(EventApproved, facts, nil)
	if c.Access != nil {
		return nil
	}
	c.Window.Until = d.now.Add(c.Plan.NoneEndsAfter)
	return d.activate(d.now)
}

func (d *decision) activate(start time.Time) error {
	if err := d.move(Active); err != nil {
		return err
	}
	d.openWindow(start)
	d.emit(EventActivated, Facts{"until": stamp(d.c.Window.Until)}, nil)
	return nil
}

func (x Deny) decide(d *decision) error {
	a, err := d.question(x.Ask)
	if err != nil {
		return err
	}
	if d.c.Own(d.actor.ID) {
		return refuse(OwnChange, "You asked for this change or make it yourself; “Withdraw” takes it back.")
	}
	is, known := d.c.IsApprover(d.actor.Groups, d.actor.ID)
	if !is && !known {
		return unestablishable()
	}
	if !is {
		return refuse(NotAllowed, "You are not among the approvers of this kind of change.")
	}
	reason := strings.TrimSpace(x.Reason)
	if reason == "" {
		return &Refusal{Code: BadInput, Say: "A denial needs a reason.", Fields: map[Field]string{FieldText: "Please say why: the requester is told."}}
	}
	if p := textProblem(reason, true); p != "" {
		return &Refusal{Code: BadInput, Say: p, Fields: map[Field]string{FieldText: p}}
	}
	a.Decisions = append(a.Decisions, Decision{Rule: -1, By: d.actor.ID, At: d.now, Reason: reason})
	a.Result, a.Settled = AskDenied, d.now
	texts := map[string]string{"reason": reason}
	if a.For == ForExtension {
		d.emit(EventExtensionDenied, Facts{"ask": a.ID}, texts)
		return nil
	}
	d.c.Reply = reason
	if err := d.finish(Denied, AskDenied); err != nil {
		return err
	}
	d.emit(EventDenied, Facts{"ask": a.ID}, texts)
	return nil
}

func (x ChangeDuration) decide(d *decision) error {
	a, err := d.question(x.Ask)
	if err != nil {
		return err
	}
	if a.Duration == 0 {
		return refuse(BadInput, "This change asks for no access, so there is no duration to change.")
	}
	if _, err := d.decides(a); err != nil {
		return err
	}
	if x.Duration <= 0 || x.Duration >= a.Duration {
		return &Refusal{Code: BadInput, Say: "The duration can only be made shorter.", Fields: map[Field]string{FieldDuration: "Choose something shorter than what is asked for."}}
	}
	before := a.Duration
	a.Duration, a.Shortened = x.Duration, d.actor.ID
	d.emit(EventDurationChanged, Facts{"ask": a.ID, "from": int64(before / time.Second), "to": int64(x.Duration / time.Second)}, nil)
	return nil
}

func (x Escalate) decide(d *decision) error {
	a, err := d.question(x.Ask)
	if err != nil {
		return err
	}
	d.escalate(a, cmp.Or(x.Why, "nobody of the first groups may decide"))
	return nil
}

// escalate asks the fallback, once, where there is one.
func (d *decision) escalate(a *Ask, why string) {
	if a.Quiet {
		d.askApprovers(a)
		return
	}
	if a.Fallback || !d.c.hasFallback() {
		return
	}
	a.Fallback, a.EscalateAt = true, time.Time{}
	d.emit(EventEscalated, Facts{"ask": a.ID, "why": why}, nil)
}

// hasFallback tells whether any approval has fallback groups.
func (c *Change) hasFallback() bool {
	return slices.ContainsFunc(c.Plan.Approvals, func(r ApprovalRule) bool { return len(r.Fallback) > 0 })
}

// putAsk puts a question to the approvers. The fallback is asked at once where
// nobody of the first groups may decide.
func (d *decision) putAsk(a Ask) {
	c := &d.c
	a.ID, a.By, a.At = len(c.Asks)+1, d.actor.ID, d.now
	if c.hasFallback() || a.Quiet {
		a.EscalateAt = d.now.Add(c.Plan.EscalateAfter)
	}
	a.LapseAt = d.now.Add(c.Plan.LapseAfter)
	c.Asks = append(c.Asks, a)
	facts := Facts{"ask": a.ID, "for": string(a.For), "seconds": int64(a.Duration / time.Second)}
	if a.Quiet {
		facts["witnesses_only"] = true
	}
	if len(a.Overdue) > 0 {
		facts["overdue"] = numbers(a.Overdue)
	}
	d.emit(EventAsked, facts, nil)
	if !a.Quiet {
		d.escalateIfNobody(c.ask())
	}
}

// escalateIfNobody asks the fallback at once where nobody of the first groups
// may decide.
func (d *decision) escalateIfNobody(a *Ask) {
	c := &d.c
	for _, rule := range c.Plan.Approvals {
		people, known := c.Candidates(d.actor.Groups, rule, rule.From)
		if known && len(people) == 0 && !d.actor.Groups.everyone(rule.From) {
			d.escalate(a, "nobody of the first groups may decide")
			return
		}
	}
}
