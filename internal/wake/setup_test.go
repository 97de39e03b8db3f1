package wake_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/wake"
	"github.com/breakglass-bot/breakglass/migrations"
)

var databases = pgtest.New(migrations.Up)

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

// start is when everything here is due.
var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reconcilers tell of what they are started for, and do as the test says.
type reconcilers struct {
	delivered chan ledger.Work
	assigned  chan int64
	deliver   func(ctx context.Context, w ledger.Work) error // nil: nothing
	assign    func(ctx context.Context, id int64) error
}

func newReconcilers() *reconcilers {
	return &reconcilers{delivered: make(chan ledger.Work, 1000), assigned: make(chan int64, 1000)}
}

func (r *reconcilers) jobs() wake.Jobs {
	return wake.Jobs{
		Deliver: func(ctx context.Context, w ledger.Work) error {
			r.delivered <- w
			if r.deliver == nil {
				return nil
			}
			return r.deliver(ctx, w)
		},
		Assign: func(ctx context.Context, id int64) error {
			r.assigned <- id
			if r.assign == nil {
				return nil
			}
			return r.assign(ctx, id)
		},
	}
}

// next waits for what comes out of a channel.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(30 * time.Second):
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}

// startQueue makes a queue that works.
func startQueue(t *testing.T, pool *pgxpool.Pool, jobs func() wake.Jobs) *wake.Queue {
	t.Helper()
	q, err := wake.New(wake.Options{Pool: pool, Schema: migrations.RiverSchema, Workers: 4, Log: slog.New(slog.DiscardHandler)}, jobs)
	must(t, err)
	must(t, q.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return q
}

var errRolledBack = errors.New("rolled back")

// inTx inserts jobs in a transaction that ends as it is told.
func inTx(t *testing.T, pool *pgxpool.Pool, q *wake.Queue, work []ledger.Work, assignment int64, end error) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if err := q.Insert(t.Context(), tx, work, assignment); err != nil {
			return err
		}
		return end
	})
	if !errors.Is(err, end) {
		t.Fatal(err)
	}
}

// due puts a delivery into the ledger that is due.
func due(t *testing.T, pool *pgxpool.Pool, number int64, system string) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `INSERT INTO deliveries (number, kind, key, system, mode, recipient, ref, wanted, next_try)
		VALUES ($1, 'card', $2, $2, 'converge', '', '{}', 1, $3)`, number, system, start)
	must(t, err)
}

// dueAssignment puts an assignment into the ledger that is due, and answers its
// id. Nothing wants it, or a change does.
func dueAssignment(t *testing.T, pool *pgxpool.Pool, user string, at time.Time, wantedBy int64) (id int64) {
	t.Helper()
	must(t, pool.QueryRow(t.Context(), `INSERT INTO assignments (instance_arn, account_id, permission_set_arn, user_id, next_try)
		VALUES ('arn:instance', '111122223333', 'arn:admin', $1, $2) RETURNING id`, user, at).Scan(&id))
	if wantedBy == 0 {
		return id
	}
	_, err := pool.Exec(t.Context(), `INSERT INTO changes (number, version, phase, kind, requester, implementer, confidential, requested_at, document, last_seq, last_hash, last_at)
		VALUES ($1, 1, 'requested', 'access', 'U0ADA', 'U0ADA', FALSE, $2, '{}', 1, '', $2)`, wantedBy, start)
	must(t, err)
	_, err = pool.Exec(t.Context(), `INSERT INTO grants (number, assignment_id, wanted, over) VALUES ($1, $2, TRUE, FALSE)`, wantedBy, id)
	must(t, err)
	return id
}

// newTicker makes a ticker that looks very often.
func newTicker(pool *pgxpool.Pool, jobs wake.Jobs) *wake.Ticker {
	return &wake.Ticker{
		Ledger: ledger.New(pool), Jobs: jobs, Every: time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return start }, Clock: func(context.Context) (int, error) { return 0, nil },
	}
}
