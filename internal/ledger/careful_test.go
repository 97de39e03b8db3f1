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
