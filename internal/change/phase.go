package change

// Phase is where a change stands in its life.
type Phase string

// The phases. The comment says whose turn it is.
const (
	Requested Phase = "requested" // the approvers'
	Approved  Phase = "approved"  // breakglass's: access is on its way
	Active    Phase = "active"    // the implementer's: the window is open
	Ended     Phase = "ended"     // whoever owes something; the window is over
	Closed    Phase = "closed"    // nobody's
	Denied    Phase = "denied"    // nobody's
	Withdrawn Phase = "withdrawn" // nobody's
	Lapsed    Phase = "lapsed"    // nobody's
	Failed    Phase = "failed"    // nobody's: access was never there
)

// Phases lists every phase, in the order of a life.
func Phases() []Phase {
	return []Phase{Requested, Approved, Active, Ended, Closed, Denied, Withdrawn, Lapsed, Failed}
}

// Move is a step from one phase to another.
type Move struct{ From, To Phase }

// Moves lists the legal moves. The schema holds the same list, and a test
// compares the two.
func Moves() []Move {
	return []Move{
		{Requested, Approved},
		{Requested, Denied},
		{Requested, Withdrawn},
		{Requested, Lapsed},
		{Approved, Active},
		{Approved, Failed},
		{Approved, Withdrawn},
		{Approved, Ended},
		{Active, Ended},
		{Ended, Closed},
	}
}

// May tells whether a change may step from p to next.
func (p Phase) May(next Phase) bool {
	for _, m := range Moves() {
		if m.From == p && m.To == next {
			return true
		}
	}
	return false
}

// Final tells whether nothing can happen to the change any more.
func (p Phase) Final() bool {
	switch p {
	case Closed, Denied, Withdrawn, Lapsed, Failed:
		return true
	case Requested, Approved, Active, Ended:
		return false
	}
	return false
}
