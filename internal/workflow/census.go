package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// FindingDecision is somebody's word about a finding of the census.
type FindingDecision struct {
	Finding int64
	End     bool // the access is to be removed; otherwise it is marked as standing
	Own     bool // the access is the actor's own
}

// lookAfter is when the census looks whether an access that was ended has gone.
const lookAfter = time.Minute

// DecideFinding has the access of a finding ended, or marks it as standing, in one
// transaction with its event in the system chain. An access that is ended becomes
// ours to remove: the ordinary reconciler does so, within its limits. A refusal is
// a *change.Refusal, and is kept in the system chain. A payload that was taken
// before does nothing again.
func (w *Workflow) DecideFinding(ctx context.Context, d FindingDecision, actor change.Actor, opts ...Option) error {
	o := gather(opts)
	var facts change.Facts
	err := w.Ledger.InTx(ctx, func(tx ledger.Tx) error {
		now := ledger.Micro(w.Now())
		if o.payload.ID != "" {
			if first, err := tx.SeenClick(ctx, o.payload.Source, o.payload.ID, 0, now); err != nil || !first {
				return err
			}
		}
		// First the census, then its finding: in the order in which it takes them itself.
		if err := tx.HastenCensus(ctx, w.Rules.InstanceARN, now.Add(lookAfter)); err != nil {
			return err
		}
		f, err := tx.LockFinding(ctx, d.Finding)
		if errors.Is(err, ledger.ErrNotFound) {
			return &change.Refusal{Code: change.BadInput, Say: "There is no such finding."}
		}
		if err != nil {
			return err
		}
		facts = f.Facts()
		if err := f.MayDecide(w.Rules, actor, d.End, d.Own); err != nil {
			return err
		}
		return w.decideFinding(ctx, tx, f, d.End, actor, now)
	})
	if refusal, ok := errors.AsType[*change.Refusal](err); ok && facts != nil {
		facts["code"], facts["end"] = string(refusal.Code), d.End
		if kept := w.Refused(ctx, change.EventCensusRefused, actor.ID, actor.Via, facts); kept != nil {
			w.Log.ErrorContext(ctx, "a refusal could not be written down", "finding", d.Finding, "error", kept)
		}
	}
	if err != nil {
		return fmt.Errorf("decide about finding %d: %w", d.Finding, err)
	}
	return nil
}

func (w *Workflow) decideFinding(ctx context.Context, tx ledger.Tx, f ledger.CensusRow, end bool, actor change.Actor, now time.Time) error {
	wake := Wake{Work: []ledger.Work{{System: change.SystemSlack}}}
	kind := change.EventCensusStanding
	f.State, f.DecidedBy, f.DecidedAt, f.NextLook, f.UnlikeSince = change.FindingStanding, actor.ID, now, time.Time{}, time.Time{}
	f.Version++
	if end {
		kind, f.State, f.NextLook = change.EventCensusEnded, change.FindingEnding, now.Add(lookAfter)
		id, err := tx.TakeOver(ctx, f.Key, now)
		if err != nil {
			return err
		}
		wake.Assignment = id
	} else if err := tx.KeepFound(ctx, f.Key); err != nil {
		return err
	}
	if err := tx.PutFinding(ctx, &f); err != nil {
		return err
	}
	e := change.Event{Type: kind, At: now, Actor: actor.ID, Via: actor.Via, Facts: f.Facts()}
	if err := tx.TellFinding(ctx, f, "", e, now); err != nil {
		return err
	}
	w.Log.InfoContext(ctx, "census", "finding", f.ID, "type", string(kind), "actor", string(actor.ID))
	return w.Waker.Wake(ctx, tx.Tx, wake)
}
