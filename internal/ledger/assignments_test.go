package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// asked is a change whose access is wanted, and its assignment.
func asked(t *testing.T) (s *stand, n change.Number, id int64) {
	t.Helper()
	s = open(t)
	n = s.submit(true)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.IntendAccess{}, itself)
	a, err := s.AssignmentOf(s.ctx, n)
	s.must(err)
	return s, n, a.ID
}

func (s *stand) take(id int64) (ledger.Assignment, []ledger.Grant) {
	s.t.Helper()
	a, err := s.ClaimAssignment(s.ctx, id, s.now, s.now.Add(time.Minute), s.now.String())
	s.must(err)
	grants, _, err := s.Parties(s.ctx, id)
	s.must(err)
	return a, grants
}

func (s *stand) dueAssignments(want ...int64) {
	s.t.Helper()
	got, err := s.DueAssignments(s.ctx, s.now, 9)
	s.must(err)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		s.t.Errorf("due assignments:\n%s", diff)
	}
}

func TestAGrantFollowsItsChange(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	if _, err := s.AssignmentOf(s.ctx, n); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("before the approval there is an assignment: %v", err)
	}
	grant := func(want ...ledger.Grant) {
		t.Helper()
		a, err := s.AssignmentOf(s.ctx, n)
		s.must(err)
		claimed, grants := s.take(a.ID)
		if diff := cmp.Diff(want, grants, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("grants:\n%s", diff)
		}
		s.must(s.ReleaseAssignment(s.ctx, claimed, grants, s.now, s.now))
	}
	s.do(n, change.Approve{Ask: 1}, member(cto))
	grant(ledger.Grant{Number: n, Wanted: true})
	s.do(n, change.IntendAccess{}, itself)
	s.do(n, change.AccessVerified{}, itself)
	c, err := s.Change(s.ctx, n)
	s.must(err)
	until := c.Window.Until
	grant(ledger.Grant{Number: n, Wanted: true, Until: until})
	s.do(n, change.Finish{}, member(requester))
	grant(ledger.Grant{Number: n, Until: until})
	s.do(n, change.AccessGone{}, itself)
	grant()
	s.do(n, change.AccessBack{}, itself)
	grant(ledger.Grant{Number: n, Until: until})
}

// TestAccessThatWasSeenWithoutACreateIsNotOverBeforeItIsGone: another change's
// create may have made it, so that it is ours to remove.
func TestAccessThatWasSeenWithoutACreateIsNotOverBeforeItIsGone(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.AccessVerified{}, itself)
	s.do(n, change.Finish{}, member(requester))
	a, err := s.AssignmentOf(s.ctx, n)
	s.must(err)
	if _, grants := s.take(a.ID); len(grants) != 1 || grants[0].Over || grants[0].Wanted {
		t.Errorf("its grants are %v", grants)
	}
}

func TestTwoChangesShareOneAssignment(t *testing.T) {
	s, first, id := asked(t)
	second := s.submit(true)
	s.do(second, change.Approve{Ask: 1}, member(cto))
	s.do(second, change.IntendAccess{}, itself)
	s.do(first, change.Finish{}, member(requester))
	_, grants := s.take(id)
	c, err := s.Change(s.ctx, first)
	s.must(err)
	want := []ledger.Grant{{Number: first, Until: c.Window.Until}, {Number: second, Wanted: true}}
	if diff := cmp.Diff(want, grants); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsToBeRemovedComesFirst(t *testing.T) {
	s, _, wanted := asked(t)
	s.exec(`UPDATE assignments SET user_id = 'aws-0'`) // somebody else's
	n := s.submit(true)
	s.now = s.now.Add(time.Second)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.IntendAccess{}, itself)
	s.do(n, change.EndNow{}, member(cto))
	a, err := s.AssignmentOf(s.ctx, n)
	s.must(err)
	s.dueAssignments(a.ID, wanted)
}

