package slackapp

import (
	"context"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// actionMore turns the page of what shows a change. It stands on what only one
// person sees, and its key is the change and where to go on.
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
	events, err := a.Ledger.Events(ctx, n, 0, eventsRead)
	if err != nil {
		return ephemeral{}, err
	}
	text := n.String() + " – " + string(shown.Phase)
	if shown.Confidential {
		text = secretWords(&shown)
	}
	return withBlocks(text, brief(&shown, actor, events)...), nil
}

// shownPage is a page of the form that shows a change. The zero value is the first.
type shownPage struct {
	before int64 // of the timeline: the newest events before this sequence number; 0: of all
	from   int   // of what did not fit on the first page: from this entry on; 0: the first page
}

// showInView shows a change in a form of its own: in full, for the messages send
// people here for what they cut.
func (a *App) showInView(ctx context.Context, i *interaction, n change.Number, before int64) error {
	return a.showPage(ctx, i, n, shownPage{before: before})
}

func (a *App) showPage(ctx context.Context, i *interaction, n change.Number, page shownPage) error {
	c, actor, err := a.readable(ctx, n, i.person(), i.User.TeamID)
	if err != nil {
		return err
	}
	events, err := a.Ledger.Events(ctx, n, 0, eventsRead)
	if err != nil {
		return err
	}
	v := modal(n.String(), "", fullBlocks(&c, page, events, waiverBlocks(&c, actor), a.confirmBlocks(&c, i.person()))...)
	if i.View != nil && i.View.Type == "modal" {
		act, _ := i.pressed()
		a.update(ctx, i, act, v)
		return nil
	}
	a.openForClick(ctx, i, v, sayNotOpened)
	return nil
}

// value writes a page as a button's value: NUMBER/BEFORE, or NUMBER/tFROM.
func (p shownPage) value(n change.Number) string {
	number := strconv.FormatInt(int64(n), 10)
	if p.from > 0 {
		return number + "/t" + strconv.Itoa(p.from)
	}
	return number + "/" + strconv.FormatInt(p.before, 10)
}

// moreClicked turns the page of a form that shows a change. The key is read, and
// whoever asks is looked up again.
func (a *App) moreClicked(ctx context.Context, i *interaction, act action) error {
	number, rest, ok := strings.Cut(act.Value, "/")
	n, errN := strconv.ParseInt(number, 10, 64)
	var page shownPage
	var errP error
	if from, texts := strings.CutPrefix(rest, "t"); texts {
		page.from, errP = strconv.Atoi(from)
	} else {
		page.before, errP = strconv.ParseInt(rest, 10, 64)
	}
	if !ok || errN != nil || errP != nil || n <= 0 || page.before < 0 || page.from < 0 {
		return errForged
	}
	if page.from == 0 {
		return a.showInView(ctx, i, change.Number(n), page.before)
	}
	return a.showPage(ctx, i, change.Number(n), page)
}

// brief is a change as /emergency show answers it: state, what is owed, links, and
// the newest events. It cuts what people typed; **Show** under it has all of it.
// Whoever may waive something that is owed finds the button for it.
func brief(c *change.Change, viewer change.Actor, events []change.Event) []slack.Block {
	blocks := []slack.Block{
		titleBlock(c),
		sectionOf(escaped(excerpt(c.What, 500))),
		contextOf("*Why now:* " + oneLine(excerpt(c.Why, 300), 400)),
	}
	facts := showFacts(c)
	if c.Reply != "" {
		facts = append(facts, "*Because* "+oneLine(excerpt(c.Reply, 500), 600))
	}
	for i, answer := range c.Answers {
		if i == shownAnswers {
			facts = append(facts, more(len(c.Answers)-i, "answer")+": Show")
			break
		}
		facts = append(facts, "*"+oneLine(answer.Label, 100)+"* "+oneLine(excerpt(answer.Text, 150), 250))
	}
	blocks = append(blocks, paragraphs(facts)...)
	blocks = append(blocks, owingBlocks(c)...)
	blocks = append(blocks, waiverBlocks(c, viewer)...)
	blocks = append(blocks, paragraphs(briefLinks(c))...)
	blocks = append(blocks, briefTimeline(c.Number, events)...)
	return append(blocks, contextOf("What is cut here stands under *Show*, with every answer, every link and the record as it was written."),
		slack.NewActionBlock("", button(actionShow, "Show", buttonKey{Number: c.Number})))
}

