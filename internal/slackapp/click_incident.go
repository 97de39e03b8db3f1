package slackapp

import (
	"context"
	"errors"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// seeIncident begins to look up what a decision needs to know of the change's
// incident at this moment. The function that it answers waits for that, and gives
// the command with what was seen; with nothing where incident.io did not answer.
func (a *App) seeIncident(ctx context.Context, c *change.Change, cmd change.Command) func() change.Command {
	with := withIncident(c, cmd)
	i := c.Incident
	if with == nil || i == nil || i.Now.ID == "" || i.Refused != "" || a.Lookups.Incidents == nil {
		return func() change.Command { return cmd }
	}
	seen := make(chan *change.Incident, 1)
	go func() {
		answered := (*change.Incident)(nil)
		defer func() { seen <- answered }() // also when the look-up panicked: then nothing was seen
		defer func() { a.recovered(ctx, "the look-up of an incident", recover()) }()
		look, cancel := context.WithTimeout(ctx, lookWithin)
		defer cancel()
		found, err := a.Lookups.Incidents.Incident(look, i.Now.ID)
		if err != nil {
			a.Log.WarnContext(ctx, "the incident of a change could not be looked up", "change", c.Number.String(), "error", err)
			return
		}
		answered = &found
	}()
	return func() change.Command { return with(<-seen) }
}

// withIncident says how a command is told of the incident; nil for one that does
// not ask.
func withIncident(c *change.Change, cmd change.Command) func(*change.Incident) change.Command {
	ask := c.OpenAsk()
	if ask == nil || ask.For != change.ForChange {
		return nil
	}
	switch x := cmd.(type) {
	case change.Approve:
		return func(i *change.Incident) change.Command { x.Incident = i; return x }
	case change.ConfirmCall:
		return func(i *change.Incident) change.Command { x.Incident = i; return x }
	default:
		return nil
	}
}

// seeRequester begins to look up whoever asked for a change, where a witness's word
// may let them approve it by themselves: groups name members who could not be looked
// up, and those may have left. The answer tells the command of it, and refuses where
// it is not known.
func (a *App) seeRequester(ctx context.Context, c *change.Change, cmd change.Command) func(change.Command) (change.Command, error) {
	if _, confirms := cmd.(change.ConfirmCall); !confirms {
		return func(cmd change.Command) (change.Command, error) { return cmd, nil }
	}
	type answer struct {
		departed bool
		err      error
	}
	seen := make(chan answer, 1)
	go func() {
		answered := answer{err: errors.New("the look-up panicked")}
		defer func() { seen <- answered }()
		defer func() { a.recovered(ctx, "the look-up of whoever asked", recover()) }()
		look, cancel := context.WithTimeout(ctx, lookWithin)
		defer cancel()
		p, err := a.People.Person(look, c.Requester)
		if change.OutcomeOf(err) == change.Missing {
			p, err = change.Person{}, nil
		}
		answered = answer{p.Standing != change.Member || p.TeamID != a.Config.TeamID, err}
	}()
	return func(cmd change.Command) (change.Command, error) {
		found := <-seen
		if found.err != nil {
			a.Log.WarnContext(ctx, "whoever asked for a change could not be looked up", "change", c.Number.String(), "error", found.err)
			return nil, turnDown(change.Unestablished, "Whether whoever asked for this is still a member could not be looked up just now, so nothing was changed. Please press again in a moment.")
		}
		if x, confirms := cmd.(change.ConfirmCall); confirms {
			x.Departed = found.departed
			return x, nil
		}
		return cmd, nil
	}
}

// askReason asks an approver why they approve although a record is overdue.
func (a *App) askReason(ctx context.Context, i *interaction, key buttonKey, refused error) error {
	c, err := a.change(ctx, key.Number)
	if err != nil {
		return err
	}
	if _, err := openAsk(&c, key.Ask); err != nil {
		return err
	}
	a.openForClick(ctx, i, reasonForm(&c, key, a.explainPlain(ctx, refused)), sayNotOpened)
	return nil
}

// reasonForm asks for the reason that an approval needs.
func reasonForm(c *change.Change, key buttonKey, because string) slack.ModalViewRequest {
	why := textInput(inputText, inputText, "Why do you approve it all the same?", "", true, false)
	why.Hint = plainObject("The reason is kept with the change, and told to the audit channel.", 2000)
	return about(c, key, callbackApprove, "Approve "+c.Number.String(), "Approve", sectionOf(escaped(because)), why)
}
