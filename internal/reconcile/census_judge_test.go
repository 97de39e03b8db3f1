package reconcile

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

func TestThePlanForAccessThatTheCensusMissed(t *testing.T) {
	t.Parallel()
	missed := func(s ledger.Standing, absent time.Duration) ledger.Assignment {
		r := ledger.Assignment{Standing: s, MissedAt: ago(time.Minute), LookedAt: noon}
		if absent >= 0 {
			r.AbsentSince = ago(absent)
		}
		return r
	}
	found := uses
	found.intended = false
	for name, c := range map[string]struct {
		view   view
		want   step
		missed bool
	}{
		"it is looked for":                   {view{parties: []party{uses}, row: missed(ledger.StandingOurs, -1)}, step{do: doLook}, true},
		"… and then rests, when it is there": {view{parties: []party{uses}, seen: listed, row: missed(ledger.StandingOurs, -1)}, step{do: doRest}, false},
		"… but is waited for, when not":      {view{parties: []party{uses}, seen: absent, row: missed(ledger.StandingOurs, 30*time.Second)}, in(time.Second), true},
		"… and made again after a minute":    {view{parties: []party{uses}, seen: absent, row: missed(ledger.StandingOurs, time.Minute)}, step{do: doCreate}, true},
		"… unless its change is over":        {view{parties: []party{over}, row: missed(ledger.StandingOurs, -1)}, step{do: doLook}, false},
		"found access is looked for too":     {view{parties: []party{found}, row: missed(ledger.StandingFound, -1)}, step{do: doLook}, true},
		"… and stays found, when it is there": {
			view{parties: []party{found}, seen: listed, row: missed(ledger.StandingFound, -1)}, step{do: doRest}, false,
		},
		"… is not made again at once":        {view{parties: []party{found}, seen: absent, row: missed(ledger.StandingFound, 6*time.Second)}, in(absenceGap), true},
		"… but after a minute":               {view{parties: []party{found}, seen: absent, row: missed(ledger.StandingFound, time.Minute)}, step{do: doCreate}, true},
		"nothing is made while lists fail":   {view{parties: []party{uses}, seen: lookFailed, row: missed(ledger.StandingOurs, time.Minute)}, in(time.Second), true},
		"a second change is told it has it":  {view{parties: []party{waits, uses}, seen: listed, row: missed(ledger.StandingOurs, -1)}, step{do: doVerify, who: []change.Number{1}}, false},
		"what nobody wants any more is gone": {view{parties: []party{over}, seen: absent, row: missed(ledger.StandingOurs, time.Minute)}, step{do: doGone, who: []change.Number{2}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.view.now = noon
			row, got := plan(c.view)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(step{})); diff != "" {
				t.Errorf("the plan differs (- want, + got):\n%s", diff)
			}
			if !row.MissedAt.IsZero() != c.missed {
				t.Errorf("it is still missed since %s", row.MissedAt)
			}
		})
	}
}

func TestTheVerdictOfALook(t *testing.T) {
	t.Parallel()
	row := func(s ledger.Standing, alter ...func(*ledger.CensusAssignment)) *ledger.CensusAssignment {
		a := &ledger.CensusAssignment{Assignment: ledger.Assignment{Standing: s, LookedAt: ago(time.Minute)}, Last: 5}
		for _, f := range alter {
			f(a)
		}
		return a
	}
	wanted := func(a *ledger.CensusAssignment) { a.Wanted = true }
	had := func(a *ledger.CensusAssignment) { a.Wanted, a.Had = true, 7 }
	inFlight := func(a *ledger.CensusAssignment) { a.Operation = ledger.DeleteOperation }
	open := func(a *ledger.CensusAssignment) { a.OpenCreates = 1 }
	inHand := func(a *ledger.CensusAssignment) { a.InHand = true }
	newerSaw := func(a *ledger.CensusAssignment) { a.LookedAt = noon.Add(time.Second) }
	newerMissed := func(a *ledger.CensusAssignment) {
		a.LookedAt, a.AbsentSince = noon.Add(time.Second), noon.Add(time.Second)
	}
	unsure := verdict{unsure: true}
	for name, c := range map[string]struct {
		listed bool
		row    *ledger.CensusAssignment
		want   verdict
	}{
		"nobody asked":                           {true, nil, verdict{kind: change.FindingUnasked}},
		"nobody has it":                          {false, nil, verdict{}},
		"it was found, and is not wanted":        {true, row(ledger.StandingFound), verdict{kind: change.FindingUnasked, number: 5}},
		"it was found, and is wanted":            {true, row(ledger.StandingFound, wanted), verdict{}},
		"it is standing":                         {true, row(ledger.StandingKept), verdict{}},
		"a change had it":                        {true, row(ledger.StandingUnknown), verdict{kind: change.FindingLeft, number: 5}},
		"ours has to go":                         {true, row(ledger.StandingOurs), verdict{kind: change.FindingLeft, number: 5, removing: true}},
		"ours is gone":                           {false, row(ledger.StandingOurs), verdict{}},
		"it is as it should be":                  {true, row(ledger.StandingOurs, had), verdict{}},
		"it vanished":                            {false, row(ledger.StandingOurs, had), verdict{kind: change.FindingVanished, number: 7}},
		"found access vanished":                  {false, row(ledger.StandingFound, had), verdict{kind: change.FindingVanished, number: 7}},
		"it is not there yet":                    {false, row(ledger.StandingOurs, wanted), verdict{}},
		"an operation is in flight":              {true, row(ledger.StandingOurs, inFlight), unsure},
		"a create is open":                       {true, row(ledger.StandingOurs, open), unsure},
		"somebody works on it":                   {false, row(ledger.StandingOurs, had, inHand), unsure},
		"a newer look saw it":                    {false, row(ledger.StandingOurs, had, newerSaw), unsure},
		"a newer look did not see it":            {true, row(ledger.StandingOurs, newerMissed), unsure},
		"a newer look agrees that it vanished":   {false, row(ledger.StandingOurs, had, newerMissed), verdict{kind: change.FindingVanished, number: 7}},
		"a newer look agrees that it is left":    {true, row(ledger.StandingUnknown, newerSaw), verdict{kind: change.FindingLeft, number: 5}},
		"somebody had it ended, and it is again": {true, row(ledger.StandingUnknown, func(a *ledger.CensusAssignment) { a.Last = 0 }), verdict{kind: change.FindingUnasked}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judgeAccess(c.listed, c.row, noon); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
