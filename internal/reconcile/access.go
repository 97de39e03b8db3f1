package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/crashpoint"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// AWS is Identity Center. Every failure is a *change.OutsideError; a create or a
// delete is sent at most once by each call.
type AWS interface {
	// Turn waits until a call may be made, the most urgent first, as ctx says, but no
	// longer than within. The next call in the context that it answers is made at once;
	// done is called after it.
	Turn(ctx context.Context, within time.Duration) (_ context.Context, done func(), err error)
	// Assigned tells whether a list shows the assignment. Lists lag.
	Assigned(ctx context.Context, key change.AssignmentKey) (bool, error)
	// Create and Delete ask for an operation. label goes into CloudTrail.
	Create(ctx context.Context, key change.AssignmentKey, label string) (change.AWSOperation, error)
	Delete(ctx context.Context, key change.AssignmentKey, label string) (change.AWSOperation, error)
	// CreationStatus and DeletionStatus tell how far an operation has come.
	CreationStatus(ctx context.Context, requestID string) (change.AWSOperation, error)
	DeletionStatus(ctx context.Context, requestID string) (change.AWSOperation, error)
	// FindCreations and FindDeletions list the requests for exactly this assignment
	// that AWS accepted at since or later, oldest first.
	FindCreations(ctx context.Context, key change.AssignmentKey, since time.Time) ([]change.AWSOperation, error)
	FindDeletions(ctx context.Context, key change.AssignmentKey, since time.Time) ([]change.AWSOperation, error)
	// SessionDuration is how long a session of a permission set lives.
	SessionDuration(ctx context.Context, permissionSetARN string) (time.Duration, error)
}

// Access makes AWS agree with what the ledger says about assignments: made when
// a grant wants one, removed when none does, and never touched when it was there
// before. All its fields but MaxInFlight are needed.
type Access struct {
	Ledger      *ledger.Ledger
	Workflow    *workflow.Workflow
	AWS         AWS
	MaxInFlight int // creates under way at once, of all replicas together; zero: 8
	Now         func() time.Time
	Nonce       func() string // unique each time; marks claims
	Log         *slog.Logger

	sessions  sync.Map // permission set ARN to time.Duration
	conflicts conflicts
}

const (
	callTimeout  = 30 * time.Second // of one call to AWS
	runFor       = time.Minute      // a run gives its claim back well before the lease is over
	maxSteps     = 24               // of one run
	defaultSlots = 8
)

// Due lists the assignments that have something to be done, those to be removed
// first, at most limit.
func (a *Access) Due(ctx context.Context, limit int) ([]int64, error) {
	return a.Ledger.DueAssignments(ctx, a.Now(), limit)
}

// Work takes one assignment as far as it goes without waiting. That AWS fails is
// stored with the assignment and is no error here; an error means that the ledger
// did not answer. It does nothing when the assignment is not due, or somebody
// else works on it.
func (a *Access) Work(ctx context.Context, id int64) error {
	ctx = crashpoint.Doing(ctx, "access")
	now, mark := a.Now(), a.Nonce()
	row, err := a.Ledger.ClaimAssignment(ctx, id, now, now.Add(lease), mark)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil && mayHaveClaimed(err) {
		err = errors.Join(err, giveBack(ctx, func(ctx context.Context) error { return a.Ledger.UnclaimAssignment(ctx, id, mark) }))
	}
	if err != nil {
		return err
	}
	w := &accessRun{Access: a, began: now, view: view{row: row, now: now}}
	err = w.run(ctx)
	if errors.Is(err, ledger.ErrClaimLost) {
		a.Log.WarnContext(ctx, "an assignment was taken over; what was seen of it is thrown away", "assignment", id)
		return nil
	}
	if err != nil {
		return fmt.Errorf("assignment %d: %w", id, errors.Join(err, w.giveBack(ctx)))
	}
	return nil
}

