package slackapp

import (
	"context"
	"strconv"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// confirmable tells whether a merge request still waits for somebody's word,
// because no machine can tell.
func confirmable(c *change.Change, people map[change.PersonID]change.Identities, m *change.LinkedMergeRequest) bool {
	return m.Refused == "" && m.Confirmed == "" && !c.Phase.Final() && c.NeedsConfirmation(change.Rules{People: people}, m)
}

// confirmButton is how another person gives their word.
func confirmButton(c *change.Change, m *change.LinkedMergeRequest) *slack.ButtonBlockElement {
	label := "Confirm review"
	if m.Fix {
		label = "Confirm merge"
	}
	return button(actionConfirmReview, label, buttonKey{Number: c.Number, Item: m.Item})
}

// confirmWords says why somebody's word is needed.
func confirmWords(c *change.Change, m *change.LinkedMergeRequest) string {
	switch {
	case !m.Ref.Readable() && m.Fix:
		return "breakglass cannot read it, so somebody who neither asked for the change nor made it has to confirm that it is merged."
	case !m.Ref.Readable():
		return "breakglass cannot read it, so somebody who neither asked for the change nor made it has to confirm that they have reviewed it."
	}
	who := mention(c.Requester)
	if c.Implementer != c.Requester {
		who += " or " + mention(c.Implementer)
	}
	return "It is not known who " + who + " is on " + string(m.Ref.Forge) + ", so besides the approval there somebody else has to confirm the review here."
}

// threaded is an event as a reply to the card. Where a merge request needs
// somebody's word, the button for it stands there.
func (w Words) threaded(c *change.Change, e change.Event) *message {
	reply := threadReply(c, e)
	if reply == nil || e.Type != change.EventMergeRequestLinked {
		return reply
	}
	if m := mergeRequestOf(c, e); m != nil && confirmable(c, w.People, m) {
		reply.small(confirmWords(c, m))
		reply.buttons(confirmButton(c, m))
	}
	return reply
}

// roomForConfirmed is how long the link to a merge request may be beside its button.
const roomForConfirmed = 500

// confirmBlocks offers in a view what the reader may give their word on.
func (a *App) confirmBlocks(c *change.Change, who change.PersonID) []slack.Block {
	if c.Own(who) {
		return nil
	}
	var blocks []slack.Block
	for i := range c.MergeRequests {
		m := &c.MergeRequests[i]
		if !confirmable(c, a.Rules.People, m) {
			continue
		}
		name := mergeRequestName(m)
		if utf8.RuneCountInString(name) > roomForConfirmed { // it is linked to where it is listed
			name = oneLine(m.Ref.String(), roomForName)
		}
		blocks = append(blocks, sectionOf(name+"\n"+confirmWords(c, m)), slack.NewActionBlock("confirm-"+strconv.Itoa(m.Item), confirmButton(c, m)))
	}
	return blocks
}

// confirmInView takes somebody's word that they give where a change is shown. Who
// they are, and whether they may, is looked up now.
func (a *App) confirmInView(ctx context.Context, i *interaction, act action) error {
	key, ok := parseKey(act.Value)
	if !ok {
		return errForged
	}
	if _, _, err := a.readable(ctx, key.Number, i.person(), i.User.TeamID); err != nil {
		return err
	}
	if _, _, err := a.do(ctx, key.Number, change.ConfirmMergeRequest{Item: key.Item}, i.person(), i.User.TeamID, byTrigger(i.TriggerID)); err != nil {
		return err
	}
	return a.showInView(ctx, i, key.Number, 0)
}

// confirmedWords answers whoever has given their word on a message, which stays
// as it is.
func confirmedWords(c *change.Change, key buttonKey) string {
	m := c.MergeRequest(key.Item)
	if m == nil {
		return "Your word was taken."
	}
	if m.Fix {
		return "You have confirmed that " + mergeRequestName(m) + " is merged."
	}
	return "You have confirmed the review of " + mergeRequestName(m) + "."
}
