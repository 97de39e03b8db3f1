package slackapp

import (
	"context"
	"errors"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

const (
	// lookWithin bounds the look-ups of a submission or a decision.
	lookWithin = 1500 * time.Millisecond
	// lessWithin bounds those of what only takes access away, which goes on without them.
	lessWithin = 600 * time.Millisecond
)

// errNoAnswer says that who somebody is could not be looked up.
var errNoAnswer = errors.New("who you are could not be looked up")

// member looks up live who acts, by id and workspace. Whoever is no full member
// of this workspace is refused, and that is written down. It answers errNoAnswer
// when Slack gave none.
func (a *App) member(ctx context.Context, id change.PersonID, teamID string) (change.Person, error) {
	if teamID != "" && teamID != a.Config.TeamID {
		return change.Person{}, a.turnAway(ctx, id, change.Stranger)
	}
	p, err := a.People.Person(ctx, id)
	return a.judged(ctx, id, p, err)
}

// judged takes a look-up's answer as what it means.
func (a *App) judged(ctx context.Context, id change.PersonID, p change.Person, err error) (change.Person, error) {
	if err != nil {
		if change.OutcomeOf(err) == change.Missing {
			return change.Person{}, a.turnAway(ctx, id, change.Stranger)
		}
		a.Log.WarnContext(ctx, "somebody could not be looked up", "person", string(id), "error", err)
		return change.Person{}, errNoAnswer
	}
	if p.Standing == change.Member && p.TeamID != a.Config.TeamID {
		p.Standing = change.Stranger
	}
	if p.Standing != change.Member {
		return change.Person{}, a.turnAway(ctx, id, p.Standing)
	}
	return p, nil
}

func (a *App) turnAway(ctx context.Context, id change.PersonID, s change.Standing) *change.Refusal {
	a.keep(ctx, change.EventTurnedAway, id, change.Facts{"standing": string(s)})
	return turnDown(change.NotAllowed, "Emergency changes are for full members of this workspace; guests, bots, deactivated accounts and people of other workspaces cannot take part.")
}

func sayNoAnswer() *change.Refusal {
	return turnDown(change.Unestablished, "Who you are could not be looked up just now, so nothing was changed. Please press again in a moment.")
}

// lessAccess tells whether a command only takes access away. It never waits for
// a look-up.
func lessAccess(cmd change.Command) bool {
	switch cmd.(type) {
	case change.Finish, change.Withdraw, change.EndNow:
		return true
	default:
		return false
	}
}

// actor establishes who gives a command on a change: who they are and the groups
// that the decision needs, side by side. With less, no answer is no hindrance.
func (a *App) actor(ctx context.Context, id change.PersonID, teamID string, c *change.Change, less bool) (change.Actor, error) {
	within := lookWithin
	if less {
		within = lessWithin
	}
	look, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return a.actorWithin(look, ctx, id, teamID, c, less)
}

// actorWithin is actor, where the look-ups are bounded by look and what is written
// down is not.
func (a *App) actorWithin(look, ctx context.Context, id change.PersonID, teamID string, c *change.Change, less bool) (change.Actor, error) {
	var groups change.GroupView
	var both directory.Looks
	both.Go(func() { groups = a.People.Groups(look, c.GroupsOf(a.Rules)) })
	_, err := a.memberWithin(look, ctx, id, teamID)
	both.Wait()
	if errors.Is(err, errNoAnswer) {
		if !less {
			return change.Actor{}, sayNoAnswer()
		}
		a.Log.WarnContext(ctx, "access is taken away without knowing for certain who asked", "person", string(id), "change", c.Number.String())
		err = nil
	}
	if err != nil {
		return change.Actor{}, err
	}
	return change.Actor{ID: id, Standing: change.Member, Groups: groups, Via: via}, nil
}

// memberWithin is member, where the look-up is bounded by look and what is
// written down is not.
func (a *App) memberWithin(look, ctx context.Context, id change.PersonID, teamID string) (change.Person, error) {
	if teamID != "" && teamID != a.Config.TeamID {
		return a.member(ctx, id, teamID)
	}
	p, err := a.People.Person(look, id)
	return a.judged(ctx, id, p, err)
}

// change reads a change for somebody.
func (a *App) change(ctx context.Context, n change.Number) (change.Change, error) {
	c, err := a.Ledger.Change(ctx, n)
	if errors.Is(err, ledger.ErrNotFound) {
		return c, turnDown(change.NoSuchChange, "There is no %s.", n)
	}
	return c, err
}

// do carries a command out for somebody, after looking up who they are. done is
// false when nothing was altered: the payload had been taken before.
func (a *App) do(ctx context.Context, n change.Number, cmd change.Command, id change.PersonID, teamID string, p payload) (after change.Change, done bool, err error) {
	before, err := a.change(ctx, n)
	if err != nil {
		return before, false, err
	}
	return a.doOn(ctx, &before, cmd, id, teamID, p)
}

// doOn is do, on a change that was read already. It says which groups matter;
// what is decided rests on the change as it is then.
func (a *App) doOn(ctx context.Context, before *change.Change, cmd change.Command, id change.PersonID, teamID string, p payload) (after change.Change, done bool, err error) {
	seen := a.seeIncident(ctx, before, cmd)
	asked := a.seeRequester(ctx, before, cmd)
	actor, err := a.actor(ctx, id, teamID, before, lessAccess(cmd))
	if err != nil {
		return change.Change{}, false, err // what is not known to be theirs is not handed on
	}
	cmd, err = asked(seen())
	if err != nil {
		return change.Change{}, false, err
	}
	after, err = a.Workflow.Do(ctx, before.Number, cmd, actor, p.option())
	return after, err == nil && after.Version > before.Version, err
}
