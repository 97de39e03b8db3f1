package slackapp

import (
	"context"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// openRequest opens the request form, before anything else is done: nothing is
// looked up, and the database is not asked.
func (a *App) openRequest(ctx context.Context, trigger string, me change.PersonID, f form) bool {
	return a.open(ctx, trigger, nil, a.requestForm(f, me, ""))
}

// formChanged shows the inputs that a choice in the request form asks for.
func (a *App) formChanged(ctx context.Context, i *interaction, act action) {
	switch blockName(act.BlockID) {
	case inputReason, inputKind, inputIncident, inputTarget, inputPermissionSet, inputRecord:
	default:
		return
	}
	f := formOf(i.View, a.Rules)
	if reason, ok := a.Rules.Reason(f.Reason); ok && reason.StandardPath {
		a.update(ctx, i, act, a.releaseView())
		if a.firstTime(ctx, "standard_path", i.View.ID) {
			a.keep(ctx, change.EventStandardPath, i.person(), change.Facts{"reason": string(reason.ID)})
		}
		return
	}
	if f.Incident == openIncident {
		a.learnSeverities(ctx)
	}
	a.update(ctx, i, act, a.requestForm(f, i.person(), ""))
}

// update replaces a form on somebody's screen. When it was replaced meanwhile,
// the choice that was made last wins.
func (a *App) update(ctx context.Context, i *interaction, act action, v slack.ModalViewRequest) {
	newest := a.updates.newest(i.View.ID, act.ActionTS, a.Now())
	_, err := a.Slack.UpdateViewContext(ctx, v, "", i.View.Hash, i.View.ID)
	if newest && slackErrorIs(err, "hash_conflict") {
		_, err = a.Slack.UpdateViewContext(ctx, v, "", "", i.View.ID)
	}
	if err != nil {
		a.Log.WarnContext(ctx, "a form could not be updated", "view", i.View.ID, "error", err)
	}
}

// firstTime tells whether a payload that makes no change is taken for the first
// time. When the database does not answer, it counts as that.
func (a *App) firstTime(ctx context.Context, source, id string) bool {
	first := true
	err := a.Ledger.InTx(ctx, func(tx ledger.Tx) (err error) {
		first, err = tx.SeenClick(ctx, source, id, 0, ledger.Micro(a.Now()))
		return err
	})
	if err != nil {
		a.Log.WarnContext(ctx, "a payload could not be remembered", "source", source, "error", err)
		return true
	}
	return first
}

// updates remembers the newest choice that was made in each form lately.
type updates struct {
	mu     sync.Mutex
	last   map[string]string // view id → action_ts
	turned time.Time
}

// updatesKept is how long a form's newest choice is remembered.
const updatesKept = time.Hour

// newest tells whether no later choice in the form is known, and remembers this one.
func (u *updates) newest(view, ts string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil || now.Sub(u.turned) > updatesKept {
		u.last, u.turned = map[string]string{}, now
	}
	if ts < u.last[view] { // ten digits, a point and six: they compare as text
		return false
	}
	u.last[view] = ts
	return true
}
