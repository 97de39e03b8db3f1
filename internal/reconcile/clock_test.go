package reconcile_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Several changes are moved on at once. One over which the program stumbles takes
// neither the process nor the ends of the others with it.
func TestAPanicOverOneChangeHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := accessSetup(t)
	var all []change.Number
	for i := range 3 {
		all = append(all, b.approvedIn(i))
	}
	b.until(10*time.Minute, func() bool {
		active := 0
		for _, n := range all {
			if b.change(n).Phase == change.Active {
				active++
			}
		}
		return active == len(all)
	})
	b.clock.set(b.clock.now().Add(5 * time.Hour))
	var first atomic.Bool
	b.waker.fail = func() error {
		if first.CompareAndSwap(false, true) {
			panic("a poisoned change")
		}
		return nil
	}
	if _, err := b.tick.Tick(b.ctx); err == nil || !strings.Contains(err.Error(), "a poisoned change") {
		t.Errorf("the tick answers %v", err)
	}
	ended := func() (n int) {
		for _, c := range all {
			if b.change(c).Phase == change.Ended {
				n++
			}
		}
		return n
	}
	if got := ended(); got != len(all)-1 {
		t.Errorf("%d of %d have ended beside the one that failed", got, len(all))
	}
	if _, err := b.tick.Tick(b.ctx); err != nil || ended() != len(all) {
		t.Errorf("then %d have ended: %v", ended(), err)
	}
}
