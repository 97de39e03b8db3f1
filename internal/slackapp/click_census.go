package slackapp

import (
	"context"
	"errors"
	"strconv"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

// The action ids of a finding's buttons. Their value is the finding's id.
const (
	actionFindingEnd  = "finding_end"
	actionFindingKeep = "finding_keep"
)

// findingClicked takes a button of a finding of the census. It is believed only on
// the message that was posted for that finding; who pressed it is looked up now.
func (a *App) findingClicked(ctx context.Context, i *interaction, act action) error {
	id, err := strconv.ParseInt(act.Value, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != act.Value || i.Container.ChannelID == "" {
		return errForged
	}
	p, err := a.posted(ctx, 0, messagePlace{channel: i.Container.ChannelID, ts: i.Container.MessageTS, thread: i.Container.ThreadTS})
	if err != nil {
		return err
	}
	if p.Delivery.Kind != change.DeliverFinding || p.Delivery.Key != act.Value {
		return errForged
	}
	end := act.ActionID == actionFindingEnd
	actor, own, err := a.findingActor(ctx, i, id, end)
	if err != nil {
		return err
	}
	if err := a.Workflow.DecideFinding(ctx, workflow.FindingDecision{Finding: id, End: end, Own: own}, actor, byTrigger(i.TriggerID).option()); err != nil {
		return err
	}
	say := "Marked as standing: breakglass leaves this access alone and does not tell of it again."
	if end {
		say = "The access is being removed. You hear here when AWS verifiably lists it no more."
	}
	a.tell(ctx, i, say)
	return nil
}

// findingActor looks up live who pressed a finding's button: whether they are of
// `roles.cto`, and, where they would keep an access, whether it is their own.
func (a *App) findingActor(ctx context.Context, i *interaction, finding int64, end bool) (actor change.Actor, own bool, err error) {
	look, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var groups change.GroupView
	var both directory.Looks
	both.Go(func() { groups = a.People.Groups(look, a.Rules.Roles.CTO) })
	p, err := a.memberWithin(look, ctx, i.person(), i.User.TeamID)
	both.Wait()
	if err != nil {
		if errors.Is(err, errNoAnswer) {
			err = sayNoAnswer()
		}
		return actor, false, err
	}
	actor = change.Actor{ID: i.person(), Standing: change.Member, Groups: groups, Via: via}
	if is, _ := groups.Has(actor.ID, a.Rules.Roles.CTO...); end || !is || a.Lookups.Person == nil {
		return actor, false, nil
	}
	f, err := a.Ledger.CensusFinding(ctx, finding)
	if err != nil {
		return actor, false, err
	}
	user, err := a.awsUser(look, p)
	if err != nil && definite(err, "there is none") == "" {
		return actor, false, turnDown(change.Unestablished, "Whether this is your own access could not be looked up just now, so nothing was changed. Please press again in a moment.")
	}
	return actor, user.ID == f.Key.UserID, nil
}
