package reconcile_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

// The program dies behind a create and comes back when everything is over. What
// it had seen before the create is no second look: the one stale list that it sees
// then must not make it believe that there is nothing to take away.
func TestLooksBeforeACreateAreNoProofThatItBroughtNothing(t *testing.T) {
	t.Parallel()
	b := accessSetup(t, func(o *sandbox.Options) { o.ListLagReads = 1 })
	n := b.approved()
	b.drain()
	if got := b.calls(createCall); got != 1 {
		t.Fatalf("%d creates", got)
	}
	b.clock.set(b.clock.now().Add(2 * time.Hour))
	b.drain()
	b.forward(2 * time.Minute)
	b.wantHas(false)
	if c := b.change(n); c.Phase != change.Failed && c.Access.GoneAt.IsZero() {
		t.Errorf("%s, access %+v", c.Phase, c.Access)
	}
	b.forward(9 * 24 * time.Hour) // it is looked at once a day for a week
	b.quiet()
}
