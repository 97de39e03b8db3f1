package change

import (
	"slices"
	"strconv"
	"time"
)

// ObligationName says what is owed.
type ObligationName string

// What a change can owe.
const (
	OweRecord            ObligationName = "record"
	OweSignOff           ObligationName = "sign_off"
	OweMergeRequest      ObligationName = "merge_request"
	OweIndependentReview ObligationName = "independent_review"
	OwePermanentFix      ObligationName = "permanent_fix"
	OweReview            ObligationName = "review"
	OweAction            ObligationName = "preventive_action"
)

// ObligationState is whether an obligation is still owed.
type ObligationState string

// The states of an obligation. A proof undone makes it owed again.
const (
	Owed   ObligationState = "owed"
	Done   ObligationState = "done"
	Waived ObligationState = "waived"
)

// Obligation is something a change owes: by whom, until when, and its proof.
type Obligation struct {
	Name   ObligationName  `json:"name"`
	Item   int             `json:"item"` // 0; of preventive actions 1, 2, 3
	State  ObligationState `json:"state"`
	Owner  PersonID        `json:"owner,omitempty"`  // empty: the groups
	Groups []GroupID       `json:"groups,omitempty"` // each member counts as owner
	From   time.Time       `json:"from,omitzero"`    // reminders count from it
	Due    time.Time       `json:"due,omitzero"`     // zero: no deadline (yet)
	Part   time.Time       `json:"part,omitzero"`    // when the owner had done theirs, the copy outstanding
	Done   time.Time       `json:"done,omitzero"`
	Proof  Proof           `json:"proof,omitzero"`
	Waiver string          `json:"waiver,omitempty"` // why it was waived, as typed

	Rung     int       `json:"rung,omitempty"`    // how many configured rungs are behind us
	Overdue  int       `json:"overdue,omitempty"` // how many overdue periods are behind us
	Breached time.Time `json:"breached,omitzero"`
	Snoozed  time.Time `json:"snoozed,omitzero"` // no reminder before then
}

// Proof is what shows that an obligation was met.
type Proof struct {
	Way     string   `json:"way,omitempty"`     // "jira_comment", "slack", "incident.io", "jira", …
	By      PersonID `json:"by,omitempty"`      // who met it
	Account string   `json:"account,omitempty"` // their id in the other system
	Ref     string   `json:"ref,omitempty"`     // comment id, timeline item id, ticket key
	Hash    string   `json:"hash,omitempty"`    // of the comment's text, sha256
	// Revision of the record that was signed off; zero: none had been written, or it
	// was signed off before revisions were kept.
	Revision int `json:"revision,omitempty"`
}

// Owes gives the obligation of that name and item, or nil.
func (c *Change) Owes(name ObligationName, item int) *Obligation {
	i := slices.IndexFunc(c.Obligations, func(o Obligation) bool { return o.Name == name && o.Item == item })
	if i < 0 {
		return nil
	}
	return &c.Obligations[i]
}

// Owing lists what is still owed.
func (c *Change) Owing() []Obligation {
	return slices.DeleteFunc(slices.Clone(c.Obligations), func(o Obligation) bool { return o.State != Owed })
}

// OwnedBy tells whether p owes the obligation, by themselves or in a group.
func (o *Obligation) OwnedBy(p PersonID, v GroupView) bool {
	owns, _ := o.ownedBy(p, v)
	return owns
}

// ownedBy is OwnedBy, and whether the answer is certain.
func (o *Obligation) ownedBy(p PersonID, v GroupView) (owns, known bool) {
	if o.Owner != "" {
		return o.Owner == p, true
	}
	return v.Has(p, o.Groups...)
}

// ladder is when an obligation is reminded of.
type ladder struct {
	rungs []time.Duration // after From, ascending
	every time.Duration   // after Due
}

func (p Plan) ladder(name ObligationName) ladder {
	switch name {
	case OweRecord, OweSignOff, OweMergeRequest:
		return ladder{p.RecordRemind, p.RecordOverdueEvery}
	case OweReview:
		return ladder{p.ReviewRemind, p.ReviewOverdueEvery}
	case OweIndependentReview, OwePermanentFix:
		return ladder{p.MergeRemind, p.MergeOverdueEvery}
	case OweAction:
		return ladder{}
	}
	return ladder{}
}

// reached counts the rungs whose time has come, and those overdue periods.
func (l ladder) reached(o Obligation, now time.Time) (rungs, overdue int) {
	for _, r := range l.rungs {
		if due(o.From.Add(r), now) {
			rungs++
		}
	}
	if l.every > 0 && due(o.Due, now) {
		overdue = int(now.Sub(o.Due) / l.every)
	}
	return rungs, overdue
}

// next is when the clock has to look at the obligation again; zero for never.
// Rungs that fall while the change is active wait for its end.
func (l ladder) next(o Obligation, active bool) time.Time {
	if o.State != Owed || o.Due.IsZero() {
		return time.Time{}
	}
	if o.Breached.IsZero() && (active || !o.Part.IsZero()) {
		return o.Due
	}
	if !o.Part.IsZero() || active {
		return time.Time{}
	}
	if !o.Breached.IsZero() {
		if l.every <= 0 {
			return time.Time{}
		}
		return o.Due.Add(time.Duration(o.Overdue+1) * l.every)
	}
	at := o.Due
	if o.Rung < len(l.rungs) {
		at = earliest(o.From.Add(l.rungs[o.Rung]), at)
	}
	if !o.Snoozed.IsZero() { // holds rungs back, and is a reminder by itself
		at = o.Snoozed
	}
	return earliest(at, o.Due)
}

// rungName names a reminder, so that each is sent once.
func rungName(kind string, n int) string { return kind + "-" + strconv.Itoa(n) }
