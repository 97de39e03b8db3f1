package slackapp

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// carries lists the buttons that each kind of message can have.
func carries(kind change.DeliveryKind) []string {
	switch kind {
	case change.DeliverCard:
		return []string{
			actionWithdraw, actionFinish, actionExtend, actionAddNote, actionEndNow, actionLinkRecord, actionShow,
			actionWriteRecord, actionWriteReview, actionAskAgain, actionLinkMergeRequest,
		}
	case change.DeliverAsk:
		return []string{actionApprove, actionDeny, actionChangeDuration, actionShow, actionEndNow, actionOnCall}
	case change.DeliverDirect:
		return []string{
			actionWithdraw, actionFinish, actionExtend, actionAddNote, actionEndNow, actionLinkRecord, actionShow,
			actionWriteRecord, actionWriteReview, actionAskAgain, actionSignOff, actionMarkStanding, actionEndAccess, actionWaive,
			actionLinkMergeRequest,
		}
	case change.DeliverReminder:
		return []string{actionRemindLater, actionWriteRecord, actionWriteReview, actionSignOff, actionAddNote, actionLinkRecord, actionShow, actionLinkMergeRequest}
	case change.DeliverSignOff:
		return []string{actionSignOff, actionShow}
	case change.DeliverAudit:
		return []string{actionMarkStanding, actionEndAccess, actionShow}
	case change.DeliverThread:
		return []string{actionShow, actionConfirmReview}
	default:
		return nil
	}
}

// errForged says that no message of ours could have made a click.
var errForged = errors.New("no message of ours could have made this click")

// click takes a button on a message. The button is believed nothing: who pressed
// it is looked up now, and the message must be one that we posted for that
// change, to that person, with that button.
func (a *App) click(ctx context.Context, i *interaction, act action) {
	err := a.clicked(ctx, i, act)
	switch {
	case err == nil:
	case errors.Is(err, errForged):
		a.Log.WarnContext(ctx, "a click that no message of ours could have made", "person", i.User.ID, "action", act.ActionID)
		a.keep(ctx, change.EventForged, i.person(), change.Facts{"action": clip(act.ActionID, 100), "why": "not a message of ours"})
		a.tell(ctx, i, "This button does not belong to a message that breakglass posted here, so nothing was done. Please use the change's own card.")
	default:
		a.tell(ctx, i, a.explain(ctx, err))
	}
}

func (a *App) clicked(ctx context.Context, i *interaction, act action) error {
	if i.User.TeamID != "" && i.User.TeamID != a.Config.TeamID {
		return a.turnAway(ctx, i.person(), change.Stranger)
	}
	if act.ActionID == actionMore {
		return a.moreClicked(ctx, i, act)
	}
	if act.ActionID == actionFindingEnd || act.ActionID == actionFindingKeep {
		return a.findingClicked(ctx, i, act)
	}
	key, ok := parseKey(act.Value)
	if !ok {
		return errForged
	}
	if i.Container.IsEphemeral { // on what /emergency show answers, which no delivery stands behind
		switch act.ActionID {
		case actionWaive:
			return a.openForm(ctx, i, act.ActionID, key)
		case actionShow:
			return a.showInView(ctx, i, key.Number, 0)
		}
	}
	before, err := a.genuine(ctx, i, act, key)
	if err != nil {
		return err
	}
	return a.press(ctx, i, act.ActionID, key, &before)
}

// genuine checks that a message of ours can have made a click, and answers the
// change that it is about.
func (a *App) genuine(ctx context.Context, i *interaction, act action, key buttonKey) (change.Change, error) {
	p, err := a.posted(ctx, key.Number, messagePlace{channel: i.Container.ChannelID, ts: i.Container.MessageTS, thread: i.Container.ThreadTS})
	if err != nil {
		return p.Change, err
	}
	d := p.Delivery
	if i.Container.ChannelID == "" || !slices.Contains(carries(d.Kind), act.ActionID) || (d.To != "" && d.To != i.person()) {
		return p.Change, errForged
	}
	if !fits(key, act.ActionID, d.Ref) {
		return p.Change, errForged
	}
	return p.Change, nil
}

