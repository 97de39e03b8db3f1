package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	giveBackWithin   = 30 * time.Second // a database that is started again answers by then; else the lease has to run out
	giveBackStopping = 3 * time.Second  // the same where the program is stopping
	giveBackPause    = 100 * time.Millisecond
	giveBackSlowest  = time.Second
)

// giveBack gives a claim back that nothing could be stored of, by do: again and again
// until the ledger answers, so that a database that was away for a moment holds
// nothing up for as long as a lease lasts.
func giveBack(ctx context.Context, do func(context.Context) error) error {
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackWithin)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(giveBackStopping, cancel) })
	defer stop()
	for pause := giveBackPause; ; pause = min(2*pause, giveBackSlowest) {
		err := do(bound)
		if err == nil {
			return nil
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-bound.Done():
			again.Stop()
			return err
		}
	}
}

// mayHaveClaimed tells whether a claim may have been stored although it failed: its
// answer may have been lost.
func mayHaveClaimed(err error) bool {
	_, refused := errors.AsType[*pgconn.PgError](err)
	_, unconnected := errors.AsType[*pgconn.ConnectError](err)
	return !refused && !unconnected && !pgconn.SafeToRetry(err)
}
