package ledger_test

import (
	"slices"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Those that somebody asked for and those that they make for others are one list,
// newest first, each once, however it is cut into pages.
func TestTheChangesOfSomebodyAreThoseTheyAskedForAndThoseTheyMake(t *testing.T) {
	s := open(t)
	var all, reported []change.Number
	for i := range 7 {
		if i%3 == 1 { // made by U0OTHER
			n := s.report()
			all, reported = append(all, n), append(reported, n)
			continue
		}
		all = append(all, s.submit(false))
	}
	// U0OTHER asks for one as well, which they make themselves.
	s.exec(`UPDATE changes SET requester = 'U0OTHER', implementer = 'U0OTHER',
		document = document || '{"requester": "U0OTHER", "implementer": "U0OTHER"}' WHERE number = $1`, int64(all[3]))
	others := slices.Sorted(slices.Values(append(reported, all[3])))
	all = slices.DeleteFunc(all, func(n change.Number) bool { return n == others[1] })
	for who, want := range map[change.PersonID][]change.Number{requester: all, "U0OTHER": others, "U0NOBODY": nil} {
		slices.Reverse(want)
		count, err := s.CountWith(s.ctx, who)
		s.must(err)
		if count != len(want) {
			t.Errorf("%s has %d changes, want %d", who, count, len(want))
		}
		for limit := 1; limit <= 4; limit++ {
			var got []change.Number
			for skip := 0; skip < len(want)+limit; skip += limit {
				page, err := s.ChangesWith(s.ctx, who, skip, limit)
				s.must(err)
				if len(page) > limit {
					t.Fatalf("a page of %d has %d", limit, len(page))
				}
				for _, c := range page {
					got = append(got, c.Number)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d at a time: %v, want %v", who, limit, got, want)
			}
		}
	}
}

func TestAListGoesOnBelowANumberAndFromTheNewest(t *testing.T) {
	s := open(t)
	for range 5 {
		s.submit(false)
	}
	for before, want := range map[change.Number][]change.Number{0: {5, 4, 3}, 5: {4, 3, 2}, 2: {1}, 1: nil} {
		for name, list := range map[string]func() ([]change.Change, error){
			"open":   func() ([]change.Change, error) { return s.OpenChanges(s.ctx, before, 3) },
			"newest": func() ([]change.Change, error) { return s.NewestChanges(s.ctx, before, 3) },
		} {
			page, err := list()
			s.must(err)
			var got []change.Number
			for _, c := range page {
				got = append(got, c.Number)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s below %d: %v, want %v", name, before, got, want)
			}
		}
	}
}
