package ledger_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

func TestWhatHadNothingToDoIsDueAtOnceWhenItWasHastenedMeanwhile(t *testing.T) {
	s := open(t)
	s.put(1, card)
	d := s.claimed("a")
	s.must(s.Hasten(s.ctx, n1, change.DeliverCard, s.now))
	s.must(s.Later(s.ctx, d, s.now.Add(time.Minute), ""))
	d = s.claimed("b")
	s.must(s.Later(s.ctx, d, s.now.Add(time.Minute), "")) // nobody has hastened it since
	s.nothingDue()
	s.now = s.now.Add(time.Minute)
	s.claimed("c")
}

func TestADeliveryThatIsGivenBackIsDueBeforeItsLeaseEnds(t *testing.T) {
	s := open(t)
	s.put(1, card)
	d := s.claimed("a")
	s.must(s.GiveBack(s.ctx, d, s.now.Add(time.Second)))
	s.nothingDue()
	s.now = s.now.Add(time.Second)
	next := s.claimed("b")
	s.must(s.GiveBack(s.ctx, d, s.now)) // it is somebody else's now
	s.nothingDue()
	s.must(s.Delivered(s.ctx, next, "ts", s.now, time.Time{}))
}

func TestAnAssignmentThatIsGivenBackIsDueBeforeItsLeaseEnds(t *testing.T) {
	s := open(t)
	s.activate(s.submit(true))
	a, err := s.AssignmentOf(s.ctx, 1)
	s.must(err)
	claim := func(by string) error {
		got, err := s.ClaimAssignment(s.ctx, a.ID, s.now, s.now.Add(time.Hour), by)
		if err == nil {
			a = got
		}
		return err
	}
	s.must(claim("a"))
	s.must(s.GiveBackAssignment(s.ctx, a, s.now.Add(time.Second)))
	if err := claim("b"); err == nil {
		t.Error("it is due at once")
	}
	s.now = s.now.Add(time.Second)
	s.must(claim("c"))
}

// The answer to a claim may be lost, so that nobody knows of it.
func TestAClaimThatNobodyKnowsOfIsTakenBackByItsMark(t *testing.T) {
	s := open(t)
	s.put(1, card)
	d := s.claimed("lost")
	s.must(s.Unclaim(s.ctx, ledger.Work{Number: n1, System: d.System()}, "another", s.now))
	s.nothingDue()
	s.must(s.Unclaim(s.ctx, ledger.Work{Number: n1, System: d.System()}, "lost", s.now))
	if again := s.claimed("b"); again.ID != d.ID || again.Attempts != d.Attempts {
		t.Errorf("claimed %+v, want as if it had not been: %+v", again, d)
	}
}

func TestAClaimOnAnAssignmentThatNobodyKnowsOfIsTakenBackByItsMark(t *testing.T) {
	s := open(t)
	s.activate(s.submit(true))
	a, err := s.AssignmentOf(s.ctx, 1)
	s.must(err)
	claim := func(by string) error {
		_, err := s.ClaimAssignment(s.ctx, a.ID, s.now, s.now.Add(time.Hour), by)
		return err
	}
	s.must(claim("lost"))
	s.must(s.UnclaimAssignment(s.ctx, a.ID, "another"))
	if err := claim("b"); err == nil {
		t.Error("somebody else's claim was taken back")
	}
	s.must(s.UnclaimAssignment(s.ctx, a.ID, "lost"))
	s.must(claim("c"))
}
