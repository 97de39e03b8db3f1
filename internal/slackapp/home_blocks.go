package slackapp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// What a list says while nothing stands in it.
const (
	nothingWaits = "Nothing waits for you. Enjoy the quiet."
	nothingMine  = "You have not made an emergency change yet. May it stay so."
	nothingOpen  = "No emergency change is open. All is calm."
	approveThere = "*Approve*, *Deny* and *I was on the call* stand on the message that asked you; *Show* opens the details."
	groupsSilent = "Some groups could not be looked up just now, so something may be missing here. Open this tab again in a moment."
	moreThanRead = "There are more open changes than are looked through here; the newest were."
)

func (h home) blocks() []slack.Block {
	var waiting, mine, open []slack.Block
	asked := false
	for _, r := range h.waiting.rows {
		waiting = append(waiting, r.blocks()...)
		asked = asked || r.asks || r.call
	}
	for _, c := range h.mine.rows {
		mine = append(mine, homeRow(homeMine, &c, changeLine(&c)+owedOf(&c)))
	}
	for _, r := range h.open.rows {
		open = append(open, r.block())
	}
	var blocks []slack.Block
	if h.doubt {
		blocks = append(blocks, contextOf(groupsSilent))
	}
	blocks = append(blocks, listOf(homeWaiting, "Waiting for you", nothingWaits, waiting, h.waiting.page, h.waiting.total)...)
	if asked {
		blocks = append(blocks, contextOf(approveThere))
	}
	blocks = append(blocks, listOf(homeMine, "Your changes", nothingMine, mine, h.mine.page, h.mine.total)...)
	if h.sees {
		blocks = append(blocks, listOf(homeOpen, "Everything open", nothingOpen, open, h.open.page, h.open.total)...)
	}
	if h.more {
		blocks = append(blocks, contextOf(moreThanRead))
	}
	return blocks
}

// listOf is a headed page of a list, with the buttons that turn it.
func listOf(name homeList, heading, none string, rows []slack.Block, page, total int) []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(plainObject(heading, 150))}
	if total == 0 {
		return append(blocks, contextOf(none))
	}
	blocks = append(blocks, rows...)
	if total <= homeRows {
		return blocks
	}
	first := page * homeRows
	var turns []slack.BlockElement
	turn := func(action, label string, to int) {
		turns = append(turns, slack.NewButtonBlockElement(action, string(name)+"/"+strconv.Itoa(to), plainObject(label, 75)))
	}
	if page > 0 {
		turn(actionHomeBack, "Previous", page-1)
	}
	if first+homeRows < total {
		turn(actionHomeOn, "Show more", page+1)
	}
	return append(blocks,
		contextOf(fmt.Sprintf("%d to %d of %d", first+1, min(first+homeRows, total), total)),
		slack.NewActionBlock("turn-"+string(name), turns...))
}

// homeRow is a change in one line, with a button that shows it.
func homeRow(list homeList, c *change.Change, line string) *slack.SectionBlock {
	row := slack.NewSectionBlock(markupObject(line), nil, slack.NewAccessory(button(actionShow, "Show", buttonKey{Number: c.Number})))
	row.BlockID = string(list) + "-" + strconv.FormatInt(int64(c.Number), 10)
	return row
}

// blocks are what a change waits for, with the buttons that do it. Somebody who
// may not read the change sees its number only.
func (r waitingRow) blocks() []slack.Block {
	var do []slack.BlockElement
	for _, o := range r.owed {
		if b := homeDuty(&r.change, o); b != nil && r.cleared && !slices.ContainsFunc(do, sameAction(b)) {
			do = append(do, b)
		}
	}
	line := r.line()
	if t := r.change.Ticket; t != nil && r.cleared {
		line += " – " + reference(t.URL, t.Key)
	}
	row := homeRow(homeWaiting, &r.change, line)
	if !r.cleared {
		row.Accessory = nil
	}
	if len(do) == 0 {
		return []slack.Block{row}
	}
	return []slack.Block{row, slack.NewActionBlock("do-"+strconv.FormatInt(int64(r.change.Number), 10), do...)}
}

// sameAction tells whether a button is the same as another: one merge request may
// meet several obligations.
func sameAction(b *slack.ButtonBlockElement) func(slack.BlockElement) bool {
	return func(other slack.BlockElement) bool {
		o, ok := other.(*slack.ButtonBlockElement)
		return ok && o.ActionID == b.ActionID
	}
}

// homeDuty is the button that meets an obligation; nil where none does, or where
// it is too early.
func homeDuty(c *change.Change, o change.Obligation) *slack.ButtonBlockElement {
	if c.Phase != change.Ended {
		return nil
	}
	return dutyButton(c, o.Name)
}

// owedOf says what a change still owes.
func owedOf(c *change.Change) string {
	var owed []string
	for _, o := range c.Owing() {
		if o.Part.IsZero() {
			owed = append(owed, obligationLine(o))
		}
	}
	if len(owed) == 0 {
		return ""
	}
	return "\nStill owed: " + strings.Join(owed, ", ")
}

// block is an open change: for whoever is not cleared for it, its number only.
func (r openRow) block() slack.Block {
	if !r.cleared {
		return sectionOf(untold(&r.change))
	}
	return homeRow(homeOpen, &r.change, changeLine(&r.change)+" – "+mention(r.change.Requester))
}

// untold is a confidential change for whoever may not read it.
func untold(c *change.Change) string { return "*" + c.Number.String() + "* – confidential" }
