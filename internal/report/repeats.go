package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// repeatTally is what is known of the changes of one reason.
type repeatTally struct {
	Repeat
	actions []ledger.PopulationAction
}

func (t *Tally) addRepeat(row *ledger.PopulationRow) {
	r := t.repeats[row.Reason]
	if r == nil {
		r = &repeatTally{Repeat: Repeat{ID: string(row.Reason)}}
		t.repeats[row.Reason] = r
	}
	r.Label = row.ReasonLabel
	r.N++
	r.at = append(r.at, row.RequestedAt)
	for _, a := range row.Actions {
		a.What = "" // keep what is counted only
		r.actions = append(r.actions, a)
	}
}

// sortedRepeats lists the reasons that came up twice or more, the most frequent
// first.
func (t *Tally) sortedRepeats() []Repeat {
	all := []Repeat{}
	for _, r := range t.repeats {
		if r.N > 1 {
			all = append(all, r.figures(t.opts.AsOf))
		}
	}
	slices.SortFunc(all, func(a, b Repeat) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (r *repeatTally) figures(asOf time.Time) Repeat {
	f := r.Repeat
	f.at = slices.SortedFunc(slices.Values(r.at), time.Time.Compare)
	f.Last = f.at[len(f.at)-1]
	f.Actions = len(r.actions)
	actions := slices.SortedStableFunc(slices.Values(r.actions), func(a, b ledger.PopulationAction) int { return a.Due.Compare(b.Due) })
	for _, a := range actions {
		f.agreed = append(f.agreed, a.Agreed)
		if a.Ticket == nil {
			f.WithoutTicket++
		} else if !slices.Contains(f.Tickets, *a.Ticket) {
			f.Tickets = append(f.Tickets, *a.Ticket)
		}
		if !a.Due.IsZero() && a.Due.Before(asOf) {
			f.PastDate++
		}
	}
	slices.SortFunc(f.agreed, time.Time.Compare)
	for _, at := range f.at {
		if len(f.agreed) > 0 && at.After(f.agreed[0]) {
			f.AgainSince++
		}
	}
	return f
}
