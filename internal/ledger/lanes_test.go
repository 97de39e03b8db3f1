package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// laneOf is the lane in which an assignment is due; empty where it is in none.
func (s *stand) laneOf(id int64) (found ledger.Lane) {
	s.t.Helper()
	for _, lane := range ledger.Lanes() {
		due, err := s.DueInLane(s.ctx, lane, s.now, s.now.Add(-5*time.Second), 9)
		s.must(err)
		if slices.Contains(due, id) {
			if found != "" {
				s.t.Errorf("it is in the lanes %s and %s", found, lane)
			}
			found = lane
		}
	}
	return found
}

func TestEachNextStepHasItsLane(t *testing.T) {
	s, n, id := asked(t)
	is := func(want ledger.Lane, set string) {
		t.Helper()
		s.exec(`UPDATE assignments SET standing = 'ours', operation = '', request_id = '', sent_at = NULL, clear_since = NULL, next_try = '2000-01-01'`)
		s.exec(`UPDATE assignments SET ` + set)
		if got := s.laneOf(id); got != want {
			t.Errorf("%s: the lane is %q, want %q", set, got, want)
		}
		revokes, err := s.RevokesDue(s.ctx, s.now, s.now.Add(-5*time.Second), 5)
		s.must(err)
		if (revokes == 1) != (want == ledger.RevokeLane) {
			t.Errorf("%s: %d revocations are due", set, revokes)
		}
	}
	const sent = `sent_at = '2000-01-01', `
	is(ledger.GrantLane, `standing = ''`)
	is(ledger.GrantLane, `clear_since = '2000-01-01'`)
	is(ledger.PollLane, sent+`operation = 'create', clear_since = '2000-01-01'`)
	is(ledger.PollLane, `seen_at = '2000-01-01'`)
	is("", `lease_until = '2100-01-01'`)
	s.exec(`UPDATE assignments SET lease_until = NULL`)
	s.do(n, change.AccessVerified{}, itself)
	s.do(n, change.Finish{}, member(requester))
	is(ledger.RevokeLane, `seen_at = '2000-01-01'`)
	is(ledger.RevokeLane, sent+`operation = 'create'`)
	is(ledger.RevokeLane, sent+`operation = 'delete'`)
	is(ledger.PollLane, sent+`operation = 'delete', request_id = 'r'`)
	is(ledger.PollLane, `clear_since = '2000-01-01'`)
	is(ledger.PollLane, `standing = 'found'`)
}

// AWS would refuse the second with a conflict.
func TestOneOfARoleIsTakenUpAtATime(t *testing.T) {
	s, _, first := asked(t)
	s.exec(`UPDATE assignments SET user_id = 'aws-0', next_try = '2000-01-01'`) // somebody else's
	n := s.submit(true)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	a, err := s.AssignmentOf(s.ctx, n)
	s.must(err)
	due := func(want ...int64) {
		t.Helper()
		got, err := s.DueInLane(s.ctx, ledger.GrantLane, s.now, s.now.Add(-5*time.Second), 9)
		s.must(err)
		if !slices.Equal(got, want) {
			t.Errorf("due: %v, want %v", got, want)
		}
	}
	due(first)
	s.exec(`UPDATE assignments SET operation = 'create', sent_at = '` + s.now.Add(-time.Second).Format(time.RFC3339Nano) + `' WHERE user_id = 'aws-0'`)
	due()
	s.exec(`UPDATE assignments SET sent_at = '2000-01-01' WHERE user_id = 'aws-0'`) // nothing was heard of it: it is tried
	due(a.ID)
	s.exec(`UPDATE assignments SET operation = '', account_id = '999988887777' WHERE user_id = 'aws-0'`)
	due(first, a.ID)
}

// A hundred people whose access to one role ends at once are one delete at a time: they
// keep neither grants nor polls elsewhere waiting.
func TestTheRevocationsOfARoleAreCountedOnce(t *testing.T) {
	s := open(t)
	s.exec(`INSERT INTO assignments (instance_arn, account_id, permission_set_arn, user_id, standing, seen_at, next_try)
		SELECT 'arn:instance', '111122223333', 'arn:ps-1', 'user-' || i, 'ours', '2000-01-01', '2000-01-01' FROM generate_series(1, 100) i`)
	count := func(want int) {
		t.Helper()
		since := s.now.Add(-5 * time.Second)
		got, err := s.RevokesDue(s.ctx, s.now, since, 20)
		s.must(err)
		due, err := s.DueInLane(s.ctx, ledger.RevokeLane, s.now, since, 200)
		s.must(err)
		if got != want || len(due) != want {
			t.Errorf("%d are counted and %d are due, want %d", got, len(due), want)
		}
	}
	count(1)
	s.exec(`UPDATE assignments SET account_id = '999988887777' WHERE user_id IN ('user-7', 'user-8')`)
	count(2)
	s.exec(`UPDATE assignments SET operation = 'delete', request_id = 'r', next_try = NULL, sent_at = $1 WHERE user_id = 'user-7'`, s.now.Add(-time.Second))
	count(1)
}
