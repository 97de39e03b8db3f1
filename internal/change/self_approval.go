package change

import (
	"slices"
	"time"
)

// SelfApproved is a requester's own approval, on the emergency call: who is on
// it with them, and who of these has said so.
type SelfApproved struct {
	Confirmed []Confirmation `json:"confirmed,omitempty"`
	At        time.Time      `json:"at,omitzero"`       // when the window was opened by it; zero: not yet
	Refused   string         `json:"refused,omitempty"` // why it does not apply, in a sentence: the approvers decide
}

// Confirmation is a witness's word that they were on the call.
type Confirmation struct {
	By PersonID  `json:"by"`
	At time.Time `json:"at"`
}

// SelfRule marks a requester's own approval among decisions, where others have
// the index of the approval rule that they meet.
const SelfRule = -2

// ConfirmCall is a named witness's word that they were on the emergency call.
// Incident is the change's incident as it is at this moment; nil where
// incident.io did not answer. Departed says that whoever asked was looked up at
// this moment, and is no full member any more.
type ConfirmCall struct {
	Ask      int
	Incident *Incident
	Departed bool
}

// selfApprovalProblems says what is wrong with a self-approval at its input.
// Nothing is wrong where a source did not answer: whyNotSelf tells of that.
func (req Request) selfApprovalProblems(p map[Field]string, kind Kind, actor Actor) {
	if !req.SelfApprove || req.Reported {
		return
	}
	rule := kind.SelfApproval
	if rule == nil {
		p[FieldWitnesses] = "This kind of change cannot be approved by yourself. Leave this empty; the approvers are asked."
		return
	}
	witnesses := req.witnesses()
	switch has, known := actor.Groups.Has(actor.ID, rule.Who...); {
	case !has && known:
		p[FieldWitnesses] = "You are not among those who may approve this by themselves (such as whoever is on call). Leave this empty; the approvers are asked."
	case slices.Contains(witnesses, actor.ID):
		p[FieldWitnesses] = "You cannot be your own witness. Name the others on the call."
	case len(witnesses) < rule.Witnesses:
		p[FieldWitnesses] = "Name at least " + counted(rule.Witnesses, "person", "people") + " on the call, or leave this empty; the approvers are asked."
	case rule.NeedsIncident && req.Opening != nil:
		p[FieldWitnesses] = "Approving this by yourself needs an incident that is active already, and yours is only being opened. Leave this empty; the approvers are asked."
	case rule.NeedsIncident && req.Incident == nil:
		p[FieldWitnesses] = "Approving this by yourself needs an active incident. Choose it above, or leave this empty; the approvers are asked."
	default:
		for _, w := range witnesses {
			if has, known := actor.Groups.Has(w, rule.WitnessesFrom...); !has && known && rule.Witnesses > 0 {
				p[FieldWitnesses] = "Somebody you named cannot be a witness of this kind of change. Name others on the call, or leave this empty; the approvers are asked."
			}
		}
	}
}

