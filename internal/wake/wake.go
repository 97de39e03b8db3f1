// Package wake starts the reconcilers: at once, by River jobs that are inserted
// in the transaction of the change, and again and again, by a tick over what is
// due. The tick never forgets, so a job that is lost loses nothing but time.
//
// It may import internal/reconcile and internal/ledger.
package wake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// argsVersion is the schema number of the job arguments.
const argsVersion = 1

// deliverArgs wakes the deliveries of a change for one system.
type deliverArgs struct {
	V      int    `json:"v"`
	Number int64  `json:"number"`
	System string `json:"system"`
}

// Kind names the job for River.
func (deliverArgs) Kind() string { return "deliver" }

// assignArgs wakes the reconciler of one assignment.
type assignArgs struct {
	V  int   `json:"v"`
	ID int64 `json:"id"`
}

// Kind names the job for River.
func (assignArgs) Kind() string { return "assign" }

// Queue wakes reconcilers in the transaction of a change. It inserts only, and
// is ready before River works.
type Queue struct {
	client *river.Client[pgx.Tx]
}

// Options of a Queue.
type Options struct {
	Pool    *pgxpool.Pool
	Schema  string // River's
	Workers int    // jobs at once; 0: 16, which is more than Slack lets us post in a second
	Log     *slog.Logger
}

// Jobs are the units of work that are started: one change and system, or one
// assignment.
type Jobs struct {
	Deliver func(ctx context.Context, w ledger.Work) error
	Assign  func(ctx context.Context, id int64) error // nil where no access is granted through AWS
	Kick    func()                                    // has the ticker look for due assignments at once; nil: a job works on its own
}

// New makes a queue. jobs is asked for when the first job runs, so that the
// reconcilers may be made after the queue which they are woken by.
func New(opts Options, jobs func() Jobs) (*Queue, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[deliverArgs]) error {
		run := jobs().Deliver
		return settled(run(ctx, ledger.WorkOf(job.Args.Number, job.Args.System)))
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[assignArgs]) error {
		run := jobs().Assign
		if run == nil {
			return nil
		}
		if kick := jobs().Kick; kick != nil { // which of those that are due comes first is not for a job to say
			kick()
			return nil
		}
		return settled(run(ctx, job.Args.ID))
	}))
	client, err := river.NewClient(riverpgxv5.New(opts.Pool), &river.Config{
		Schema: opts.Schema, Workers: workers,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: cmp.Or(opts.Workers, 16)}},
		FetchCooldown:     10 * time.Millisecond,
		FetchPollInterval: 100 * time.Millisecond,
		JobTimeout:        2 * time.Minute, RescueStuckJobsAfter: 3 * time.Minute,
		SoftStopTimeout:             5 * time.Second,
		CompletedJobRetentionPeriod: time.Hour, DiscardedJobRetentionPeriod: time.Hour,
		Logger: opts.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("set River up: %w", err)
	}
	return &Queue{client: client}, nil
}

// settled keeps River from retrying: what failed is found by the tick.
func settled(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return river.JobCancel(err)
}

// Insert wakes reconcilers when the transaction commits: of deliveries, and of
// an assignment unless it is 0.
func (q *Queue) Insert(ctx context.Context, tx pgx.Tx, work []ledger.Work, assignment int64) error {
	params := make([]river.InsertManyParams, 0, len(work)+1)
	for _, w := range work {
		params = append(params, river.InsertManyParams{Args: deliverArgs{V: argsVersion, Number: int64(w.Number), System: string(w.System)}, InsertOpts: &river.InsertOpts{MaxAttempts: 1}})
	}
	if assignment != 0 {
		params = append(params, river.InsertManyParams{Args: assignArgs{V: argsVersion, ID: assignment}, InsertOpts: &river.InsertOpts{MaxAttempts: 1}})
	}
	if len(params) == 0 {
		return nil
	}
	if _, err := q.client.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

// Start begins to work jobs.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("start River: %w", err)
	}
	return nil
}

// Stop finishes the jobs in hand and stops.
func (q *Queue) Stop(ctx context.Context) error {
	if err := q.client.Stop(ctx); err != nil {
		return fmt.Errorf("stop River: %w", err)
	}
	return nil
}
