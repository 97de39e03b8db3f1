package ledger_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// A replica of the version before extends a change, and leaves the old end in its grant:
// the census must not take the access for one that was left behind.
func TestTheCensusKnowsOfAnExtensionThatTheGrantDoesNotTellOf(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	s.activate(n)
	until := start.Add(time.Hour)
	s.do(n, change.Extend{Duration: time.Hour, Why: "It takes longer"}, member(requester))
	s.do(n, change.Approve{Ask: 2}, member(cto))
	s.exec(`UPDATE grants SET until = $1`, until)
	wanted := func(at time.Time, want bool) {
		t.Helper()
		s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
			state, err := tx.CensusState(s.ctx, "arn:instance", ledger.CensusPair{AccountID: "111122223333", PermissionSetARN: "arn:ps-1"}, at)
			if a := state.Assignments["aws-1"]; a.Wanted != want || (a.Had == n) != want {
				t.Errorf("at %s: wanted %v, %s has it; want %v", at.Sub(start), a.Wanted, a.Had, want)
			}
			return err
		}))
	}
	wanted(until.Add(time.Minute), true)
	wanted(until.Add(time.Hour), false)
}