// witnesses are the people named, each once.
func (req Request) witnesses() []PersonID {
	var all []PersonID
	for _, p := range req.Witnesses {
		if p != "" && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// whyNotSelf says why a self-approval does not apply; empty when it does. What
// is not known for certain allows nothing.
func (d *decision) whyNotSelf(incident *Incident) string {
	c := &d.c
	rule := c.Plan.SelfApproval
	if rule.NeedsIncident {
		switch {
		case c.Incident != nil && c.Incident.Refused != "":
			return "The incident that it was asked for with is none any more, so nobody approves this by themselves; the approvers are asked."
		case incident == nil || incident.SeenAt.IsZero():
			return "Whether the incident is active could not be looked up, so nobody approves this by themselves; the approvers are asked."
		case incident.Category != IncidentLive:
			return "The incident is no longer active, so nobody approves this by themselves; the approvers are asked."
		}
	}
	if say := c.incidentDoubt(incident); say != "" {
		return say + " So nobody approves this by themselves; the approvers are asked."
	}
	switch has, known := d.actor.Groups.Has(c.Requester, rule.Who...); {
	case has:
	case known:
		return "Whoever asked is not (or no longer) on call, so they cannot approve this by themselves; the approvers are asked."
	default:
		return "Who is on call could not be looked up, so nobody approves this by themselves; the approvers are asked."
	}
	return ""
}

// selfApproval begins a self-approval, or says why the approvers are asked
// instead.
func (d *decision) selfApproval(req Request) (begun bool) {
	c := &d.c
	if !req.SelfApprove || c.Plan.SelfApproval == nil {
		return false
	}
	c.Witnesses = req.witnesses()
	c.Self = &SelfApproved{}
	if why := d.whyNotSelf(req.Incident); why != "" {
		d.refuseSelf(why)
		return false
	}
	for _, w := range c.Witnesses {
		if has, known := d.actor.Groups.Has(w, c.Plan.SelfApproval.WitnessesFrom...); !has && !known {
			d.refuseSelf("Who may be a witness could not be looked up, so nobody approves this by themselves; the approvers are asked.")
			return false
		}
	}
	return true
}

func (d *decision) refuseSelf(why string) {
	d.c.Self.Refused = why
	d.emit(EventSelfApprovalRefused, Facts{"say": why}, nil)
}

func (x ConfirmCall) decide(d *decision) error {
	a, err := d.question(x.Ask)
	if err != nil {
		return err
	}
	c := &d.c
	if c.Self == nil || c.Self.Refused != "" || a.For != ForChange {
		return refuse(TooLate, "%s is no longer approved on the call; its approvers decide.", c.Number)
	}
	if c.Own(d.actor.ID) {
		return refuse(OwnChange, "You asked for this change or make it, so others have to say that they were on the call.")
	}
	if !slices.Contains(c.Witnesses, d.actor.ID) {
		return refuse(NotAllowed, "You were not named as being on the call.")
	}
	if slices.ContainsFunc(c.Self.Confirmed, func(w Confirmation) bool { return w.By == d.actor.ID }) {
		return refuse(Decided, "You have said so already; another witness is still missing.")
	}
	rule := c.Plan.SelfApproval
	if x.Incident != nil && (c.Incident == nil || x.Incident.ID != c.Incident.Now.ID) {
		x.Incident = nil // another was linked meanwhile: nothing is known of that one
	}
	if has, known := d.actor.Groups.Has(d.actor.ID, rule.WitnessesFrom...); !has && !known {
		return unestablishable()
	} else if !has {
		return refuse(NotAllowed, "You are not among those who may be a witness of this kind of change.")
	}
	if rule.NeedsIncident && (c.Incident == nil || c.Incident.Refused == "") && (x.Incident == nil || x.Incident.SeenAt.IsZero()) {
		return refuse(Unestablished, "Whether the incident is active could not be looked up just now, so nothing was changed. Please press again in a moment.")
	}
	if _, known := d.actor.Groups.Has(c.Requester, rule.Who...); !known {
		return unestablishable()
	}
	why := d.whyNotSelf(x.Incident)
	if x.Departed {
		why = "Whoever asked is no longer a full member of this workspace, so they cannot approve this by themselves; the approvers are asked."
	}
	if why != "" {
		d.refuseSelf(why)
		d.askApprovers(a)
		return nil
	}
	c.Self.Confirmed = append(c.Self.Confirmed, Confirmation{By: d.actor.ID, At: d.now})
	d.emit(EventCallConfirmed, Facts{"ask": a.ID, "confirmed": len(c.Self.Confirmed), "needed": rule.Witnesses}, nil)
	if len(c.Self.Confirmed) < rule.Witnesses {
		return nil
	}
	return d.selfApproved(a, x.Incident)
}

// AwaitsWitness tells whether p has been named as being on the call and may still
// say so.
func (c *Change) AwaitsWitness(p PersonID) bool {
	a := c.OpenAsk()
	return a != nil && a.For == ForChange && c.Self != nil && c.Self.Refused == "" && slices.Contains(c.Witnesses, p) &&
		!slices.ContainsFunc(c.Self.Confirmed, func(w Confirmation) bool { return w.By == p })
}

// Unconfirmed lists the named witnesses who may still say that they were on the
// call.
func (c *Change) Unconfirmed() []PersonID {
	var people []PersonID
	for _, p := range c.Witnesses {
		if c.AwaitsWitness(p) {
			people = append(people, p)
		}
	}
	return people
}

// selfApproved is the requester's own yes, with enough witnesses.
func (d *decision) selfApproved(a *Ask, incident *Incident) error {
	c := &d.c
	if err := d.mergeRequestsHold(); err != nil {
		return err
	}
	c.Self.At = d.now
	if c.Incident != nil {
		c.Incident.AtApproval = copied(incident)
	}
	a.Decisions = append(a.Decisions, Decision{Rule: SelfRule, By: c.Requester, At: d.now, Approved: true})
	a.Result, a.Settled = AskApproved, d.now
	witnesses := []string{}
	for _, w := range c.Self.Confirmed {
		witnesses = append(witnesses, string(w.By))
	}
	d.emit(EventSelfApproved, Facts{"ask": a.ID, "by": string(c.Requester), "witnesses": witnesses}, nil)
	return d.approved(a)
}

// askApprovers puts a question to its approvers that only witnesses had been
// asked about.
func (d *decision) askApprovers(a *Ask) {
	if !a.Quiet {
		return
	}
	a.Quiet, a.EscalateAt = false, time.Time{}
	if d.c.hasFallback() {
		a.EscalateAt = d.now.Add(d.c.Plan.EscalateAfter)
	}
	d.emit(EventAsked, Facts{"ask": a.ID, "for": string(a.For), "seconds": int64(a.Duration / time.Second), "instead_of_self_approval": true}, nil)
	d.escalateIfNobody(a)
}
