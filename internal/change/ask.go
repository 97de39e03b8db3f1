package change

import (
	"slices"
	"time"
)

// AskFor says what approvers are asked for.
type AskFor string

// What is asked for.
const (
	ForChange    AskFor = "change"
	ForExtension AskFor = "extension"
)

// AskResult is how a question ended.
type AskResult string

// The results. An empty one means that the question is open.
const (
	AskOpen      AskResult = ""
	AskApproved  AskResult = "approved"
	AskDenied    AskResult = "denied"
	AskLapsed    AskResult = "lapsed"
	AskWithdrawn AskResult = "withdrawn"
)

// Ask is a question put to the approvers. Its ID names it on every button, so
// that an old button can never answer a new question.
type Ask struct {
	ID         int           `json:"id"` // 1, 2, …
	For        AskFor        `json:"for"`
	By         PersonID      `json:"by"`
	At         time.Time     `json:"at"`
	Why        string        `json:"why,omitempty"` // of an extension, as typed
	Duration   time.Duration `json:"duration,omitempty"`
	Decisions  []Decision    `json:"decisions,omitempty"`
	Result     AskResult     `json:"result,omitempty"`
	Settled    time.Time     `json:"settled,omitzero"`
	Fallback   bool          `json:"fallback,omitempty"` // the fallback groups have been asked
	EscalateAt time.Time     `json:"escalate_at,omitzero"`
	LapseAt    time.Time     `json:"lapse_at,omitzero"`
	Shortened  PersonID      `json:"shortened,omitempty"` // who changed the duration
	Quiet      bool          `json:"quiet,omitempty"`     // only the witnesses of a self-approval have been asked yet
	Overdue    []Number      `json:"overdue,omitempty"`   // changes whose record the requester owed, overdue, when it was asked
	Away       []Away        `json:"away,omitempty"`      // who was asked and has notifications paused
}

// Away is an approver who has notifications paused until a time.
type Away struct {
	Person PersonID  `json:"person"`
	Until  time.Time `json:"until"`
}

// Decision is one person's answer to one approval that the kind needs.
type Decision struct {
	Rule     int       `json:"rule"`              // index into Plan.Approvals; -1: a denial; SelfRule: the requester's own
	May      []int     `json:"may,omitempty"`     // the approvals that this person could give, where there are several
	Overdue  []Number  `json:"overdue,omitempty"` // given in spite of these records of the requester's being overdue
	By       PersonID  `json:"by"`
	At       time.Time `json:"at"`
	Approved bool      `json:"approved"`
	Reason   string    `json:"reason,omitempty"` // as typed
}

// Open tells whether the question has no answer yet.
func (a *Ask) Open() bool { return a.Result == AskOpen }

// DeciderOf gives the decision that settled the question, if a person's did.
func (a *Ask) decider() (Decision, bool) {
	if a.Open() || len(a.Decisions) == 0 || (a.Result != AskApproved && a.Result != AskDenied) {
		return Decision{}, false
	}
	return a.Decisions[len(a.Decisions)-1], true
}

// met tells whether approval rule i has its decision.
func (a *Ask) met(i int) bool {
	return slices.ContainsFunc(a.Decisions, func(d Decision) bool { return d.Rule == i && d.Approved })
}

// Approver gives whoever approved the change first, or "".
func (c *Change) Approver() PersonID {
	for _, a := range c.Asks {
		for _, d := range a.Decisions {
			if d.Approved {
				return d.By
			}
		}
	}
	return ""
}

// Missing lists the approval rules that have no decision yet.
func (c *Change) Missing() []ApprovalRule {
	a := c.OpenAsk()
	if a == nil {
		return nil
	}
	var rules []ApprovalRule
	for i, r := range c.Plan.Approvals {
		if !a.met(i) {
			rules = append(rules, r)
		}
	}
	return rules
}

// assign gives each approval to the person who gives it, so that as many as
// possible are met: whoever could give several is moved to another when somebody
// comes who can give only the one.
func (a *Ask) assign() {
	given := map[int]int{} // approval rule → decision
	for i := range a.Decisions {
		if a.Decisions[i].Approved && a.Decisions[i].Rule != SelfRule {
			a.place(i, given, map[int]bool{})
		}
	}
	for rule, i := range given {
		a.Decisions[i].Rule = rule
	}
}

// place finds an approval for decision i, moving others where that helps.
func (a *Ask) place(i int, given map[int]int, tried map[int]bool) bool {
	may := a.Decisions[i].May
	if may == nil { // written before it was kept
		may = []int{a.Decisions[i].Rule}
	}
	for _, rule := range may {
		if tried[rule] {
			continue
		}
		tried[rule] = true
		if holder, taken := given[rule]; !taken || a.place(holder, given, tried) {
			given[rule] = i
			return true
		}
	}
	return false
}

// with tells whether one more person who could give these approvals would meet
// one that is still missing.
func (a *Ask) with(may []int) bool {
	b := Ask{Decisions: append(slices.Clone(a.Decisions), Decision{Approved: true, May: may})}
	given := map[int]int{}
	met := false
	for i := range b.Decisions {
		if b.Decisions[i].Approved && b.Decisions[i].Rule != SelfRule {
			met = b.place(i, given, map[int]bool{})
		}
	}
	return met
}
