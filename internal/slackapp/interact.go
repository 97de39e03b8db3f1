package slackapp

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// typeSearch is a search in a list whose options we are asked for.
const typeSearch = "block_suggestion"

// interact finds what an interaction is for.
func (a *App) interact(ctx context.Context, i *interaction) reply {
	switch i.Type {
	case "block_actions":
		a.blockAction(ctx, i)
		return accepted()
	case "view_submission":
		return a.submission(ctx, i)
	case typeSearch:
		if i.User.TeamID != "" && i.User.TeamID != a.Config.TeamID {
			return reply{200, map[string]any{"options": []any{}}}
		}
		return reply{200, a.suggest(ctx, i)}
	default: // a closed form, a shortcut: nothing to do
		return accepted()
	}
}

// blockAction takes a click or a choice: in a form of ours, on the home tab, or
// on a message.
func (a *App) blockAction(ctx context.Context, i *interaction) {
	act, ok := i.pressed()
	if !ok {
		return
	}
	switch {
	case i.View != nil && i.View.Type == "home":
		a.homeClick(ctx, i, act)
	case i.View != nil && i.View.CallbackID == callbackRequest:
		a.formChanged(ctx, i, act)
	case i.View != nil:
		a.modalClick(ctx, i, act)
	case act.Type == "button":
		a.click(ctx, i, act)
	}
}

// submission takes a form.
func (a *App) submission(ctx context.Context, i *interaction) reply {
	if i.View == nil {
		return accepted()
	}
	if i.View.CallbackID == callbackRequest {
		return a.submitRequest(ctx, i)
	}
	take, ok := submissions()[i.View.CallbackID]
	key, valid := parseKey(i.View.PrivateMetadata)
	if !ok || !valid {
		a.keep(ctx, change.EventForged, i.person(), change.Facts{"why": "a form of no change"})
		return a.refused(ctx, i.View, turnDown(change.BadInput, "This form belongs to no change, so nothing was done. Please open it anew."))
	}
	cmd, err := take(ctx, a, i, key)
	if err == nil {
		_, _, err = a.do(ctx, key.Number, cmd, i.person(), i.User.TeamID, byView(i.View))
	}
	if err != nil {
		return a.refused(ctx, i.View, err)
	}
	a.refreshHome(ctx, i.person(), nil, "") // the form may have been opened there
	if i.View.CallbackID == callbackWaive {
		// The view below it may still say that it is owed.
		return reply{200, map[string]any{"response_action": "clear"}}
	}
	return accepted()
}

// event takes an event of the Events API.
func (a *App) event(ctx context.Context, e outerEvent) reply {
	switch e.Event.Type {
	case "app_home_opened":
		if e.Event.Tab == "" || e.Event.Tab == "home" {
			a.publishHome(ctx, change.PersonID(e.Event.User), nil, "")
		}
	case "app_mention":
		if a.firstTime(ctx, "event", e.EventID) {
			a.answerMention(ctx, e)
		}
	}
	return accepted()
}

// answerMention answers a mention with the help, in the mention's thread.
func (a *App) answerMention(ctx context.Context, e outerEvent) {
	thread := e.Event.ThreadTS
	if thread == "" {
		thread = e.Event.TS
	}
	_, _, err := a.Slack.PostMessageContext(ctx, e.Event.Channel, slack.MsgOptionText(a.help(), false),
		slack.MsgOptionTS(thread), slack.MsgOptionDisableLinkUnfurl())
	if err != nil {
		a.Log.WarnContext(ctx, "a mention could not be answered", "error", err)
	}
}
