package identitycenter

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestAListIsSharedUntilItBeginsAndByNobodyMoreUrgent(t *testing.T) {
	t.Parallel()
	var all looks
	p, q := pair{"i", "a", "s"}, pair{"i", "b", "s"}
	poll, first := all.join(p, change.UrgentPoll)
	if !first {
		t.Fatal("somebody else makes it")
	}
	if l, first := all.join(p, change.UrgentCensus); first || l != poll {
		t.Error("who is as patient makes a list of their own")
	}
	if _, first := all.join(q, change.UrgentPoll); !first {
		t.Error("another pair shares it")
	}
	revoke, first := all.join(p, change.UrgentRevoke)
	if !first {
		t.Error("a revocation waits for the list of a poll")
	}
	all.begun(p, poll)
	if l, first := all.join(p, change.UrgentPoll); first || l != revoke {
		t.Error("the more urgent one is not shared")
	}
	all.begun(p, revoke)
	if _, first := all.join(p, change.UrgentPoll); !first {
		t.Error("a list that has begun is shared: it may not show what came since")
	}
}
