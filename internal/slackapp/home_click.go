package slackapp

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// homeClick takes a button of the home tab. No message stands behind it, so it
// is a key and nothing more: whoever pressed it is looked up now, and may do
// here what they may do by a command.
func (a *App) homeClick(ctx context.Context, i *interaction, act action) {
	err := a.homeClicked(ctx, i, act)
	switch {
	case err == nil:
	case errors.Is(err, errForged):
		a.Log.WarnContext(ctx, "a click that the home tab could not have made", "person", i.User.ID, "action", act.ActionID)
		a.keep(ctx, change.EventForged, i.person(), change.Facts{"action": clip(act.ActionID, 100), "why": "not a button of the home tab"})
	default:
		a.tell(ctx, i, a.explain(ctx, err))
	}
}

func (a *App) homeClicked(ctx context.Context, i *interaction, act action) error {
	if i.User.TeamID != "" && i.User.TeamID != a.Config.TeamID {
		return a.turnAway(ctx, i.person(), change.Stranger)
	}
	pages := parsePages(i.View.PrivateMetadata)
	switch act.ActionID {
	case actionRequest:
		if !a.openRequest(ctx, i.TriggerID, i.person(), form{}) {
			a.noticeAtHome(ctx, i, "Slack did not open the form in time. Press *Request an emergency change* again, or type `"+escaped(a.Config.Command)+"`.")
		}
		return nil
	case actionHomeOn, actionHomeBack:
		return a.turnHome(ctx, i, act.Value, pages)
	}
	key, ok := parseKey(act.Value)
	if !ok {
		return errForged
	}
	switch act.ActionID {
	case actionShow:
		return a.showInView(ctx, i, key.Number, 0)
	case actionWriteRecord, actionWriteReview, actionLinkMergeRequest:
		return a.openForm(ctx, i, act.ActionID, key)
	case actionSignOff:
		_, _, err := a.do(ctx, key.Number, change.SignOff{}, i.person(), i.User.TeamID, byTrigger(i.TriggerID))
		if err != nil && !a.tellInView(ctx, i, a.explain(ctx, err)) {
			return nil // the home tab, as it is now, says why
		}
		a.refreshHome(ctx, i.person(), pages, "") // if it came too late, too
		return nil
	}
	return errForged
}

// turnHome turns one of the lists to another page: LIST/PAGE.
func (a *App) turnHome(ctx context.Context, i *interaction, value string, pages homePages) error {
	name, number, ok := strings.Cut(value, "/")
	page, err := strconv.Atoi(number)
	if !ok || err != nil || page < 0 || page > homePageLimit || !slices.Contains(homeListNames(), homeList(name)) {
		return errForged
	}
	pages[homeList(name)] = page
	a.refreshHome(ctx, i.person(), pages, "")
	return nil
}
