package main

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// What a ledger is filled with is what the program would have written: the trail
// holds, with everything that it is checked against.
func TestAHistoryIsATrailThatHolds(t *testing.T) {
	t.Parallel()
	pool := scenePool(t)
	const n = 60
	if err := fillHistory(t.Context(), pool, sharedMolds(t), n); err != nil {
		t.Fatal(err)
	}
	l := ledger.New(pool)
	sum, err := l.Verify(t.Context(), func(f ledger.Finding) { t.Error(f) })
	if err != nil {
		t.Fatal(err)
	}
	if sum.Changes != n || sum.Events != moldEvents*n || sum.Seals != 1 || sum.Texts == 0 {
		t.Errorf("it holds %s", sum)
	}
	kinds, people := map[change.KindID]bool{}, map[change.PersonID]bool{}
	all, err := l.NewestChanges(t.Context(), 0, n)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		kinds[c.Kind], people[c.Requester] = true, true
		if c.Phase != change.Closed || !c.NextAt().IsZero() || len(c.Owing()) > 0 || !c.Window.Ended.Before(sceneStart) {
			t.Errorf("%s is %s, and is looked at again at %s", c.Number, c.Phase, c.NextAt())
		}
	}
	if len(kinds) < 2 || len(people) < n/2 {
		t.Errorf("%d kinds, %d people", len(kinds), len(people))
	}
}
