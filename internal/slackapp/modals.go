package slackapp

import (
	"context"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The forms that buttons open, besides the request form.
const (
	callbackDeny     = "deny_form"
	callbackApprove  = "approve_form"
	callbackDuration = "duration_form"
	callbackExtend   = "extend_form"
	callbackNote     = "note_form"
	callbackLink     = "link_form"
	callbackRecord   = "record_form"
	callbackReview   = "review_form"
	callbackWaive    = "waive_form"
)

// The inputs of these forms, named as the fields that refusals are about.
const (
	inputText    = string(change.FieldText)
	inputDone    = string(change.FieldDone)
	inputNothing = "nothing_changed"
)

// openForm opens the form of a button, for whoever may see the change. Who may
// do what it asks for is checked when it is submitted.
func (a *App) openForm(ctx context.Context, i *interaction, name string, key buttonKey) error {
	c, err := a.change(ctx, key.Number)
	if err != nil {
		return err
	}
	actor, err := a.actor(ctx, i.person(), i.User.TeamID, &c, false)
	if err != nil {
		return err
	}
	if err := c.Cleared(a.Rules, actor.Groups, actor.ID); err != nil {
		return err
	}
	var v slack.ModalViewRequest
	if name == actionWaive {
		v, err = waiveForm(&c, actor, key)
	} else {
		v, err = a.formFor(&c, name, key, i)
	}
	if err != nil {
		return err
	}
	a.openForClick(ctx, i, v, sayNotOpened)
	return nil
}

// formFor renders the form of a button, or says why there is no point in it any
// more.
func (a *App) formFor(c *change.Change, name string, key buttonKey, i *interaction) (slack.ModalViewRequest, error) {
	none := slack.ModalViewRequest{}
	switch name {
	case actionDeny, actionChangeDuration:
		ask, err := openAsk(c, key.Ask)
		if err != nil {
			return none, err
		}
		if name == actionDeny {
			return denyForm(c, key), nil
		}
		return durationForm(c, ask, key)
	case actionExtend:
		if c.Phase != change.Active || c.Access == nil {
			return none, turnDown(change.TooLate, "%s is not active with access of its own, so there is nothing to extend.", c.Number)
		}
		return extendForm(c, key)
	case actionAddNote:
		return noteForm(c, key), nil
	case actionLinkRecord:
		return linkForm(c, key), nil
	case actionLinkMergeRequest:
		return mergeRequestForm(c, key, ""), nil
	case actionWriteRecord:
		return recordForm(c, key), nil
	case actionWriteReview:
		if !c.Review.Submitted.IsZero() {
			return none, &change.Refusal{Code: change.Decided, Say: "The review of " + c.Number.String() + " has been submitted already.", By: c.Review.By, At: c.Review.Submitted}
		}
		return reviewForm(c, key), nil
	case actionAskAgain:
		if !c.Own(i.person()) {
			return none, turnDown(change.NotAllowed, "Only whoever asked for this change may ask again; the command opens an empty form.")
		}
		return a.requestForm(formAgain(c, i.Container.ChannelID), i.person(), ""), nil
	}
	return none, errForged
}

// openAsk finds the question that a button belongs to, or says who has answered it.
func openAsk(c *change.Change, id int) (*change.Ask, error) {
	if ask := c.OpenAsk(); ask != nil && ask.ID == id {
		return ask, nil
	}
	for _, ask := range c.Asks {
		if ask.ID != id {
			continue
		}
		r := turnDown(change.TooLate, "%s: this was %s already.", c.Number, ask.Result)
		if n := len(ask.Decisions); n > 0 && (ask.Result == change.AskApproved || ask.Result == change.AskDenied) {
			r.Code, r.By, r.At = change.Decided, ask.Decisions[n-1].By, ask.Decisions[n-1].At
		}
		return nil, r
	}
	return nil, turnDown(change.TooLate, "This button belongs to a question that %s never asked.", c.Number)
}

// about is a form about a change.
func about(c *change.Change, key buttonKey, callback, title, submit string, blocks ...slack.Block) slack.ModalViewRequest {
	head := contextOf("*" + c.Number.String() + "* – " + oneLine(c.What, 200))
	v := modal(title, submit, append([]slack.Block{head}, blocks...)...)
	v.CallbackID, v.PrivateMetadata = callback, key.value()
	return v
}

func denyForm(c *change.Change, key buttonKey) slack.ModalViewRequest {
	why := textInput(inputText, inputText, "Why?", "", true, false)
	why.Hint = plainObject("The requester is told.", 2000)
	return about(c, key, callbackDeny, "Deny", "Deny", why)
}

func durationForm(c *change.Change, ask *change.Ask, key buttonKey) (slack.ModalViewRequest, error) {
	var shorter []time.Duration
	for _, d := range c.Plan.Durations {
		if d < ask.Duration {
			shorter = append(shorter, d)
		}
	}
	if len(shorter) == 0 {
		return slack.ModalViewRequest{}, turnDown(change.BadInput, "%s is the shortest duration there is; approve or deny it.", change.ShortDuration(ask.Duration))
	}
	return about(c, key, callbackDuration, "Change duration", "Change",
		selectInput(inputDuration, inputDuration, "For how long", durationOptions(shorter), nil, false),
		contextOf("Asked for: "+change.ShortDuration(ask.Duration)+". It can only be made shorter, and still has to be approved.")), nil
}

func extendForm(c *change.Change, key buttonKey) (slack.ModalViewRequest, error) {
	fit := c.Extensions()
	if len(fit) == 0 {
		return slack.ModalViewRequest{}, turnDown(change.BadInput, "%s cannot be extended any further; ask for a new change.", c.Number)
	}
	options := durationOptions(fit)
	return about(c, key, callbackExtend, "Extend", "Ask",
		selectInput(inputDuration, inputDuration, "For how much longer", options, options[0], false),
		textInput(inputWhy, inputWhy, "Why?", "", true, true)), nil
}

func noteForm(c *change.Change, key buttonKey) slack.ModalViewRequest {
	return about(c, key, callbackNote, "Add note", "Add", textInput(inputText, inputText, "Note", "", true, false))
}

func linkForm(c *change.Change, key buttonKey) slack.ModalViewRequest {
	link := textInput(inputText, inputText, "Link", "", false, false)
	link.Hint = plainObject("A Jira key or ticket, an incident's reference or address, a merge or pull request", 2000)
	blocks := []slack.Block{link}
	if c.Plan.PermanentFix { // asked of merge requests only
		blocks = append(blocks, fixInput(true))
	}
	return about(c, key, callbackLink, "Link record", "Link", blocks...)
}

// recordForm asks what was done and why, filled in from what was planned.
func recordForm(c *change.Change, key buttonKey) slack.ModalViewRequest {
	done, why := c.Record.Done, c.Record.Why
	if c.Record.Revision == 0 {
		done, why = c.What, c.Why
	}
	// Neither may be demanded by Slack: nothing may have been changed.
	nothing := slack.NewCheckboxGroupsBlockElement(inputNothing, optionOf(inputNothing, "Nothing was changed"))
	if c.Record.NothingChanged {
		nothing.InitialOptions = nothing.Options
	}
	return about(c, key, callbackRecord, "Write record", "Save",
		textInput(inputDone, inputDone, "What was done", done, true, true),
		textInput(inputWhy, inputWhy, "Why", why, true, true),
		slack.NewInputBlock(inputNothing, plainObject("Nothing was changed", 2000), nil, nothing).WithOptional(true))
}

// formAgain is the request form filled in from a change that came to nothing.
func formAgain(c *change.Change, channel string) form {
	f := form{
		formMeta: formMeta{Channel: channel, Again: c.Number}, Reason: c.Reason, Kind: c.Kind, What: c.What, Why: c.Why,
		Choice: c.Record.Choice, Answers: map[change.QuestionID]string{}, IncidentSeen: true,
	}
	for _, answer := range c.Answers {
		f.Answers[answer.Question] = answer.Text
	}
	if c.Access != nil {
		f.Target, f.Set, f.Duration = c.Access.Target, c.Access.PermissionSet, c.Access.Asked
	}
	if i := c.Incident; i != nil && i.Opening != nil && i.Now.ID == "" {
		f.Incident, f.Name, f.Severity, f.SeverityText = openIncident, i.Opening.Name, i.Opening.SeverityID, i.Opening.Severity
	} else if i != nil && !i.Now.Private {
		f.Incident, f.IncidentText = i.Now.ID, incidentLine(i.Now)
	}
	f.MergeRequests = workingAddresses(c)
	if c.Ticket != nil && !c.Ticket.Ours {
		f.Ticket = c.Ticket.Key
	}
	return f
}

// submitted gives the command of a submitted form.
type submitted func(ctx context.Context, a *App, i *interaction, key buttonKey) (change.Command, error)

// submissions finds the command of a submitted form by its callback id.
func submissions() map[string]submitted {
	return map[string]submitted{
		callbackDeny: func(_ context.Context, _ *App, i *interaction, key buttonKey) (change.Command, error) {
			return change.Deny{Ask: key.Ask, Reason: i.View.text(inputText)}, nil
		},
		callbackApprove: func(_ context.Context, _ *App, i *interaction, key buttonKey) (change.Command, error) {
			return change.Approve{Ask: key.Ask, Reason: i.View.text(inputText)}, nil
		},
		callbackDuration: func(_ context.Context, _ *App, i *interaction, key buttonKey) (change.Command, error) {
			return change.ChangeDuration{Ask: key.Ask, Duration: durationOf(i.View.at(inputDuration).option())}, nil
		},
		callbackExtend: func(_ context.Context, _ *App, i *interaction, _ buttonKey) (change.Command, error) {
			return change.Extend{Duration: durationOf(i.View.at(inputDuration).option()), Why: i.View.text(inputWhy)}, nil
		},
		callbackNote: func(_ context.Context, _ *App, i *interaction, _ buttonKey) (change.Command, error) {
			return change.AddNote{Text: i.View.text(inputText)}, nil
		},
		callbackLink: func(ctx context.Context, a *App, i *interaction, key buttonKey) (change.Command, error) {
			return a.linkFormSubmitted(ctx, i, key)
		},
		callbackMergeRequest: func(ctx context.Context, a *App, i *interaction, key buttonKey) (change.Command, error) {
			return a.mergeRequestSubmitted(ctx, i, key)
		},
		callbackRecord: func(_ context.Context, _ *App, i *interaction, _ buttonKey) (change.Command, error) {
			return change.WriteRecord{Done: i.View.text(inputDone), Why: i.View.text(inputWhy), NothingChanged: len(i.View.at(inputNothing).SelectedOptions) > 0}, nil
		},
		callbackWaive: func(_ context.Context, _ *App, i *interaction, _ buttonKey) (change.Command, error) {
			return waiveOf(i.View), nil
		},
		callbackReview: func(_ context.Context, _ *App, i *interaction, _ buttonKey) (change.Command, error) {
			return change.SubmitReview{Text: reviewOf(i.View)}, nil
		},
	}
}

// at gives what stands in an input whose block is named as it is.
func (v *shownView) at(input string) typed { return v.State.Values[input][input] }

func (v *shownView) text(input string) string { return v.at(input).Value }
