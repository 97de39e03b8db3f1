package slackapp

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// actionMore turns to an older page of the timeline. It stands on what only one
// person sees, and its key is the change and the event before which to look.
const actionMore = "more"

const (
	// timelinePage is how many events are shown at a time.
	timelinePage = 15
	// eventsRead bounds how many events of one change are read for its timeline.
	eventsRead = 2000
)

// readable reads a change for somebody who may see it.
func (a *App) readable(ctx context.Context, n change.Number, who change.PersonID, teamID string) (change.Change, change.Actor, error) {
	c, err := a.change(ctx, n)
	if err != nil {
		return change.Change{}, change.Actor{}, err
	}
	actor, err := a.actor(ctx, who, teamID, &c, false)
	if err == nil {
		err = c.Cleared(a.Rules, actor.Groups, who)
	}
	if err != nil {
		return change.Change{}, change.Actor{}, err
	}
	return c, actor, nil
}

// showCommand answers /emergency show.
func (a *App) showCommand(ctx context.Context, c command, n change.Number, _ string) (ephemeral, error) {
	shown, actor, err := a.readable(ctx, n, change.PersonID(c.UserID), "")
	if err != nil {
		return ephemeral{}, err
	}
	blocks, err := a.detail(ctx, &shown, actor, 0)
	text := n.String() + " – " + string(shown.Phase)
	if shown.Confidential {
		text = secretWords(&shown)
	}
	return withBlocks(text, blocks...), err
}

// showInView shows a change in a form of its own.
func (a *App) showInView(ctx context.Context, i *interaction, n change.Number, before int64) error {
	c, actor, err := a.readable(ctx, n, i.person(), i.User.TeamID)
	if err != nil {
		return err
	}
	blocks, err := a.detail(ctx, &c, actor, before)
	if err != nil {
		return err
	}
	v := modal(n.String(), "", append(blocks, a.confirmBlocks(&c, i.person())...)...)
	if i.View != nil && i.View.Type == "modal" {
		act, _ := i.pressed()
		a.update(ctx, i, act, v)
		return nil
	}
	a.openForClick(ctx, i, v, sayNotOpened)
	return nil
}

// moreClicked turns the page of a timeline. The key is read, and whoever asks is
// looked up again.
func (a *App) moreClicked(ctx context.Context, i *interaction, act action) error {
	number, seq, ok := strings.Cut(act.Value, "/")
	n, errN := strconv.ParseInt(number, 10, 64)
	before, errB := strconv.ParseInt(seq, 10, 64)
	if !ok || errN != nil || errB != nil || n <= 0 || before < 0 {
		return errForged
	}
	return a.showInView(ctx, i, change.Number(n), before)
}

// detail is a change as /emergency show shows it: state, what is owed, links, and
// the newest events before a sequence number (0: of all). Whoever may waive
// something that is owed finds the button for it.
func (a *App) detail(ctx context.Context, c *change.Change, viewer change.Actor, before int64) ([]slack.Block, error) {
	events, err := a.Ledger.Events(ctx, c.Number, 0, eventsRead)
	if err != nil {
		return nil, err
	}
	blocks := []slack.Block{
		sectionOf("*" + c.Number.String() + "* – " + escaped(c.KindName) + " – " + phaseWords(c)),
		sectionOf(clipped(c.What, 500)),
		contextOf("*Why now:* " + oneLine(c.Why, 300)),
	}
	blocks = append(blocks, paragraphs(showFacts(c))...)
	if owed := c.Owing(); len(owed) > 0 {
		lines := []string{"*Still owed*"}
		for _, o := range owed {
			line := "• " + obligationLine(o)
			if o.Owner != "" {
				line += " – " + mention(o.Owner)
			}
			lines = append(lines, line)
		}
		blocks = append(blocks, paragraphs(lines)...)
	}
	blocks = append(blocks, waiverBlocks(c, viewer)...)
	if links := changeLinks(c); len(links) > 0 {
		blocks = append(blocks, paragraphs(links)...)
	}
	return append(blocks, timelineBlocks(c.Number, events, before)...), nil
}

