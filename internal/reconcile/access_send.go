package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

const (
	slotPause   = 2 * time.Second  // how long one waits for others' operations to settle
	deletePause = 15 * time.Second // between deletes that AWS refuses

	throttledPause = time.Second // between deletes that AWS throttles
)

// errWanted says that somebody has come to want an access that was about to be
// deleted.
var errWanted = errors.New("wanted again")

// slots is how many creates may be in flight before another is sent. AWS counts
// no deletes.
func (a *Access) slots() int {
	if a.MaxInFlight <= 0 {
		return defaultSlots
	}
	return a.MaxInFlight
}

// begin stores the operation that is about to be sent. It runs in the
// transaction of the last intent.
func (w *accessRun) begin(ctx context.Context, tx ledger.Tx, row ledger.Assignment) error {
	if row.Operation == ledger.CreateOperation {
		if err := tx.TakeSlot(ctx, w.now.Add(-stuckAfter), w.slots()); err != nil {
			return err
		}
	}
	return tx.SaveAssignment(ctx, row)
}

// mayMutate waits for the turn of a create or a delete. It ends the run where AWS
// is busy with the account, or others come first.
func (w *accessRun) mayMutate(ctx context.Context) (_ context.Context, done func(), ok bool) {
	ctx, done, ok = w.turn(ctx)
	if !ok {
		return ctx, done, false
	}
	if d := w.conflicts.wait(w.row.Key.AccountID, w.now); d > 0 {
		w.stop, w.after, w.say = true, d, ""
		return ctx, done, false
	}
	return ctx, done, true
}

// heard takes in what AWS said to a create or a delete. A conflict is for the
// account, and a throttled delete comes again soon: the budget slows everything
// down, so that this row need not fall behind.
func (w *accessRun) heard(err error) {
	cause := change.CauseOf(err)
	pause := w.conflicts.heard(w.row.Key.AccountID, cause == change.CauseConflict, w.now)
	switch {
	case cause == change.CauseConflict:
		w.after = max(w.after, pause)
	case cause == change.CauseThrottled && w.row.Operation == ledger.DeleteOperation && w.after == 0:
		w.after = throttledPause
	}
}

// create commits the duty to revoke, with the operation, when the call's turn has
// come, and then asks AWS.
func (w *accessRun) create(ctx context.Context) error {
	turned, done, ok := w.mayMutate(ctx)
	defer done()
	if !ok {
		return nil
	}
	row := w.row
	row.Operation, row.SentAt, row.RequestID, row.Polls, row.Failure = ledger.CreateOperation, ledger.Micro(w.now), "", 0, ""
	if row.Standing == ledger.StandingUnknown {
		row.Standing, row.ClearSince = ledger.StandingOurs, ledger.Micro(w.now)
	}
	absent := row.AbsentSince
	row.AbsentSince = time.Time{} // looks before a create say nothing of what it brings
	wanting := w.wantedNumbers()
	if len(wanting) == 0 {
		return w.reload(ctx)
	}
	for i, n := range wanting {
		var also []workflow.Option
		if i == len(wanting)-1 {
			also = append(also, workflow.Also(func(tx ledger.Tx) error { return w.begin(ctx, tx, row) }))
		}
		_, err := w.Workflow.Do(ctx, n, change.IntendAccess{}, change.Itself("aws"), also...)
		if again, err := w.notSent(ctx, err); again || err != nil {
			return err
		}
	}
	tries := w.row.Polls
	w.row = row
	call, cancel := context.WithTimeout(turned, callTimeout)
	op, err := w.AWS.Create(call, row.Key, wanting[0].String())
	cancel()
	w.polled, w.searched, w.seen = true, false, notLooked
	if err == nil {
		w.heard(nil)
		w.settledCreate(ctx, op)
		return w.keep(ctx)
	}
	w.failed(ctx, "create assignment", err)
	w.heard(err)
	switch change.OutcomeOf(err) {
	case change.Refused, change.Missing:
		refusedCreate(&w.row, w.say)
		w.say, w.after = "", 0
	case change.NotNow:
		w.row.Polls, w.row.AbsentSince = tries, absent
		unmade(&w.row)
		w.stop = true
	case change.Unknown: // it may have been heard; from now on it is looked for
	}
	if err := w.keep(ctx); err != nil {
		return err
	}
	return w.reload(ctx)
}

// notSent tells what to do when an intent could not be committed: again says
// that the plan has to be made anew.
func (w *accessRun) notSent(ctx context.Context, err error) (again bool, failure error) {
	if _, refused := errors.AsType[*change.Refusal](err); refused || errors.Is(err, errWanted) {
		return true, w.reload(ctx)
	}
	if errors.Is(err, ledger.ErrNoSlot) {
		w.stop, w.after, w.say = true, slotPause, ""
		return true, w.reload(ctx)
	}
	return false, err
}

func (w *accessRun) wantedNumbers() []change.Number {
	p := planner{w.view}
	return p.pick(func(x party) bool { return x.wanted })
}

// remove stores that a delete is about to be sent, when its turn has come and
// unless somebody has come to want the access, and then asks AWS.
func (w *accessRun) remove(ctx context.Context) error {
	turned, done, ok := w.mayMutate(ctx)
	defer done()
	if !ok {
		return nil
	}
	row := w.row
	row.Operation, row.SentAt, row.RequestID, row.Polls = ledger.DeleteOperation, ledger.Micro(w.now), "", 0
	err := w.Ledger.InTx(ctx, func(tx ledger.Tx) error {
		if err := w.begin(ctx, tx, row); err != nil {
			return err
		}
		wanted, err := tx.Wanted(ctx, row.ID, w.now)
		if err == nil && wanted {
			return errWanted
		}
		return err
	})
	if again, err := w.notSent(ctx, err); again || err != nil {
		return err
	}
	tries := w.row.Polls
	w.row = row
	call, cancel := context.WithTimeout(turned, callTimeout)
	op, err := w.AWS.Delete(call, row.Key, w.deleteLabel())
	cancel()
	w.polled, w.searched, w.seen = true, false, notLooked
	if err == nil {
		w.heard(nil)
		w.settledDelete(ctx, op)
		if _, next := plan(w.view); next.do == doRest {
			return nil // it is stored as the row is given back, at once
		}
		return w.keep(ctx)
	}
	w.failed(ctx, "delete assignment", err)
	w.heard(err)
	switch change.OutcomeOf(err) {
	case change.Missing: // no proof while a create is open; that is kept by itself
		noOperation(&w.row)
		cleared(&w.row, ledger.Micro(w.now))
		w.say, w.after = "", 0
	case change.NotNow:
		noOperation(&w.row)
		w.row.Polls, w.stop = tries, true
	case change.Refused:
		noOperation(&w.row)
		w.row.Polls, w.stop, w.after, w.say = patience, true, deletePause, sayNotRemoved
	case change.Unknown: // it may have been heard; from now on it is looked for
	}
	return w.keep(ctx)
}

// deleteLabel names the change whose access is deleted, for CloudTrail.
func (w *accessRun) deleteLabel() string {
	if len(w.parties) == 0 {
		return "removal"
	}
	return w.parties[len(w.parties)-1].number.String()
}

// keep stores what came of a mutation, even when the program is stopping.
func (w *accessRun) keep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	return w.Ledger.SaveAssignment(ctx, w.row)
}
