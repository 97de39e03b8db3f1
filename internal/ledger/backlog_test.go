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

// The program was away when the time was over.
func TestAccessIsLateFromItsTimeOnWheneverItsChangeIsEnded(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	s.activate(n)
	late := func(want int64) {
		t.Helper()
		b, err := s.Backlog(s.ctx, s.now)
		s.must(err)
		if b.LateAccess != want {
			t.Errorf("at %s: %d accesses are late, want %d", s.now.Sub(start), b.LateAccess, want)
		}
	}
	s.now = start.Add(time.Hour + change.LateAfter - time.Second)
	late(0)
	s.now = s.now.Add(time.Second)
	late(1)
	s.exec(`UPDATE grants SET until = NULL`) // a version before the column made it
	late(1)
	s.do(n, change.Tick{}, itself)
	late(1)
	s.do(n, change.AccessGone{}, itself)
	late(0)
}

// A replica of the version before extends a change, and does not know the column.
func TestWhatWasExtendedIsNotLate(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	s.activate(n)
	until := start.Add(time.Hour)
	s.do(n, change.Extend{Duration: time.Hour, Why: "It takes longer"}, member(requester))
	s.do(n, change.Approve{Ask: 2}, member(cto))
	s.exec(`UPDATE grants SET until = $1`, until)
	s.now = until.Add(30 * time.Minute)
	b, err := s.Backlog(s.ctx, s.now)
	s.must(err)
	if b.LateAccess != 0 {
		t.Errorf("%d accesses are late", b.LateAccess)
	}
}
