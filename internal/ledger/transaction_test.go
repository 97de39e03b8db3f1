package ledger_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// trips counts how often the database is asked.
type trips struct{ count atomic.Int64 }

func (t *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	t.count.Add(1)
	return ctx
}
func (*trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (t *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	t.count.Add(1)
	return ctx
}
func (*trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// requested is a change that waits for its approval.
func requested(t *testing.T) (*stand, change.Number) {
	t.Helper()
	s := open(t)
	return s, s.submit(true)
}

// approve is what an approval writes, without the jobs that it wakes.
func (s *stand) approve(tx ledger.Tx, n change.Number) error {
	locked, err := tx.LockFor(s.ctx, n, "trigger", "T-"+n.String(), true, s.now)
	if err != nil {
		return err
	}
	c, events, err := change.Decide(rules(), locked.Head.Change, change.Approve{Ask: 1}, member(cto), s.now)
	if err != nil {
		return err
	}
	if events, err = tx.Update(s.ctx, locked.Head, &c, events); err != nil {
		return err
	}
	if err := tx.PutDeliveries(s.ctx, change.Outbox(c, events), c.Version, s.now); err != nil {
		return err
	}
	if err := tx.TouchMessages(s.ctx, n, c.Version, s.now, true); err != nil {
		return err
	}
	_, err = tx.SyncGrant(s.ctx, &c, s.now)
	return err
}

func TestAnApprovalAsksTheDatabaseThreeTimes(t *testing.T) {
	s, n := requested(t)
	config := s.pool.Config()
	seen := &trips{}
	config.ConnConfig.Tracer = seen
	pool, err := pgxpool.NewWithConfig(s.ctx, config)
	s.must(err)
	t.Cleanup(pool.Close)
	s.must(pool.Ping(s.ctx))
	before := seen.count.Load()
	s.must(ledger.New(pool).InTx(s.ctx, func(tx ledger.Tx) error { return s.approve(tx, n) }))
	if got := seen.count.Load() - before; got != 3 {
		t.Errorf("it asked %d times: for the change, with the assignment, and to commit", got)
	}
	c, err := s.Change(s.ctx, n)
	s.must(err)
	if c.Phase != change.Approved {
		t.Errorf("%s is %s", n, c.Phase)
	}
}

// What only the one who asked can find wrong is found before the commit.
func TestWhatWasWrittenBehindSomebodysBackIsNotCommitted(t *testing.T) {
	s, n := requested(t)
	err := s.InTx(s.ctx, func(tx ledger.Tx) error {
		head, err := tx.Lock(s.ctx, n)
		if err != nil {
			return err
		}
		c, events, err := change.Decide(rules(), head.Change, change.Approve{Ask: 1}, member(cto), s.now)
		if err != nil {
			return err
		}
		head.Change.Version += 5 // as if another had written
		_, err = tx.Update(s.ctx, head, &c, events)
		return err
	})
	if !errors.Is(err, ledger.ErrClaimLost) {
		t.Errorf("it answers %v", err)
	}
	if got := one[int](s, `SELECT count(*)::INT FROM events WHERE chain = $1 AND type = 'approved'`, int64(n)); got != 0 {
		t.Errorf("%d events were written all the same", got)
	}
}

func TestAWriteThatTheDatabaseRefusesIsToldByTheCommit(t *testing.T) {
	s, n := requested(t)
	err := s.InTx(s.ctx, func(tx ledger.Tx) error {
		return tx.PutDeliveries(s.ctx, []change.Delivery{
			{Number: n, Kind: change.DeliverNote, Key: "fine", Mode: change.Once}, {Number: n, Kind: change.DeliverNote, Key: "wrong", Mode: "never"},
		}, 1, s.now)
	})
	if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "23514" {
		t.Errorf("it answers %v", err)
	}
	if got := one[int](s, `SELECT count(*)::INT FROM deliveries WHERE key = 'fine'`); got != 0 {
		t.Error("half of it was kept")
	}
	s.must(s.InTx(s.ctx, func(ledger.Tx) error { return nil })) // and the connection is of use again
}

func TestATransactionSeesWhatItHasWritten(t *testing.T) {
	s, n := requested(t)
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		if err := s.approve(tx, n); err != nil {
			return err
		}
		var phase string
		if err := tx.QueryRow(s.ctx, `SELECT phase FROM changes WHERE number = $1`, int64(n)).Scan(&phase); err != nil || phase != "approved" {
			t.Errorf("it sees %q, %v", phase, err)
		}
		return nil
	}))
}

// Whoever reads with a callback is called although what was written before goes along.
func TestABatchInATransactionIsReadByItsCallbacks(t *testing.T) {
	s, n := requested(t)
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) error {
		if err := tx.PutDeliveries(s.ctx, []change.Delivery{{Number: n, Kind: change.DeliverNote, Key: "x", Mode: change.Once}}, 1, s.now); err != nil {
			return err
		}
		var notes, called int
		batch := &pgx.Batch{}
		batch.Queue(`SELECT count(*)::INT FROM deliveries WHERE key = 'x'`).QueryRow(func(row pgx.Row) error { called++; return row.Scan(&notes) })
		batch.Queue(`SELECT 1`).Query(func(rows pgx.Rows) error { called++; rows.Close(); return rows.Err() })
		err := tx.SendBatch(s.ctx, batch).Close()
		if called != 2 || notes != 1 {
			t.Errorf("%d callbacks were called, which saw %d notes", called, notes)
		}
		return err
	}))
}

func TestATransactionThatIsGivenUpLeavesNothing(t *testing.T) {
	s, n := requested(t)
	broken := errors.New("broken")
	if err := s.InTx(s.ctx, func(tx ledger.Tx) error { return errors.Join(s.approve(tx, n), broken) }); !errors.Is(err, broken) {
		t.Errorf("it answers %v", err)
	}
	if c, err := s.Change(s.ctx, n); err != nil || c.Phase != change.Requested {
		t.Errorf("%s is %s, %v", n, c.Phase, err)
	}
	if got := one[int](s, `SELECT count(*)::INT FROM seen WHERE id = $1`, "T-"+n.String()); got != 0 {
		t.Error("the click counts as taken")
	}
}