// showFacts are the lines that say who, why, where and when.
func showFacts(c *change.Change) []string {
	lines := []string{"*Asked by* " + mention(c.Requester) + ", " + moment(c.RequestedAt)}
	if c.Implementer != c.Requester {
		lines = append(lines, "*Made by* "+mention(c.Implementer))
	}
	lines = append(lines, "*Reason* "+oneLine(c.ReasonLabel, 200))
	if said := statusLine(c); said != "" {
		lines = append(lines, said)
	}
	if a := c.Access; a != nil {
		where := "*Where* " + oneLine(a.TargetName, 100)
		if a.PermissionSetName != "" {
			where += ", " + oneLine(a.PermissionSetName, 100)
		}
		if d := max(a.Approved, 0); d > 0 {
			where += ", " + change.ShortDuration(d)
		} else if a.Asked > 0 {
			where += ", " + change.ShortDuration(a.Asked)
		}
		lines = append(lines, where)
		if a.Trouble != "" {
			lines = append(lines, "*AWS* "+oneLine(a.Trouble, 300))
		}
	}
	if p := approvedByWords(c); p != "" {
		lines = append(lines, "*Approved by* "+p)
	}
	lines = append(lines, selfLines(c)...)
	lines = append(lines, inSpiteLines(c)...)
	lines = append(lines, incidentChecks(c)...)
	if c.Reply != "" {
		lines = append(lines, "*Because* "+oneLine(c.Reply, 500))
	}
	if words := coordinatorWords(c); words != "" {
		lines = append(lines, "*Coordinated with* "+words)
	}
	for _, answer := range c.Answers[:min(len(c.Answers), 5)] {
		lines = append(lines, "*"+oneLine(answer.Label, 100)+"* "+oneLine(answer.Text, 150))
	}
	return lines
}

// linksShown is how many of the linked addresses are listed.
const linksShown = 10

func changeLinks(c *change.Change) []string {
	var lines []string
	if i := c.Incident; i != nil {
		lines = append(lines, "*Incident* "+incidentWords(i))
	}
	if t := c.Ticket; t != nil {
		line := "*Ticket* " + linkTo(t.URL, t.Key)
		if !t.Checked {
			line += " (not checked yet)"
		}
		lines = append(lines, line)
	}
	lines = append(lines, mergeRequestLines(c, change.MergeRequestLimit)...)
	for _, address := range c.Links[:min(len(c.Links), linksShown)] {
		lines = append(lines, "• "+oneLine(address, 200))
	}
	if more := len(c.Links) - linksShown; more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more links.", more))
	}
	return lines
}

// timelineBlocks shows a page of events, the newest last, and a button for older
// ones.
func timelineBlocks(n change.Number, events []change.Event, before int64) []slack.Block {
	var told []change.Event
	for _, e := range events {
		if (before == 0 || e.Seq < before) && e.Type != change.EventRefused {
			told = append(told, e)
		}
	}
	older := max(0, len(told)-timelinePage)
	page := told[older:]
	blocks := []slack.Block{slack.NewDividerBlock()}
	lines := []string{"*Timeline*"}
	for _, e := range page {
		lines = append(lines, eventLine(e))
	}
	blocks = append(blocks, paragraphs(lines)...)
	if older > 0 {
		key := strconv.FormatInt(int64(n), 10) + "/" + strconv.FormatInt(page[0].Seq, 10)
		blocks = append(blocks, slack.NewActionBlock("", slack.NewButtonBlockElement(actionMore, key, plainObject("Older", 75))))
	}
	return blocks
}

// eventLine is an event in one line.
func eventLine(e change.Event) string {
	line := moment(e.At) + " " + strings.ReplaceAll(string(e.Type), "_", " ")
	if owed := e.Fact("obligation"); owed != "" {
		line += " (" + strings.ReplaceAll(oneLine(owed, 60), "_", " ") + ")"
	}
	if e.Actor != "" {
		line += " – " + mention(e.Actor)
	}
	for _, field := range []string{"reason", "text", "done", "why"} {
		if text := e.Texts[field]; text != "" && e.Type != change.EventRequested && e.Type != change.EventReported {
			return line + ": " + oneLine(text, 120)
		}
	}
	return line
}