func TestAnAssignmentIsClaimedByOneUntilItsLeaseEnds(t *testing.T) {
	s, _, id := asked(t)
	first, grants := s.take(id)
	if _, err := s.ClaimAssignment(s.ctx, id, s.now, s.now, "other"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a claimed assignment is claimed again: %v", err)
	}
	s.dueAssignments()
	s.now = s.now.Add(time.Minute)
	s.dueAssignments(id)
	second, _ := s.take(id)
	if err := s.SaveAssignment(s.ctx, first); !errors.Is(err, ledger.ErrClaimLost) {
		t.Errorf("saving under a lost claim answers %v", err)
	}
	if err := s.ReleaseAssignment(s.ctx, first, grants, s.now, time.Time{}); !errors.Is(err, ledger.ErrClaimLost) {
		t.Errorf("releasing under a lost claim answers %v", err)
	}
	second.Standing, second.Operation, second.RequestID, second.SentAt = ledger.StandingOurs, ledger.CreateOperation, "r-1", s.now
	s.must(s.SaveAssignment(s.ctx, second))
	s.must(s.ReleaseAssignment(s.ctx, second, grants, s.now, s.now.Add(time.Hour)))
	s.dueAssignments()
	s.now = s.now.Add(time.Hour)
	third, _ := s.take(id)
	if diff := cmp.Diff(second, third, cmpopts.IgnoreUnexported(ledger.Assignment{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("it is read otherwise than it was saved:\n%s", diff)
	}
}

func TestAGrantThatChangedMeanwhileIsLookedAtAtOnce(t *testing.T) {
	s, n, id := asked(t)
	a, grants := s.take(id)
	s.do(n, change.EndNow{}, member(cto))
	s.must(s.ReleaseAssignment(s.ctx, a, grants, s.now, time.Time{}))
	s.dueAssignments(id)
}

// TestAGrantThatChangesDuringTheReleaseIsNotForgotten holds the end of a change
// open while the assignment is being released, and commits it then.
func TestAGrantThatChangesDuringTheReleaseIsNotForgotten(t *testing.T) {
	s, n, id := asked(t)
	a, grants := s.take(id)
	released := make(chan error, 1)
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		head, err := tx.Lock(s.ctx, n)
		if err != nil {
			return err
		}
		c, events, err := change.Decide(rules(), head.Change, change.EndNow{}, member(cto), s.now)
		if err != nil {
			return err
		}
		if _, err := tx.Update(s.ctx, head, &c, events); err != nil {
			return err
		}
		if _, err := tx.SyncGrant(s.ctx, &c, s.now); err != nil {
			return err
		}
		if _, err := tx.Exec(s.ctx, `SELECT`); err != nil { // what was written waits for no answer: now it is sent
			return err
		}
		go func() { released <- s.ReleaseAssignment(s.ctx, a, grants, s.now, time.Time{}) }()
		for { // until the release waits for this transaction
			waiting := one[int](s, `SELECT count(*)::INT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
			if waiting > 0 {
				return nil
			}
		}
	}))
	s.must(<-released)
	s.dueAssignments(id)
}

func TestOnlyWhatWasFoundIsMarkedAsStanding(t *testing.T) {
	s, _, id := asked(t)
	if err := s.InTx(s.ctx, func(tx ledger.Tx) error { return tx.MarkStanding(s.ctx, id, true, s.now) }); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("marking what nobody found answers %v", err)
	}
	for keep, want := range map[bool]ledger.Standing{true: ledger.StandingKept, false: ledger.StandingOurs} {
		s.exec(`UPDATE assignments SET standing = 'found', next_try = NULL`)
		s.must(s.InTx(s.ctx, func(tx ledger.Tx) error { return tx.MarkStanding(s.ctx, id, keep, s.now) }))
		if got := one[string](s, `SELECT standing FROM assignments`); got != string(want) {
			t.Errorf("marked with %t it is %s", keep, got)
		}
		s.dueAssignments(id)
	}
}
