package workflow_test

import (
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Two reconcilers often learn something about one change at the same moment. The
// second waits for the lock of the first, and must then see all that it left,
// what is owed included.
func TestCommandsAtTheSameMomentLoseNothingOfEachOther(t *testing.T) {
	s := open(t)
	n := s.submit()
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.IntendAccess{}, itself)
	s.do(n, change.AccessVerified{}, itself)
	s.do(n, change.Finish{}, member(requester))
	s.do(n, change.AccessGone{}, itself)
	s.do(n, change.LinkTicket{Ticket: change.TicketRef{ID: "1", Key: "OPS-1"}, Ours: true}, itself)
	s.do(n, change.WriteRecord{Done: "Restarted it", Why: "It hung"}, member(requester))
	due := start.Add(30 * 24 * time.Hour)
	s.do(n, change.SubmitReview{Text: change.ReviewText{What: "It hung", Standard: "It cannot restart", Prevent: "A job", Actions: []change.Action{
		{What: "One", Owner: requester, Due: due}, {What: "Two", Owner: requester, Due: due}, {What: "Three", Owner: requester, Due: due},
	}}}, member(requester))

	var all sync.WaitGroup
	for _, give := range []struct {
		cmd   change.Command
		actor change.Actor
	}{
		{change.RecordMirrored{Revision: 1, In: change.RecordInJira, Ref: "c1"}, itself},
		{change.ReviewMirrored{In: change.RecordInJira, Ref: "c2"}, itself},
		{change.ActionRecorded{Item: 1, Ticket: change.TicketRef{Key: "OPS-2"}}, itself},
		{change.ActionRecorded{Item: 2, Ticket: change.TicketRef{Key: "OPS-3"}}, itself},
		{change.ActionRecorded{Item: 3, Ticket: change.TicketRef{Key: "OPS-4"}}, itself},
		{change.SignOff{}, member(cto)},
	} {
		all.Go(func() {
			if _, err := s.Do(t.Context(), n, give.cmd, give.actor); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	c, err := s.Ledger.Change(t.Context(), n)
	s.must(err)
	if owing := c.Owing(); len(owing) > 0 || c.Phase != change.Closed {
		t.Errorf("%s is %s and owes %+v, want closed and nothing", n, c.Phase, owing)
	}
}

// Whoever waits for another's transaction decides at the moment that comes after it.
func TestTheTimeOfACommandIsTakenBehindTheLock(t *testing.T) {
	s := open(t)
	n := s.submit()
	s.Now = func() time.Time {
		var locked bool
		s.must(s.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_locks
			WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND relation = 'changes'::regclass AND mode = 'RowShareLock')`).Scan(&locked))
		if locked {
			return start.Add(time.Minute)
		}
		return start
	}
	c := s.do(n, change.Approve{Ask: 1}, member(cto))
	if at := c.Asks[0].Settled; !at.Equal(ledger.Micro(start.Add(time.Minute))) {
		t.Errorf("decided %s, want behind the lock", at)
	}
}
