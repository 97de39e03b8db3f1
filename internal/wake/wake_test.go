package wake_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/wake"
	"github.com/breakglass-bot/breakglass/migrations"
)

func TestAJobRunsOnceItsTransactionHasCommittedAndNeverOtherwise(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	q := startQueue(t, pool, r.jobs)
	inTx(t, pool, q, []ledger.Work{ledger.WorkOf(1, "Slack")}, 11, errRolledBack)
	inTx(t, pool, q, []ledger.Work{ledger.WorkOf(2, "Slack"), ledger.WorkOf(2, "Jira")}, 22, nil)
	got := map[ledger.Work]int{}
	for range 2 {
		got[next(t, r.delivered)]++
	}
	if len(got) != 2 || got[ledger.WorkOf(2, "Slack")] != 1 || got[ledger.WorkOf(2, "Jira")] != 1 {
		t.Errorf("delivered %v", got)
	}
	if id := next(t, r.assigned); id != 22 {
		t.Errorf("assigned %d", id)
	}
	var jobs int
	must(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job`).Scan(&jobs))
	if jobs != 3 {
		t.Errorf("River holds %d jobs, want the three that were committed", jobs)
	}
}

func TestAJobDoesNotRunWhileItsTransactionIsOpen(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	q := startQueue(t, pool, r.jobs)
	tx, err := pool.Begin(t.Context())
	must(t, err)
	must(t, q.Insert(t.Context(), tx, []ledger.Work{ledger.WorkOf(1, "Slack")}, 0))
	inTx(t, pool, q, []ledger.Work{ledger.WorkOf(2, "Slack")}, 0, nil) // behind the other, and yet it comes first
	if w := next(t, r.delivered); w != ledger.WorkOf(2, "Slack") {
		t.Errorf("%v ran", w)
	}
	must(t, tx.Commit(t.Context()))
	if w := next(t, r.delivered); w != ledger.WorkOf(1, "Slack") {
		t.Errorf("%v ran", w)
	}
}

func TestAJobIsKeptUntilRiverWorks(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	sleeping, err := wake.New(wake.Options{Pool: pool, Schema: migrations.RiverSchema, Log: slog.New(slog.DiscardHandler)}, func() wake.Jobs {
		t.Error("a queue that was not started works")
		return r.jobs()
	})
	must(t, err)
	inTx(t, pool, sleeping, []ledger.Work{ledger.WorkOf(1, "AWS")}, 0, nil)
	inTx(t, pool, sleeping, nil, 0, nil) // nothing to wake is no mistake
	startQueue(t, pool, r.jobs)
	if w := next(t, r.delivered); w != ledger.WorkOf(1, "AWS") {
		t.Errorf("%v ran", w)
	}
}

// The tick tries again what failed, so River must not.
func TestRiverDoesNotTryAgainWhatFailed(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	r.deliver = func(_ context.Context, w ledger.Work) error {
		if w.System == "Slack" {
			return errors.New("down")
		}
		if w.System == "Jira" {
			panic("a mistake")
		}
		return context.Canceled // given up by a stop
	}
	r.assign = func(context.Context, int64) error { return errors.New("down") }
	q := startQueue(t, pool, r.jobs)
	inTx(t, pool, q, []ledger.Work{ledger.WorkOf(1, "Slack"), ledger.WorkOf(1, "Jira"), ledger.WorkOf(1, "AWS")}, 7, nil)
	for range 3 {
		next(t, r.delivered)
	}
	next(t, r.assigned)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	must(t, q.Stop(ctx)) // then every job is over
	var open int
	must(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job WHERE finalized_at IS NULL`).Scan(&open))
	if open != 0 {
		t.Errorf("%d jobs are to be tried again", open)
	}
	if len(r.delivered) > 0 || len(r.assigned) > 0 {
		t.Error("something ran twice")
	}
}

func TestWhereNoAccessIsGrantedAnAssignmentIsLetBe(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	q := startQueue(t, pool, func() wake.Jobs { return wake.Jobs{Deliver: r.jobs().Deliver} })
	inTx(t, pool, q, []ledger.Work{ledger.WorkOf(1, "Slack")}, 7, nil)
	next(t, r.delivered)
	must(t, q.Stop(t.Context()))
	var failed int
	must(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job WHERE state <> 'completed' AND finalized_at IS NOT NULL`).Scan(&failed))
	if failed != 0 {
		t.Errorf("%d jobs failed", failed)
	}
}

func TestAStopFinishesTheJobInHand(t *testing.T) {
	t.Parallel()
	pool, r := databases.Pool(t), newReconcilers()
	release, finished := make(chan struct{}), make(chan error, 1)
	r.deliver = func(ctx context.Context, _ ledger.Work) error {
		<-release
		finished <- ctx.Err()
		return nil
	}
	q := startQueue(t, pool, r.jobs)
	inTx(t, pool, q, []ledger.Work{ledger.WorkOf(1, "Slack")}, 0, nil)
	next(t, r.delivered)
	stopped := make(chan error, 1)
	go func() { stopped <- q.Stop(context.WithoutCancel(t.Context())) }()
	select {
	case err := <-stopped:
		t.Fatalf("it stopped with a job in hand: %v", err)
	default:
	}
	close(release)
	if err := next(t, finished); err != nil {
		t.Errorf("the job was broken off: %v", err)
	}
	must(t, next(t, stopped))
}
