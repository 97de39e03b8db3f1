package report

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Figures are all the figures of a period. docs/report.md says what each means.
type Figures struct {
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	AsOf       time.Time `json:"as_of"`
	Changes    int       `json:"changes"`
	AllChanges int       `json:"all_changes,omitempty"` // to production, emergencies or not, as stated by whoever asked; 0: nobody said

	Outcomes   []Count  `json:"outcomes"`
	Kinds      []Count  `json:"kinds"`
	Reasons    []Count  `json:"reasons"`
	Months     []Month  `json:"months"`
	Trend      *Trend   `json:"trend,omitempty"`
	Approval   Approval `json:"approval"`
	Access     Access   `json:"access"`
	Duties     []Duty   `json:"duties"`
	Overdue    []Debt   `json:"overdue"`
	Waits      []Wait   `json:"waits"`
	Repeats    []Repeat `json:"repeats"`
	Exceptions []Count  `json:"exceptions"`
	Findings   []Found  `json:"findings"` // of the census: those open now, or closed in the period or later
}

// Count is how often something occurs.
type Count struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	N     int    `json:"n"`
}

// Month is one calendar month in UTC, as far as it lies in the period.
type Month struct {
	Start    time.Time       `json:"start"`
	Outcomes map[Outcome]int `json:"outcomes"`
	Kinds    map[string]int  `json:"kinds"` // by the kind's id
	Approval Spread          `json:"time_to_approve"`
}

// N is how many changes the month has.
func (m Month) N() int {
	n := 0
	for _, times := range m.Outcomes {
		n += times
	}
	return n
}

// Trend compares the last thirty days of a period with those before. It is
// given for periods of sixty days or more.
type Trend struct {
	Recent int     `json:"recent"`        // changes of the last thirty days
	Before float64 `json:"before_per_30"` // changes per thirty days before that
}

// Approval says how long requests wait for their answer. Reported changes asked
// nobody.
type Approval struct {
	Asked        int      `json:"asked"`
	Approved     int      `json:"approved"`
	SelfApproved int      `json:"self_approved"` // of those approved; their times are left out
	Fallback     int      `json:"fallback"`      // for which the fallback was asked too
	Time         Spread   `json:"time_to_approve"`
	Buckets      []Bucket `json:"distribution"`
}

// Access compares the access that was asked for with that which was used: seen
// in AWS, from the first look that showed it to the one that showed it gone.
type Access struct {
	Asked      int      `json:"asked"`        // changes that asked for access
	Given      int      `json:"given"`        // of those: it was given by breakglass
	Standing   int      `json:"there_before"` // of those: it was there before
	StillThere int      `json:"still_there"`  // of those given: not gone yet
	Totals     Hours    `json:"totals"`       // of those given
	Shares     []Bucket `json:"share_used"`   // used of approved, of those gone
	ByLength   []Length `json:"by_approved"`  // of those gone
	ByPlace    []Place  `json:"by_place"`     // of those given
}

// Hours are lengths of access added up.
type Hours struct {
	Asked    Span `json:"asked_seconds"`
	Approved Span `json:"approved_seconds"`
	Used     Span `json:"used_seconds"`
}

// Length is how much is used of an approved length.
type Length struct {
	Approved Span   `json:"approved_seconds"`
	Used     Spread `json:"used"`
}

// Place is a target with a permission set.
type Place struct {
	Target        string `json:"target"`
	PermissionSet string `json:"permission_set"`
	N             int    `json:"n"`
	Hours
}

// Duty says how often something was owed, and how it was met.
type Duty struct {
	Name     string         `json:"name"` // record, sign-off or review
	Owed     int            `json:"owed"`
	Statuses map[Status]int `json:"statuses"`
	Time     Spread         `json:"time_taken"` // until the owner had done theirs
}

// Debt is something that is overdue now.
type Debt struct {
	Number change.Number   `json:"number"`
	Duty   string          `json:"duty"`
	Owner  change.PersonID `json:"owner"` // empty: groups owe it
	Due    time.Time       `json:"due"`
}

// WaitFor says what somebody waits for.
type WaitFor string

// What people wait for.
const (
	WaitApproval WaitFor = "approval"
	WaitSignOff  WaitFor = "sign-off"
)

// Wait is how long one person waits for another. Waits that nobody has ended
// have no To: of those still open they count up to now.
type Wait struct {
	From change.PersonID `json:"from"`
	To   change.PersonID `json:"to"`
	For  WaitFor         `json:"for"`
	Open int             `json:"open"` // still waiting
	Time Spread          `json:"time"`
}

// Repeat is a reason that came up again.
type Repeat struct {
	ID            string             `json:"reason"`
	Label         string             `json:"label"`
	N             int                `json:"n"`
	Last          time.Time          `json:"last"`
	Actions       int                `json:"actions"`        // preventive actions that reviews named
	WithoutTicket int                `json:"without_ticket"` // of those
	PastDate      int                `json:"past_date"`      // of those: the date that they were promised for is over
	AgainSince    int                `json:"again_since"`    // changes asked for after the first action was agreed
	Tickets       []change.TicketRef `json:"tickets"`        // of the actions, the earliest promised first

	at     []time.Time // of each change
	agreed []time.Time // of each action
}
