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
}

// Decision is one person's answer to one approval that the kind needs.
type Decision struct {
	Rule     int       `json:"rule"` // index into Plan.Approvals; -1: a denial
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