func titleBlock(c *change.Change) slack.Block {
	return sectionOf("*" + c.Number.String() + "* – " + oneLine(c.KindName, roomForName) + " – " + phaseWords(c))
}

// owingBlocks list what is still owed.
func owingBlocks(c *change.Change) []slack.Block {
	var lines []string
	for _, o := range c.Owing() {
		line := "• " + obligationLine(o)
		if o.Owner != "" {
			line += " – " + mention(o.Owner)
		}
		lines = append(lines, line)
	}
	return paragraphs(headed("Still owed", lines))
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
	if words := coordinatorWords(c); words != "" {
		lines = append(lines, "*Coordinated with* "+words)
	}
	return lines
}

// recordLinks are where a change stands in incident.io and in Jira.
func recordLinks(c *change.Change) []string {
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
	return lines
}

// linksShown is how many of the linked addresses an answer to the command lists.
const linksShown = 10

func briefLinks(c *change.Change) []string {
	lines := append(recordLinks(c), mergeRequestLines(c, shownMergeRequests)...)
	for i, address := range c.Links {
		if i == linksShown {
			return append(lines, more(len(c.Links)-i, "link")+": Show")
		}
		lines = append(lines, "• "+reference(address, address))
	}
	return lines
}

// timelineOf is the part of a change's events that people read, before a sequence
// number (0: all).
func timelineOf(events []change.Event, before int64) []change.Event {
	var told []change.Event
	for _, e := range events {
		if (before == 0 || e.Seq < before) && e.Type != change.EventRefused {
			told = append(told, e)
		}
	}
	return told
}

// briefTimeline shows the newest events, a line each, and a button for older ones.
func briefTimeline(n change.Number, events []change.Event) []slack.Block {
	told := timelineOf(events, 0)
	older := max(0, len(told)-timelinePage)
	lines := []string{"*Timeline*"}
	for _, e := range told[older:] {
		line := eventLine(e)
		if texts := eventTexts(e); len(texts) > 0 {
			line += ": " + oneLine(texts[0].text, 120)
		}
		lines = append(lines, line)
	}
	blocks := append([]slack.Block{slack.NewDividerBlock()}, paragraphs(lines)...)
	if older > 0 {
		blocks = append(blocks, turn("Older", n, shownPage{before: told[older].Seq}))
	}
	return blocks
}

// turn is a button that turns to another page. It stands in a row of its own: all of
// them are the same action.
func turn(label string, n change.Number, to shownPage) slack.Block {
	return slack.NewActionBlock("", slack.NewButtonBlockElement(actionMore, to.value(n), plainObject(label, 75)))
}

// eventLine is an event in one line, without what was typed.
func eventLine(e change.Event) string {
	line := moment(e.At) + " " + strings.ReplaceAll(string(e.Type), "_", " ")
	if owed := e.Fact("obligation"); owed != "" {
		line += " (" + strings.ReplaceAll(oneLine(owed, 60), "_", " ") + ")"
	}
	if e.Actor != "" {
		line += " – " + mention(e.Actor)
	}
	return line
}

// typedText is what somebody typed, and what it answers.
type typedText struct{ label, text string }

// eventTexts is what people typed in an event, but for the request itself, which
// is shown above it.
func eventTexts(e change.Event) []typedText {
	if e.Type == change.EventRequested || e.Type == change.EventReported {
		return nil
	}
	var texts []typedText
	for _, field := range []textField{{"reason", "Why"}, {"text", "Note"}, {"done", "What was done"}, {"why", "Why"}} {
		if text := strings.TrimSpace(e.Texts[field.name]); text != "" {
			texts = append(texts, typedText{field.label, text})
		}
	}
	return texts
}
