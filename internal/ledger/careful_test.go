package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

func TestAPanicGivesItsConnectionAndItsLocksBack(t *testing.T) {
	s := open(t)
	n := s.submit(false)
	func() {
		defer func() { _ = recover() }()
		_ = s.InTx(s.ctx, func(tx ledger.Tx) error {
			if _, err := tx.Lock(s.ctx, n); err != nil {
				return err
			}
			panic("a defect")
		})
	}()
	if held := s.pool.Stat().AcquiredConns(); held != 0 {
		t.Errorf("%d connections are still held", held)
	}
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
	defer cancel()
	s.must(s.InTx(ctx, func(tx ledger.Tx) error {
		_, err := tx.Lock(ctx, n)
		return err
	}))
}

func TestWhatIsAskedForAnewWhileADeliveryIsCancelledIsNotLost(t *testing.T) {
	s := open(t)
	n := s.submit(false)
	ask := []change.Delivery{{Number: n, Kind: change.DeliverSignOff, Key: "1/U0CTO", Mode: change.Converge, To: cto}}
	s.must(s.Put(s.ctx, ask, 100, s.now))
	at := s.now.Add(time.Second)
	var d ledger.Delivery
	for d.Kind != change.DeliverSignOff {
		var err error
		d, err = s.ClaimDelivery(s.ctx, n, change.SystemSlack, at, at.Add(time.Minute), "claim")
		s.must(err)
	}
	s.must(s.Put(s.ctx, ask, 101, at))
	s.must(s.End(s.ctx, d, ledger.DeliveryCancelled, "answered"))
	again, err := s.DeliveryOf(s.ctx, n, change.DeliverSignOff, "1/U0CTO")
	s.must(err)
	if again.State != ledger.DeliveryOpen || one[*time.Time](s, `SELECT next_try FROM deliveries WHERE id = $1`, d.ID) == nil {
		t.Errorf("it is %s, and is never looked at again", again.State)
	}
}

func TestBytesThatAreNoTextLeaveTheTrailWhole(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	_, err := s.SystemEvent(s.ctx, change.Event{Type: change.EventForged, At: s.now, Actor: "U1", Facts: change.Facts{"team": "T\xff"}}, s.now, 9)
	s.must(err)
	s.do(n, change.Undelivered{Say: "bad \xf0\x9f answer"}, itself)
	s.do(n, change.AccessTrouble{Say: "bad \xf0\x9f answer"}, itself)
	if found, _ := s.verify(); len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
}
