package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// tell gives a change a command of ours. That it has moved on meanwhile is fine.
func (w *accessRun) tell(ctx context.Context, n change.Number, cmd change.Command, opts ...workflow.Option) error {
	_, err := w.Workflow.Do(ctx, n, cmd, change.Itself("aws"), opts...)
	if _, refused := errors.AsType[*change.Refusal](err); refused {
		return nil
	}
	return err
}

// tellAll gives the same command to each, and reads anew who wants what.
func (w *accessRun) tellAll(ctx context.Context, who []change.Number, cmd change.Command) error {
	for _, n := range who {
		if err := w.tell(ctx, n, cmd); err != nil {
			return err
		}
	}
	return w.reload(ctx)
}

// tellVerified says that a list shows the access. Where it is ours, the duty to
// revoke it is each change's own, and comes first.
func (w *accessRun) tellVerified(ctx context.Context, s step) error {
	for _, n := range s.who {
		if !s.standing {
			if err := w.tell(ctx, n, change.IntendAccess{}); err != nil {
				return err
			}
		}
		if err := w.tell(ctx, n, change.AccessVerified{Standing: s.standing}); err != nil {
			return err
		}
	}
	return w.reload(ctx)
}

// tellGone says that nothing is left of a change's access, or that it is not for
// us to remove.
func (w *accessRun) tellGone(ctx context.Context, s step) error {
	gone := change.AccessGone{Held: s.held}
	if !s.held && w.row.Standing == ledger.StandingOurs {
		if gone.Sessions = w.session(ctx); w.stop {
			return nil // others come first; it is told when that is known
		}
	}
	if err := w.end(ctx, s.who); err != nil {
		return err
	}
	return w.tellAll(ctx, s.who, gone)
}

// tellLate says that access should have been gone for change.LateAfter.
func (w *accessRun) tellLate(ctx context.Context, s step) error {
	if err := w.end(ctx, s.who); err != nil {
		return err
	}
	return w.tellAll(ctx, s.who, change.AccessLate{})
}

// end ends the changes whose time is over and to which the clock may not have come.
func (w *accessRun) end(ctx context.Context, who []change.Number) error {
	for _, x := range w.parties {
		if x.phase == change.Active && slices.Contains(who, x.number) {
			if _, err := w.Workflow.Do(ctx, x.number, change.Tick{}, change.Itself("clock")); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellFailed says that AWS refused the access and shows none.
func (w *accessRun) tellFailed(ctx context.Context, s step) error {
	say := w.row.Failure
	w.row.Failure = ""
	return w.tellAll(ctx, s.who, change.AccessFailed{Say: say})
}

// tellBack says, in one transaction with the row, that what was gone is listed
// again.
func (w *accessRun) tellBack(ctx context.Context) error {
	w.back = false
	n, err := w.Ledger.LastGranted(ctx, w.row.ID)
	if errors.Is(err, ledger.ErrNotFound) {
		return w.Ledger.SaveAssignment(ctx, w.row)
	}
	if err != nil {
		return err
	}
	row := w.row
	err = w.tell(ctx, n, change.AccessBack{}, workflow.Also(func(tx ledger.Tx) error { return tx.SaveAssignment(ctx, row) }))
	if err != nil {
		return err
	}
	return w.reload(ctx)
}

// session is how long a session of the permission set lives; zero when AWS does
// not say.
func (w *accessRun) session(ctx context.Context) time.Duration {
	arn := w.row.Key.PermissionSetARN
	if known, ok := w.sessions.Load(arn); ok {
		d, _ := known.(time.Duration)
		return d
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	d, err := w.AWS.SessionDuration(call, arn)
	if change.CauseOf(err) == change.CauseCrowded {
		w.crowded()
		return 0
	}
	if err != nil {
		w.Log.WarnContext(ctx, "how long sessions live could not be looked up", "permission_set", arn, "error", err)
		return 0
	}
	w.sessions.Store(arn, d)
	return d
}
