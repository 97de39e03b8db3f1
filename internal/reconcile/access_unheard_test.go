package reconcile_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// unheardAndLagging is an AWS that never answers the first create, and whose lists show
// for 20 s what was so before.
func unheardAndLagging(t *testing.T) *accessBundle {
	t.Helper()
	b := accessSetup(t, func(o *sandbox.Options) { o.SettleAfter, o.ListLag = 2*time.Second, 20*time.Second })
	b.aws.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: createCall, Times: 1})
	return b
}

// What came of the first create is not known, but the second has succeeded: that a list
// does not show it yet is no reason for a third.
func TestACreateThatSucceededIsNotSentAgainBecauseOfOneThatWasNeverAnswered(t *testing.T) {
	t.Parallel()
	b := unheardAndLagging(t)
	n := b.approved()
	b.active(n)
	if got := b.calls(createCall); got != 1 {
		t.Errorf("AWS has accepted %d creates", got)
	}
}

// While a create may still come into effect, a list that shows the access behind a delete
// may tell of that create, or lag. So it is deleted again, but not without a pause.
func TestAListThatLagsIsNotAnsweredByDeletesWithoutAPause(t *testing.T) {
	t.Parallel()
	b := unheardAndLagging(t)
	n := b.approved()
	b.active(n)
	b.do(n, change.Finish{}, asker)
	b.forward(2 * time.Minute)
	b.wantHas(false)
	deletes := 0
	for _, c := range b.aws.History() {
		if c.Operation == deleteCall {
			deletes++
		}
	}
	if deletes < 2 || deletes > 6 { // at once, and every five seconds until the list shows it
		t.Errorf("AWS was asked %d times to delete it", deletes)
	}
	b.forward(9 * 24 * time.Hour)
	b.quiet()
}
