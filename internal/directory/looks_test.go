package directory_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
)

// broken panics when it is asked for a user group.
type broken struct{ *world }

func (broken) UsergroupMembers(context.Context, string) ([]change.PersonID, error) {
	panic("it went wrong")
}

func TestAGroupWhoseLookUpPanicsIsNotOneThatDidNotAnswer(t *testing.T) {
	t.Parallel()
	_, w := setup(t)
	d := directory.New(broken{w}, nil, groups(), w.Now, slog.New(slog.DiscardHandler))
	for _, id := range []change.GroupID{"release-managers", "nested"} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, "it went wrong") {
					t.Errorf("%s: it says %q", id, said)
				}
			}()
			t.Errorf("%s: answered %v", id, d.Groups(t.Context(), []change.GroupID{id, "cto"}))
		}()
	}
}

func TestAPanicOfALookUpComesOutOfWhoeverWaits(t *testing.T) {
	t.Parallel()
	var looks directory.Looks
	looks.Limit(2)
	seen := make(chan int, 3)
	for i := range 3 {
		looks.Go(func() {
			if i == 1 {
				panic("it went wrong")
			}
			seen <- i
		})
	}
	defer func() {
		said := fmt.Sprint(recover())
		if !strings.Contains(said, "it went wrong") || !strings.Contains(said, "looks_test.go") {
			t.Errorf("it says %q, without what and where", said)
		}
		if len(seen) != 2 {
			t.Errorf("it waited for %d of the two others", len(seen))
		}
	}()
	looks.Wait()
	t.Error("nothing came out")
}