// fits tells whether a button's key is about what its message is about.
func fits(key buttonKey, name string, ref change.Ref) bool {
	switch name {
	case actionApprove, actionDeny, actionChangeDuration:
		return key.Ask == ref.Ask && ref.Message != change.MessageWitness
	case actionOnCall:
		return key.Ask == ref.Ask && ref.Message == change.MessageWitness
	case actionRemindLater:
		return key.Obligation == ref.Obligation && key.Item == ref.Item
	}
	return true
}

// press does what a button says, for whoever pressed it. before is the change as
// it was a moment ago.
func (a *App) press(ctx context.Context, i *interaction, name string, key buttonKey, before *change.Change) error {
	switch name {
	case actionMarkStanding, actionEndAccess:
		return a.decideStanding(ctx, i, key.Number, name == actionMarkStanding)
	case actionShow:
		return a.showInView(ctx, i, key.Number, 0)
	}
	if cmd := commandOfButton(name, key); cmd != nil {
		after, done, err := a.doOn(ctx, before, cmd, i.person(), i.User.TeamID, byTrigger(i.TriggerID))
		if refusedAs(err, change.ReasonNeeded) {
			return a.askReason(ctx, i, key, err)
		}
		if err != nil {
			a.lookAgain(ctx, key.Number, cmd, err)
			return err
		}
		if _, confirmed := cmd.(change.ConfirmMergeRequest); confirmed && done {
			a.tell(ctx, i, confirmedWords(&after, key))
		}
		if _, finished := cmd.(change.Finish); finished && done && after.Phase == change.Ended {
			a.openForClick(ctx, i, recordForm(&after, key), fmt.Sprintf(sayFinishedOnly, key.Number))
		}
		if _, later := cmd.(change.RemindLater); later && done {
			a.tell(ctx, i, snoozedWords(&after, key))
		}
		return nil
	}
	return a.openForm(ctx, i, name, key)
}

// snoozedWords says when a reminder that was put off comes back: nothing else on
// the screen would show that the button was heard.
func snoozedWords(c *change.Change, key buttonKey) string {
	o := c.Owes(key.Obligation, key.Item)
	if o == nil || o.Snoozed.IsZero() {
		return "You will be reminded later."
	}
	if !o.Snoozed.Before(o.Due) {
		return "You are not reminded again before it is due, " + moment(o.Due) + "."
	}
	return "You will be reminded again " + moment(o.Snoozed) + "."
}

// commandOfButton gives the command of a button that asks nothing more; nil for
// one that opens a form.
func commandOfButton(name string, key buttonKey) change.Command {
	switch name {
	case actionApprove:
		return change.Approve{Ask: key.Ask}
	case actionOnCall:
		return change.ConfirmCall{Ask: key.Ask}
	case actionWithdraw:
		return change.Withdraw{}
	case actionFinish:
		return change.Finish{}
	case actionEndNow:
		return change.EndNow{}
	case actionSignOff:
		return change.SignOff{}
	case actionConfirmReview:
		return change.ConfirmMergeRequest{Item: key.Item}
	case actionRemindLater:
		return change.RemindLater{Obligation: key.Obligation, Item: key.Item}
	}
	return nil
}

// decideStanding marks access that was there before as standing, or has it
// ended. Only the change's approvers may.
func (a *App) decideStanding(ctx context.Context, i *interaction, n change.Number, keep bool) error {
	c, err := a.change(ctx, n)
	if err != nil {
		return err
	}
	actor, err := a.actor(ctx, i.person(), i.User.TeamID, &c, false)
	if err == nil {
		err = c.Cleared(a.Rules, actor.Groups, actor.ID)
	}
	if err != nil {
		return err
	}
	assignment, err := a.Ledger.AssignmentOf(ctx, n)
	if errors.Is(err, ledger.ErrNotFound) {
		return turnDown(change.TooLate, "%s has no access that could have been there before.", n)
	}
	if err != nil {
		return err
	}
	mark := func(tx ledger.Tx) error { return tx.MarkStanding(ctx, assignment.ID, keep, ledger.Micro(a.Now())) }
	_, err = a.Workflow.Do(ctx, n, change.DecideStanding{End: !keep}, actor, workflow.Also(mark))
	if errors.Is(err, ledger.ErrNotFound) {
		return turnDown(change.Decided, "Somebody has decided about this access already, or it is gone.")
	}
	if err != nil {
		return err
	}
	say := "Marked as standing: breakglass leaves this access alone from now on."
	if !keep {
		say = "The access is being removed, as soon as no other change needs it."
	}
	a.tell(ctx, i, say)
	return nil
}