// giveBack lets the assignment go on soon when the ledger could not store what
// came of the run: what AWS was asked for is looked for.
func (w *accessRun) giveBack(ctx context.Context) error {
	return giveBack(ctx, func(ctx context.Context) error {
		return w.Ledger.GiveBackAssignment(ctx, w.row, w.Now().Add(failedPause))
	})
}

// failedPause is how long an assignment waits after the ledger has failed.
const failedPause = 2 * time.Second

// accessRun is one run of Work on a claimed assignment.
type accessRun struct {
	*Access
	view
	grants []ledger.Grant
	began  time.Time
}

func (w *accessRun) run(ctx context.Context) error {
	if err := w.reload(ctx); err != nil {
		return err
	}
	for range maxSteps {
		w.now = w.Now()
		if ctx.Err() != nil || w.now.Sub(w.began) > runFor {
			break
		}
		var s step
		w.row, s = plan(w.view)
		if s.do == doRest {
			return w.rest(ctx, s.next)
		}
		w.Log.DebugContext(ctx, "access", "assignment", w.row.ID, "step", string(s.do))
		if err := w.take(ctx, s); err != nil {
			return err
		}
	}
	return w.release(ctx, w.Now().Add(time.Second))
}

func (w *accessRun) take(ctx context.Context, s step) error {
	ctx = change.WithUrgency(ctx, w.urgency(s.do))
	switch s.do {
	case doLook:
		w.look(ctx)
	case doPoll:
		w.poll(ctx)
	case doFind:
		w.find(ctx)
	case doCreate:
		return w.create(ctx)
	case doDelete:
		return w.remove(ctx)
	case doVerify:
		return w.tellVerified(ctx, s)
	case doGone:
		return w.tellGone(ctx, s)
	case doFail:
		return w.tellFailed(ctx, s)
	case doLate:
		return w.tellLate(ctx, s)
	case doBack:
		return w.tellBack(ctx)
	case doRest:
	}
	return nil
}

// reload reads who wants the assignment now.
func (w *accessRun) reload(ctx context.Context) error {
	grants, changes, err := w.Ledger.Parties(ctx, w.row.ID)
	if err != nil {
		return err
	}
	w.grants, w.parties = grants, make([]party, len(grants))
	for i, g := range grants {
		c := changes[i]
		x := party{number: g.Number, wanted: g.Wanted, phase: c.Phase, ended: c.AccessEnd()}
		if !g.Until.IsZero() { // else an older version made it, and the clock ends it
			x.until = c.AccessUntil()
			x.wanted = g.Wanted && (c.WantedAt(w.now) || w.now.Before(g.Until))
			if x.ended.IsZero() && !x.wanted {
				x.ended = x.until
			}
		}
		if acc := c.Access; acc != nil {
			x.intended, x.verified, x.late = !acc.IntendedAt.IsZero(), !acc.VerifiedAt.IsZero(), !acc.LateAt.IsZero()
			x.already = acc.AlreadyThere != nil && *acc.AlreadyThere
			x.trouble = acc.Trouble
		}
		w.parties[i] = x
	}
	return nil
}

// rest tells what is waited for, and gives the row back.
func (w *accessRun) rest(ctx context.Context, next time.Time) error {
	told := w.pickTroubled()
	if len(told) > 0 {
		if err := w.tellAll(ctx, told, change.AccessTrouble{Say: w.row.Trouble}); err != nil {
			return err
		}
	}
	return w.release(ctx, next)
}

func (w *accessRun) pickTroubled() []change.Number {
	p := planner{w.view}
	return p.pick(func(x party) bool { return x.trouble != w.row.Trouble })
}

// release gives the row back, even when the program is stopping. Whoever wants the
// access no longer than until some time has it looked at then, so that its end does not
// wait for the clock to come to the change.
func (w *accessRun) release(ctx context.Context, next time.Time) error {
	for _, x := range w.parties {
		if x.wanted && !x.until.IsZero() && (next.IsZero() || x.until.Before(next)) {
			next = x.until
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	return w.Ledger.ReleaseAssignment(ctx, w.row, w.grants, w.Now(), next)
}
