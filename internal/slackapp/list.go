package slackapp

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	// openRead bounds how many open changes are looked through for one person.
	openRead = 1000
	// rowsShown is how many changes one list shows; the rest is counted.
	rowsShown = 20
)

// overview is what is open, as one person may see it.
type overview struct {
	waiting []waitingRow    // for this person to do something
	mine    []change.Change // asked for or made by them, newest first
	all     []openRow       // everything open
	more    bool            // there are more open changes than were read
	groups  change.GroupView
}

// waitingRow is a change, and what it waits for somebody to do.
type waitingRow struct {
	change  change.Change
	cleared bool                // they may read it
	asks    bool                // their approval
	call    bool                // their word that they were on the call
	owed    []change.Obligation // by them
}

// overviewOf reads what is open. Groups that could not be looked up count as
// not this person's.
func (a *App) overviewOf(ctx context.Context, who change.PersonID) (overview, error) {
	var o overview
	open, err := a.Ledger.OpenChanges(ctx, 0, openRead)
	if err != nil {
		return o, err
	}
	o.more = len(open) == openRead
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	groups := a.People.Groups(within, a.groupsOfAll(open))
	o.groups = groups
	for _, c := range open {
		if c.Own(who) {
			o.mine = append(o.mine, c)
		}
		cleared, _ := c.MayRead(a.Rules, groups, who)
		o.all = append(o.all, openRow{change: c, cleared: cleared})
		r := waitsFor(&c, who, groups)
		if r.cleared = cleared; r.asks || r.call || len(r.owed) > 0 {
			o.waiting = append(o.waiting, r)
		}
	}
	return o, nil
}

// groupsOfAll lists the groups that matter to any of the changes, each once.
func (a *App) groupsOfAll(changes []change.Change) []change.GroupID {
	ids := a.overseers()
	for _, c := range changes {
		ids = append(ids, c.GroupsOf(a.Rules)...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// waitsFor finds what a change waits for this person to do.
func waitsFor(c *change.Change, who change.PersonID, groups change.GroupView) waitingRow {
	r := waitingRow{change: *c}
	if ask := c.OpenAsk(); ask != nil {
		r.asks = !ask.Quiet && mayAnswer(c, ask, who, groups)
		r.call = c.AwaitsWitness(who)
	}
	for _, o := range c.Owing() {
		mine := o.OwnedBy(who, groups)
		if o.Name == change.OweSignOff {
			signers, _ := c.EligibleSigners(groups)
			mine = slices.Contains(signers, who)
		}
		if mine && o.Part.IsZero() {
			r.owed = append(r.owed, o)
		}
	}
	return r
}

// mayAnswer tells whether somebody could give an approval that is still missing.
func mayAnswer(c *change.Change, ask *change.Ask, who change.PersonID, groups change.GroupView) bool {
	if slices.ContainsFunc(ask.Decisions, func(d change.Decision) bool { return d.By == who }) {
		return false
	}
	for _, rule := range c.Missing() {
		people, _ := c.Candidates(groups, rule, slices.Concat(rule.From, rule.Fallback))
		if slices.Contains(people, who) {
			return true
		}
	}
	return false
}

func obligationLine(o change.Obligation) string {
	line := obligationWords(o)
	if !o.Due.IsZero() {
		line += " due " + moment(o.Due)
	}
	if !o.Breached.IsZero() {
		line += " (overdue)"
	}
	return line
}

func (r waitingRow) line() string {
	if !r.cleared {
		return untold(&r.change)
	}
	var what []string
	if r.asks {
		what = append(what, "your approval")
	}
	if r.call {
		what = append(what, "your word whether you were on the emergency call")
	}
	for _, o := range r.owed {
		what = append(what, obligationLine(o))
	}
	return "*" + changeTitle(&r.change) + "* – " + strings.Join(what, ", ")
}

func changeLine(c *change.Change) string {
	return "*" + changeTitle(c) + "* – " + phaseWords(c)
}

// listCommand answers /emergency list.
func (a *App) listCommand(ctx context.Context, c command, _ change.Number, _ string) (ephemeral, error) {
	who := change.PersonID(c.UserID)
	if err := a.reader(ctx, who); err != nil {
		return ephemeral{}, err
	}
	o, err := a.overviewOf(ctx, who)
	if err != nil {
		return ephemeral{}, err
	}
	var waiting, mine []string
	for _, r := range o.waiting {
		waiting = append(waiting, r.line())
	}
	for _, c := range o.mine {
		mine = append(mine, changeLine(&c))
	}
	var blocks []slack.Block
	blocks = append(blocks, rows("Waiting for you", waiting, "Nothing waits for you.")...)
	blocks = append(blocks, rows("Your changes", mine, "You have no open change.")...)
	text := strconv.Itoa(len(o.waiting)) + " waiting for you, " + strconv.Itoa(len(o.mine)) + " open changes of yours"
	return withBlocks(text, blocks...), nil
}

// reader refuses whoever is no full member. Where that could not be looked up,
// it asks to try again.
func (a *App) reader(ctx context.Context, who change.PersonID) error {
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	_, err := a.memberWithin(within, ctx, who, "")
	if errors.Is(err, errNoAnswer) {
		return sayNoAnswer()
	}
	return err
}

// rows is a headed list of lines, of which the first ones are shown.
func rows(heading string, lines []string, none string) []slack.Block {
	blocks := []slack.Block{sectionOf("*" + heading + "*")}
	if len(lines) == 0 {
		return append(blocks, contextOf(none))
	}
	for _, line := range lines[:min(len(lines), rowsShown)] {
		blocks = append(blocks, sectionOf(line))
	}
	if more := len(lines) - rowsShown; more > 0 {
		blocks = append(blocks, contextOf("… and "+strconv.Itoa(more)+" more."))
	}
	return blocks
}
