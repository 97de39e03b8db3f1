package forge

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// reviews draws what some people may have written, in order.
func reviews() *rapid.Generator[[]review] {
	states := []string{approved, commented, pending, "CHANGES_REQUESTED", "DISMISSED", "NEW_STATE"}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) review {
		r := review{ID: rapid.Int64Range(1, 1<<40).Draw(t, "id"), State: rapid.SampledFrom(states).Draw(t, "state")}
		if who := rapid.Int64Range(0, 3).Draw(t, "who"); who > 0 { // 0: gone
			r.User = &githubUser{ID: who}
		}
		return r
	}), 0, 12)
}

func ids(stand []review) []int64 {
	who := []int64{}
	for _, r := range stand {
		who = append(who, r.User.ID)
	}
	slices.Sort(who)
	return who
}

// mute tells whether a review changes nothing.
func mute(r review) bool { return r.User == nil || r.State == commented || r.State == pending }

func TestAnApprovalStandsExactlyWhileItIsSomebodysLastWord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := reviews().Draw(t, "reviews")
		want := []int64{}
		for who := int64(1); who <= 3; who++ {
			for _, r := range slices.Backward(all) {
				if !mute(r) && r.User.ID == who {
					if r.State == approved {
						want = append(want, who)
					}
					break
				}
			}
		}
		if got := ids(standing(all)); !slices.Equal(got, want) {
			t.Fatalf("%v stand, want %v", got, want)
		}
	})
}

func TestCommentsChangeNoApproval(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := reviews().Draw(t, "reviews")
		spoken := slices.DeleteFunc(slices.Clone(all), mute)
		if a, b := ids(standing(all)), ids(standing(spoken)); !slices.Equal(a, b) {
			t.Fatalf("%v stand, without comments %v", a, b)
		}
	})
}

func TestDismissingSomebodysLastWordCancelsTheirApproval(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := reviews().Draw(t, "reviews")
		before := standing(all)
		if len(before) == 0 {
			return
		}
		who := rapid.SampledFrom(before).Draw(t, "who").User.ID
		for i, r := range slices.Backward(all) {
			if !mute(r) && r.User.ID == who {
				all[i].State = "DISMISSED"
				break
			}
		}
		want := slices.DeleteFunc(ids(before), func(id int64) bool { return id == who })
		if got := ids(standing(all)); !slices.Equal(got, want) {
			t.Fatalf("%v stand, want %v", got, want)
		}
	})
}
