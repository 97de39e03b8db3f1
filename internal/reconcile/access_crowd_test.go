package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

// inLanes lets the lanes be worked off as the ticker does it, until something holds.
func (b *accessBundle) inLanes(within time.Duration, there func() bool) bool {
	b.Helper()
	for end := b.clock.now().Add(within); b.clock.now().Before(end); b.clock.set(b.clock.now().Add(250 * time.Millisecond)) {
		_, err := b.tick.Tick(b.ctx)
		b.ok(err)
		for _, lane := range ledger.Lanes() {
			ids, err := b.access.DueIn(b.ctx, lane, 100)
			b.ok(err)
			for _, id := range ids {
				b.ok(b.work(id))
			}
		}
		if there() {
			return true
		}
	}
	return false
}

func crowdUser(i int) string { return fmt.Sprintf("93d4a8e2-5555-2222-3333-%012d", i) }

// A crowd that asks for the same role has to stand in line at AWS. Those who wait
// cost no calls: before, each looked at a list again and again, and the lists kept
// the creates from their turn.
func TestACrowdCostsAFewCallsForEachAccess(t *testing.T) {
	t.Parallel()
	const crowd = 24
	b := accessSetup(t, func(o *sandbox.Options) {
		o.SettleAfter, o.PageSize, o.Record, o.OneUpdatePerAccount = 2*time.Second, 100, true, true
	})
	var all []change.Number
	for i := range crowd {
		b.aws.AddUser(sandbox.User{ID: crowdUser(i), UserName: fmt.Sprint(i), Email: fmt.Sprintf("%d@example.com", i)})
		all = append(all, b.approved(crowdUser(i)))
	}
	is := func(want func(change.Change) bool) func() bool {
		arrived := 0 // those before it have come there, and stay
		return func() bool {
			for arrived < len(all) && want(b.change(all[arrived])) {
				arrived++
			}
			return arrived == len(all)
		}
	}
	if !b.inLanes(5*time.Minute, is(func(c change.Change) bool { return c.Phase == change.Active })) {
		t.Fatalf("not all have access after 5 minutes: %d creates", b.calls(createCall))
	}
	made := len(b.aws.Heard()) // a list, the create, one or two polls, a list
	if made > 6*crowd {
		t.Errorf("%d calls for %d accesses", made, crowd)
	}
	for _, n := range all {
		b.do(n, change.Finish{}, asker)
	}
	if !b.inLanes(5*time.Minute, is(func(c change.Change) bool { return !c.Access.GoneAt.IsZero() })) {
		t.Fatalf("not all are gone after 5 minutes: %d deletes", b.calls(deleteCall))
	}
	if gone := len(b.aws.Heard()) - made; gone > 7*crowd { // the delete, one or two polls, two lists
		t.Errorf("%d calls for the end of %d accesses", gone, crowd)
	}
	b.quiet()
}

func TestWhatIsDueToBeRevokedOvertakesEverythingElse(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	n := b.approvedIn(0)
	b.active(n)
	for i := range 9 {
		b.approvedIn(i + 1)
	}
	b.do(n, change.Finish{}, asker)
	s := &spy{AWS: b.client}
	var order []string
	s.before = func(call string) { order = append(order, call) }
	b.access = b.reconciler(s)
	b.inLanes(time.Second, func() bool { return true })
	if len(order) < 2 || order[0] != "turn" || order[1] != "delete" {
		t.Errorf("the calls were %v, want the delete first, with no look before it", order)
	}
	if s.counts["create"] != 8 {
		t.Errorf("%d creates were sent, want as many as may be under way", s.counts["create"])
	}
	if s.counts["list"] != 8 {
		t.Errorf("%d lists: who waits for a create costs none", s.counts["list"])
	}
}
