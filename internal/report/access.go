package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// accessTally adds up the access of changes.
type accessTally struct {
	sums    Access
	lengths map[time.Duration][]time.Duration // used, by approved
	places  map[placeKey]*Place
}

type placeKey struct{ target, permissionSet string }

func newAccessTally() accessTally {
	return accessTally{
		sums: Access{Shares: []Bucket{
			{Label: "up to a quarter"},
			{Label: "up to half"},
			{Label: "up to three quarters"},
			{Label: "to the end"},
			{Label: "longer than approved"},
		}},
		lengths: map[time.Duration][]time.Duration{}, places: map[placeKey]*Place{},
	}
}

// add adds the access of a change, if it asked for any. What was there before
// is counted and not measured: how much of it was used for the change is not
// known.
func (t *accessTally) add(a *ledger.PopulationAccess, asOf time.Time) {
	if a == nil || a.Asked == 0 {
		return
	}
	f := &t.sums
	f.Asked++
	switch {
	case a.VerifiedAt.IsZero():
		return
	case a.Standing:
		f.Standing++
		return
	}
	f.Given++
	used := a.Used(asOf)
	place := t.place(a)
	place.N++
	for _, h := range []*Hours{&f.Totals, &place.Hours} {
		h.Asked += Span(a.Asked)
		h.Approved += Span(a.Approved)
		h.Used += Span(used)
	}
	if a.GoneAt.IsZero() {
		f.StillThere++
		return
	}
	f.Shares[shareBucket(used, a.Approved)].N++
	t.lengths[a.Approved] = append(t.lengths[a.Approved], used)
}

// shareBucket says which bar a use belongs to. A removal that AWS takes its
// time for is no longer use.
func shareBucket(used, approved time.Duration) int {
	switch {
	case used*4 <= approved:
		return 0
	case used*2 <= approved:
		return 1
	case used*4 <= approved*3:
		return 2
	case used <= approved+change.LateAfter:
		return 3
	default:
		return 4
	}
}

func (t *accessTally) place(a *ledger.PopulationAccess) *Place {
	key := placeKey{a.Target, a.PermissionSet}
	if t.places[key] == nil {
		t.places[key] = &Place{Target: a.TargetName, PermissionSet: a.PermissionSetName}
	}
	return t.places[key]
}

func (t *accessTally) figures() Access {
	f := t.sums
	f.Shares = slices.Clone(f.Shares)
	for _, approved := range slices.Sorted(maps.Keys(t.lengths)) {
		f.ByLength = append(f.ByLength, Length{Approved: Span(approved), Used: spreadOf(t.lengths[approved])})
	}
	for _, p := range t.places {
		f.ByPlace = append(f.ByPlace, *p)
	}
	slices.SortFunc(f.ByPlace, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.Used, a.Used), cmp.Compare(b.N, a.N), cmp.Compare(a.Target+a.PermissionSet, b.Target+b.PermissionSet))
	})
	return f
}
