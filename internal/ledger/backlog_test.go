package ledger_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// TestLateAccessIsCountedUntilItIsGone: also between two tries, when nothing is due.
func TestLateAccessIsCountedUntilItIsGone(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	late := func(want int64) {
		t.Helper()
		b, err := s.Backlog(s.ctx, s.now)
		s.must(err)
		if b.LateAccess != want {
			t.Errorf("%d accesses are late, want %d", b.LateAccess, want)
		}
	}
	s.activate(n)
	s.now = s.now.Add(30 * time.Minute)
	late(0)
	s.do(n, change.Finish{}, member(requester))
	late(0)
	s.now = s.now.Add(change.LateAfter)
	late(1)
	a, err := s.AssignmentOf(s.ctx, n)
	s.must(err)
	claimed, grants := s.take(a.ID)
	s.must(s.ReleaseAssignment(s.ctx, claimed, grants, s.now, s.now.Add(time.Minute)))
	late(1)
	s.do(n, change.AccessGone{}, itself)
	late(0)
}
