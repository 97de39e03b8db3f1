package slackapp

import (
	"context"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// inputObligation chooses what is waived.
const inputObligation = "obligation"

// shownClicked takes a button of a form that shows a change. The key is read,
// and whoever pressed it is looked up again.
func (a *App) shownClicked(ctx context.Context, i *interaction, act action) error {
	if act.ActionID == actionMore {
		return a.moreClicked(ctx, i, act)
	}
	key, ok := parseKey(act.Value)
	if !ok {
		return errForged
	}
	return a.openForm(ctx, i, act.ActionID, key)
}

// waivable lists what somebody may waive of what a change owes.
func waivable(c *change.Change, v change.GroupView, p change.PersonID) []change.Obligation {
	var all []change.Obligation
	for _, o := range c.Owing() {
		if may, _ := c.MayWaive(v, p, &o); may {
			all = append(all, o)
		}
	}
	return all
}

// waiverBlocks list what was waived, and offer to waive what is owed to whoever
// may.
func waiverBlocks(c *change.Change, viewer change.Actor) []slack.Block {
	var lines []string
	for _, o := range c.Obligations {
		if o.State == change.Waived {
			lines = append(lines, "• "+obligationWords(o)+" – by "+person(o.Proof.By)+", "+moment(o.Done)+": "+oneLine(o.Waiver, 300))
		}
	}
	blocks := paragraphs(headed("Waived", lines))
	if len(waivable(c, viewer.Groups, viewer.ID)) > 0 {
		blocks = append(blocks, slack.NewActionBlock("", button(actionWaive, "Waive", buttonKey{Number: c.Number})))
	}
	return blocks
}

// waiveForm asks what is waived and why. Whoever may waive nothing is told so by
// what the domain says to a waiver of the first thing that is owed.
func waiveForm(c *change.Change, viewer change.Actor, key buttonKey) (slack.ModalViewRequest, error) {
	all := waivable(c, viewer.Groups, viewer.ID)
	if len(all) == 0 {
		return slack.ModalViewRequest{}, nothingToWaive(c, viewer)
	}
	options := make([]*slack.OptionBlockObject, 0, len(all))
	var chosen *slack.OptionBlockObject
	for _, o := range all {
		option := optionOf(obligationValue(o.Name, o.Item), firstUpper(obligationWords(o)))
		options = append(options, option)
		if (o.Name == key.Obligation && o.Item == key.Item) || len(all) == 1 {
			chosen = option
		}
	}
	why := textInput(inputText, inputText, "Why?", "", true, false)
	why.Hint = plainObject("It is told to whoever owes it, and kept in the record and in every report.", 2000)
	return about(c, buttonKey{Number: c.Number}, callbackWaive, "Waive", "Waive",
		selectInput(inputObligation, inputObligation, "What is waived", options, chosen, false), why), nil
}

// nothingToWaive says why somebody may waive nothing of a change.
func nothingToWaive(c *change.Change, viewer change.Actor) error {
	owing := c.Owing()
	switch is, known := c.IsApprover(viewer.Groups, viewer.ID); {
	case len(owing) == 0 || c.Phase.Final():
		return turnDown(change.TooLate, "%s owes nothing that could be waived.", c.Number)
	case c.Own(viewer.ID):
		return turnDown(change.OwnChange, "You asked for this change or made it, so only another approver may waive what it owes.")
	case !is && !known:
		return turnDown(change.Unestablished, "Who may waive this could not be looked up just now, so nothing was changed. Please press again in a moment.")
	case !is:
		return turnDown(change.NotAllowed, "Only the approvers of %s may waive what it owes.", c.Number)
	}
	return turnDown(change.OwnChange, "What %s still owes is yours, so another approver has to waive it.", c.Number)
}

// waiveOf reads the form. What it names is judged by the domain.
func waiveOf(v *shownView) change.Waive {
	name, item, _ := strings.Cut(v.at(inputObligation).option(), "/")
	n, err := strconv.Atoi(item)
	if err != nil {
		n = -1
	}
	return change.Waive{Obligation: change.ObligationName(name), Item: n, Reason: v.text(inputText)}
}

func obligationValue(name change.ObligationName, item int) string {
	return string(name) + "/" + strconv.Itoa(item)
}
