// Package ledger keeps everything breakglass knows in Postgres: changes with
// their events, obligations, assignments and deliveries. All SQL stands here.
//
// Exported methods of Ledger begin and commit by themselves; those of Tx
// compose inside one transaction. Nothing in this package calls another system,
// and SQL never asks the database for the time: it is handed in.
//
// It may import internal/change only.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not in the ledger")

// ErrClaimLost says that somebody else has taken the row over: the result is
// to be thrown away.
var ErrClaimLost = errors.New("claim lost")

// Ledger is the database.
type Ledger struct {
	pool   *pgxpool.Pool
	noRoom atomic.Bool // a write failed for want of room, and none has succeeded in Writable since
}

// New takes a pool whose database has been migrated.
func New(pool *pgxpool.Pool) *Ledger { return &Ledger{pool: pool} }

// InTx runs fn in one transaction, and commits when it answers no error. When fn
// panics, its connection and its locks are given back all the same.
func (l *Ledger) InTx(ctx context.Context, fn func(tx Tx) error) (err error) {
	tx, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer func() { // does nothing behind a commit
		if full(err) {
			l.noRoom.Store(true)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWithin)
		defer cancel()
		if rollback := tx.Rollback(ctx); rollback != nil && !errors.Is(rollback, pgx.ErrTxClosed) && err != nil {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rollback))
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// Ping asks whether the database answers.
func (l *Ledger) Ping(ctx context.Context) error {
	if err := l.pool.Ping(ctx); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	return nil
}

// Micro cuts a time to what Postgres keeps: microseconds, in UTC.
func Micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// null turns the zero time into SQL's NULL.
func null(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// zero turns SQL's NULL into the zero time, and any other into UTC.
func zero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
