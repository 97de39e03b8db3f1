package slackapp

import (
	"context"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The inputs of the review's form, named as the fields that refusals are about.
const (
	inputReviewWhat     = string(change.FieldReviewWhat)
	inputReviewStandard = string(change.FieldReviewStandard)
	inputReviewPrevent  = string(change.FieldReviewPrevent)
	inputNoAction       = string(change.FieldNoAction)
	inputRootCause      = string(change.FieldRootCause)

	actionSaveDraft = "save_draft"
	savedBlock      = "saved"
)

func actionInput(row int) string { return string(change.ActionField(row)) }
func ownerInput(row int) string  { return string(change.OwnerField(row)) }
func byInput(row int) string     { return string(change.DueField(row)) }

// reviewForm is the post-incident review, filled in with the draft or with what
// is known. Slack may demand nothing of it, or a half-written one could not be
// saved; what is missing is said when it is submitted.
func reviewForm(c *change.Change, key buttonKey) slack.ModalViewRequest {
	return reviewFormOf(c, key, c.SuggestedReview(), "")
}

func reviewFormOf(c *change.Change, key buttonKey, t change.ReviewText, notice string) slack.ModalViewRequest {
	blocks := []slack.Block{
		textInput(inputReviewWhat, inputReviewWhat, "What happened", t.What, true, true),
		textInput(inputReviewStandard, inputReviewStandard, "Why could the standard process not be used", t.Standard, true, true),
		textInput(inputReviewPrevent, inputReviewPrevent, "What would prevent the same situation", t.Prevent, true, true),
	}
	if c.Plan.RootCause || t.RootCause != "" {
		blocks = append(blocks, textInput(inputRootCause, inputRootCause, "Root-cause analysis", t.RootCause, true, true))
	}
	for row := 1; row <= change.ActionLimit; row++ {
		var action change.Action
		if row <= len(t.Actions) {
			action = t.Actions[row-1]
		}
		blocks = append(blocks, actionRow(row, action)...)
	}
	blocks = append(blocks, textInput(inputNoAction, inputNoAction, "Why is no action needed", t.NoAction, true, true))
	save := slack.NewButtonBlockElement(actionSaveDraft, key.value(), plainObject("Save draft", 75))
	blocks = append(blocks, slack.NewActionBlock("draft", save))
	if notice != "" {
		blocks = append(blocks, slack.NewContextBlock(savedBlock, markupObject(notice)))
	}
	return about(c, key, callbackReview, "Post-incident review", "Submit", blocks...)
}

func actionRow(row int, action change.Action) []slack.Block {
	number := ""
	if row > 1 {
		number = " " + strconv.Itoa(row)
	}
	owner := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, nil, ownerInput(row))
	owner.InitialUser = string(action.Owner)
	by := slack.NewDatePickerBlockElement(byInput(row))
	if !action.Due.IsZero() {
		by.InitialDate = action.Due.UTC().Format(time.DateOnly)
	}
	return []slack.Block{
		textInput(actionInput(row), actionInput(row), "Preventive action"+number, action.What, false, true),
		slack.NewInputBlock(ownerInput(row), plainObject("Owner"+number, 2000), nil, owner).WithOptional(true),
		slack.NewInputBlock(byInput(row), plainObject("Due"+number, 2000), nil, by).WithOptional(true),
	}
}

// reviewOf reads the review's form. A row that was left empty stays where it is, as
// long as one behind it is filled in.
func reviewOf(v *shownView) change.ReviewText {
	t := change.ReviewText{
		What: v.text(inputReviewWhat), Standard: v.text(inputReviewStandard),
		Prevent: v.text(inputReviewPrevent), NoAction: v.text(inputNoAction), RootCause: v.text(inputRootCause),
	}
	rows, last := make([]change.Action, change.ActionLimit), 0
	for row := 1; row <= change.ActionLimit; row++ {
		action := change.Action{What: v.text(actionInput(row)), Owner: change.PersonID(v.at(ownerInput(row)).SelectedUser)}
		if day, err := time.Parse(time.DateOnly, v.at(byInput(row)).SelectedDate); err == nil {
			action.Due = day
		}
		if rows[row-1] = action; !action.Blank() {
			last = row
		}
	}
	if last > 0 {
		t.Actions = rows[:last]
	}
	return t
}

// modalClick takes a button of a form of ours.
func (a *App) modalClick(ctx context.Context, i *interaction, act action) {
	if act.ActionID == actionMore || act.ActionID == actionWaive {
		if err := a.shownClicked(ctx, i, act); err != nil {
			a.tell(ctx, i, a.explain(ctx, err))
		}
		return
	}
	if act.ActionID == actionConfirmReview {
		if err := a.confirmInView(ctx, i, act); err != nil {
			a.tell(ctx, i, a.explain(ctx, err))
		}
		return
	}
	key, ok := parseKey(i.View.PrivateMetadata)
	if act.ActionID != actionSaveDraft || i.View.CallbackID != callbackReview || !ok {
		return
	}
	text := reviewOf(i.View)
	c, _, err := a.do(ctx, key.Number, change.SaveDraft{Text: text}, i.person(), i.User.TeamID, byTrigger(i.TriggerID))
	if err != nil {
		a.tell(ctx, i, a.explain(ctx, err))
		return
	}
	a.update(ctx, i, act, reviewFormOf(&c, key, text, "Draft saved "+moment(a.Now())+"."))
}
