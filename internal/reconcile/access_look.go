package reconcile

import (
	"context"
	"errors"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// look asks whether a list shows the assignment.
func (w *accessRun) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	there, err := w.AWS.Assigned(ctx, w.row.Key)
	if change.OutcomeOf(err) == change.Missing && w.nowhere() {
		there, err = false, nil
	}
	if err != nil {
		w.seen = lookFailed
		w.failed(ctx, "list assignments", err)
		return
	}
	w.back = there && absentTwice(w.row) && !w.row.ClearSince.IsZero() && !w.row.WatchUntil.IsZero()
	saw(&w.row, there, w.now)
	w.seen = absent
	if there {
		w.seen = listed
	}
}

// nowhere tells whether that AWS knows no such account or permission set is as good as
// a list that does not show the assignment: nobody wants it, and AWS has deleted it or
// said that there is none. Else it may only be that we may not see it.
func (w *accessRun) nowhere() bool {
	p := planner{w.view}
	return !p.wanted() && !w.row.ClearSince.IsZero() && w.row.OpenCreates == 0 && w.row.Operation == ledger.NoOperation
}

// poll asks how far the operation in flight has come.
func (w *accessRun) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	w.polled = true
	if w.row.Operation == ledger.CreateOperation {
		op, err := w.AWS.CreationStatus(ctx, w.row.RequestID)
		if err != nil {
			w.failed(ctx, "look at a creation", err)
			return
		}
		w.settledCreate(ctx, op)
		return
	}
	op, err := w.AWS.DeletionStatus(ctx, w.row.RequestID)
	if err != nil {
		w.failed(ctx, "look at a deletion", err)
		return
	}
	w.settledDelete(ctx, op)
}

// find looks for requests whose id is not known.
func (w *accessRun) find(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	w.searched = true
	if w.row.Operation == ledger.DeleteOperation {
		ops, err := w.AWS.FindDeletions(ctx, w.row.Key, w.row.SentAt.Add(-searchMargin))
		if err != nil {
			w.failed(ctx, "find deletions", err)
			return
		}
		w.searchOK = true
		// One that has settled may be an earlier one; only a newer look tells.
		for _, op := range ops {
			if op.State == change.OperationInProgress || !op.Created.Before(w.row.SentAt) {
				w.settledDelete(ctx, op)
				w.polled = true
				return
			}
		}
		return
	}
	ops, err := w.AWS.FindCreations(ctx, w.row.Key, searchSince(w.row))
	if err != nil {
		w.failed(ctx, "find creations", err)
		return
	}
	w.searchOK = true
	before := w.row
	adopt(&w.row, ops)
	w.polled = w.row.RequestID != ""
	if w.row.Failure != before.Failure || w.row.Operation != before.Operation || w.row.RequestID != before.RequestID {
		w.Log.InfoContext(ctx, "a request whose reply was lost was found", "assignment", w.row.ID, "operation", string(w.row.Operation))
	}
}

// settledCreate takes in the state of the create in flight.
func (w *accessRun) settledCreate(ctx context.Context, op change.AWSOperation) {
	settleCreate(&w.row, op)
	if op.State == change.OperationFailed {
		w.Log.WarnContext(ctx, "AWS could not give access", "assignment", w.row.ID, "request", op.RequestID, "reason", op.Reason)
	}
	if op.State != change.OperationInProgress {
		w.seen = notLooked // what was seen before is no news any more
	}
}

const sayNotRemoved = "AWS could not take the access away; breakglass keeps trying."

// settledDelete takes in the state of the delete in flight.
func (w *accessRun) settledDelete(ctx context.Context, op change.AWSOperation) {
	if settleDelete(&w.row, op, w.now) {
		w.Log.WarnContext(ctx, "AWS could not take access away", "assignment", w.row.ID, "request", op.RequestID, "reason", op.Reason)
		w.stop, w.after, w.say = true, deletePause, sayNotRemoved
		w.row.Polls = patience
	}
	if op.State != change.OperationInProgress {
		w.seen = notLooked
	}
}

// failed notes that a call brought no answer that helps.
func (w *accessRun) failed(ctx context.Context, call string, err error) {
	if change.CauseOf(err) == change.CauseCrowded {
		w.crowded()
		return
	}
	w.say = change.SayOf(err, "AWS gave no usable answer just now.")
	if outside, ok := errors.AsType[*change.OutsideError](err); ok {
		w.after = outside.RetryAfter
	}
	w.Log.WarnContext(ctx, "AWS did not answer as it should", "assignment", w.row.ID, "call", call, "error", err)
}
