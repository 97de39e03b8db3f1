package slackapp

import (
	"context"
	"errors"
	"strconv"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// publishHome shows somebody their home tab as it stands now.
func (a *App) publishHome(ctx context.Context, who change.PersonID) {
	v := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: a.homeBlocks(ctx, who)}}
	_, err := a.Slack.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: string(who), View: v})
	if err != nil {
		a.Log.WarnContext(ctx, "a home tab could not be published", "person", string(who), "error", err)
	}
}

func (a *App) homeBlocks(ctx context.Context, who change.PersonID) []slack.Block {
	request := slack.NewButtonBlockElement(actionRequest, "request", plainObject("Request an emergency change", 75))
	head := []slack.Block{
		slack.NewSectionBlock(markupObject("The default is to wait it out: "+linkTo(a.Config.ReleaseURL, "use the release process")+" whenever that is possible."), nil, nil),
		slack.NewActionBlock("request", request),
	}
	if err := a.reader(ctx, who); err != nil {
		if refusedAs(err, change.NotAllowed) {
			return []slack.Block{sectionOf(a.explain(ctx, err))}
		}
		return append(head, sectionOf("Who you are could not be looked up just now. Open this tab again in a moment."))
	}
	o, err := a.overviewOf(ctx, who)
	if err != nil {
		a.Log.WarnContext(ctx, "a home tab could not be filled", "person", string(who), "error", err)
		return append(head, sectionOf("What is open could not be read just now. Open this tab again in a moment."))
	}
	return append(head, homeLists(o)...)
}

func homeLists(o overview) []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(plainObject("Waiting for you", 150))}
	for _, r := range o.waiting[:min(len(o.waiting), rowsShown)] {
		blocks = append(blocks, homeRow(&r.change, r.line()))
	}
	blocks = append(blocks, remainder(len(o.waiting), "Nothing waits for you.", o.more)...)
	blocks = append(blocks, slack.NewHeaderBlock(plainObject("Your changes", 150)))
	for _, c := range o.mine[:min(len(o.mine), rowsShown)] {
		blocks = append(blocks, homeRow(&c, changeLine(&c)))
	}
	return append(blocks, remainder(len(o.mine), "You have no open change.", o.more)...)
}

func homeRow(c *change.Change, line string) slack.Block {
	show := slack.NewButtonBlockElement(actionShow, buttonKey{Number: c.Number}.value(), plainObject("Show", 75))
	return slack.NewSectionBlock(markupObject(line), nil, slack.NewAccessory(show))
}

// remainder says what the rows above leave out.
func remainder(count int, none string, more bool) []slack.Block {
	switch {
	case count == 0:
		return []slack.Block{contextOf(none)}
	case count > rowsShown && more:
		return []slack.Block{contextOf("… and more than " + strconv.Itoa(count-rowsShown) + " others.")}
	case count > rowsShown:
		return []slack.Block{contextOf("… and " + strconv.Itoa(count-rowsShown) + " more.")}
	}
	return nil
}

// homeClick takes a button of the home tab. What it shows is looked up anew.
func (a *App) homeClick(ctx context.Context, i *interaction, act action) {
	if act.ActionID == actionRequest {
		a.openRequest(ctx, i.TriggerID, i.person(), form{})
		return
	}
	err := errForged
	if key, ok := parseKey(act.Value); ok {
		switch act.ActionID {
		case actionShow:
			err = a.showInView(ctx, i, key.Number, 0)
		case actionWriteRecord, actionWriteReview:
			err = a.openForm(ctx, i, act.ActionID, key)
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, errForged):
		a.keep(ctx, change.EventForged, i.person(), change.Facts{"action": clip(act.ActionID, 100), "why": "not a button of the home tab"})
	default:
		a.tell(ctx, i, a.explain(ctx, err))
	}
}
