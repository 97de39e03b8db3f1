package slackapp

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// word is a word that the command takes, and its usage.
type word struct {
	name  string
	usage string // after the name
	does  string
	run   func(a *App, ctx context.Context, c command, n change.Number, rest string) (ephemeral, error)
	rest  bool // needs something after the number
	bare  bool // takes no number
}

// words lists the words in the order of the help.
func words() []word {
	return []word{
		{name: "report", does: "report a change that has been made already", bare: true},
		{name: "list", does: "what is open: mine, and what waits for me", bare: true, run: (*App).listCommand},
		{name: "show", usage: "EC-12", does: "one change: state, what is owed, timeline, links", run: (*App).showCommand},
		{name: "note", usage: "EC-12 TEXT", does: "add a line to the record", rest: true, run: (*App).noteCommand},
		{name: "link", usage: "EC-12 URL", does: "link a merge request, pull request, Jira ticket or incident", rest: true, run: (*App).linkWord},
		{name: "extend", usage: "EC-12 1h", does: "ask for more time", rest: true, run: (*App).extendCommand},
		{name: "finish", usage: "EC-12", does: "end the access, and write the record", run: (*App).finishCommand},
		{name: "withdraw", usage: "EC-12", does: "take a request back", run: (*App).withdrawCommand},
		{name: "help", does: "this list", bare: true, run: (*App).helpCommand},
	}
}

// command takes a slash command. The request form opens before anything else is
// done; all other words answer whoever typed them, and nobody else.
func (a *App) command(ctx context.Context, c command) reply {
	first, rest := cutWord(c.Text)
	if first == "" || strings.EqualFold(first, "report") {
		f := form{formMeta: formMeta{Channel: c.ChannelID, Report: first != ""}}
		if !a.openRequest(ctx, c.TriggerID, change.PersonID(c.UserID), f) {
			return reply{200, privately("The form could not be opened just now. Please type the command again in a moment.")}
		}
		return accepted()
	}
	e, err := a.wordTyped(ctx, c, strings.ToLower(first), rest)
	if err != nil {
		return reply{200, privately(a.explain(ctx, err))}
	}
	return reply{200, e}
}

func (a *App) wordTyped(ctx context.Context, c command, typed, rest string) (ephemeral, error) {
	all := words()
	at := slices.IndexFunc(all, func(w word) bool { return w.name == typed })
	if at < 0 {
		var names []string
		for _, w := range all {
			names = append(names, w.name)
		}
		return privately("There is no `" + oneLine(typed, 40) + "`. Did you mean `" + escaped(a.Config.Command) + " " + nearest(clip(typed, 40), names) + "`?\n\n" + a.help()), nil
	}
	w := all[at]
	if w.bare {
		return w.run(a, ctx, c, 0, rest)
	}
	number, rest := cutWord(rest)
	n, err := change.ParseNumber(number)
	if number == "" || err != nil || (w.rest && rest == "") {
		say := "Please type it as `" + escaped(a.Config.Command) + " " + w.name + " " + w.usage + "`."
		if number != "" && err != nil {
			say = "“" + oneLine(number, 40) + "” is not the number of a change; they look like EC-12. " + say
		}
		return privately(say), nil
	}
	return w.run(a, ctx, c, n, rest)
}

// cutWord cuts the first word off.
func cutWord(s string) (first, rest string) {
	s = strings.TrimSpace(s)
	i := strings.IndexAny(s, " \t\n")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// help lists the words, and says when an emergency change applies at all.
func (a *App) help() string {
	name := escaped(a.Config.Command)
	var b strings.Builder
	b.WriteString("*Emergency changes* are for when the release process cannot be used and it cannot wait. The default is to wait it out: " +
		linkTo(a.Config.ReleaseURL, "the release process") + ".\n")
	b.WriteString("• `" + name + "` – ask for an emergency change\n")
	for _, w := range words() {
		line := name + " " + w.name
		if w.usage != "" {
			line += " " + w.usage
		}
		b.WriteString("• `" + line + "` – " + w.does + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (a *App) helpCommand(context.Context, command, change.Number, string) (ephemeral, error) {
	return privately(a.help()), nil
}

func (a *App) give(ctx context.Context, c command, n change.Number, cmd change.Command) (after change.Change, done bool, err error) {
	return a.do(ctx, n, cmd, change.PersonID(c.UserID), "", byTrigger(c.TriggerID))
}

func (a *App) noteCommand(ctx context.Context, c command, n change.Number, rest string) (ephemeral, error) {
	_, _, err := a.give(ctx, c, n, change.AddNote{Text: rest})
	return privately("The note was added to " + n.String() + "."), err
}

func (a *App) linkWord(ctx context.Context, c command, n change.Number, rest string) (ephemeral, error) {
	given, which := rest, ""
	if first, after := cutWord(rest); strings.EqualFold(after, optionFix) || strings.EqualFold(after, optionItself) {
		given, which = first, strings.ToLower(after)
	}
	cmd, err := a.linkCommand(ctx, n, change.PersonID(c.UserID), "", unwrapped(given))
	if err != nil {
		return ephemeral{}, err
	}
	if link, is := cmd.(change.LinkMergeRequest); is {
		link.Fix = which == optionFix
		cmd = link
		if which == "" {
			if say, err := a.askWhichItIs(ctx, c, n, link); err != nil || say != "" {
				return privately(say), err
			}
		}
	}
	_, _, err = a.give(ctx, c, n, cmd)
	return privately(linkedWords(n, cmd)), err
}

// unwrapped takes an address out of the brackets that Slack may put around it.
func unwrapped(s string) string {
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		s, _, _ = strings.Cut(s[1:len(s)-1], "|")
	}
	return s
}

func (a *App) extendCommand(ctx context.Context, c command, n change.Number, rest string) (ephemeral, error) {
	period, why := cutWord(rest)
	d, ok := periodOf(period)
	for more, after := cutWord(why); ok; more, after = cutWord(why) { // 1h 30m, as people write it
		part, is := periodOf(more)
		if !is || d+part < d {
			break
		}
		d, why = d+part, after
	}
	if !ok {
		return privately("“" + oneLine(period, 40) + "” is not a time; write it like 30m or 1h, as in `" + escaped(a.Config.Command) + " extend EC-12 1h`."), nil
	}
	_, _, err := a.give(ctx, c, n, change.Extend{Duration: d, Why: why})
	return privately("The approvers are being asked for " + change.ShortDuration(d) + " more for " + n.String() + "."), err
}

// periodOf reads a duration such as 30m, 1h or 1h30m.
func periodOf(s string) (d time.Duration, ok bool) {
	d, err := time.ParseDuration(strings.ToLower(s))
	return d, err == nil && d > 0
}

func (a *App) finishCommand(ctx context.Context, c command, n change.Number, _ string) (ephemeral, error) {
	after, done, err := a.give(ctx, c, n, change.Finish{})
	if done && after.Phase == change.Ended {
		a.open(ctx, c.TriggerID, nil, recordForm(&after, buttonKey{Number: n}))
	}
	if after.Phase == change.Withdrawn {
		return privately(n.String() + " was withdrawn: no access had been given yet."), err
	}
	return privately(n.String() + " has ended" + removalWords(&after) + ". The record and the review are owed now."), err
}

// removalWords tells of access only where there is any that the end removes.
func removalWords(c *change.Change) string {
	if c.Access == nil || c.Access.Standing {
		return ""
	}
	return ", and its access is being removed"
}

func (a *App) withdrawCommand(ctx context.Context, c command, n change.Number, _ string) (ephemeral, error) {
	after, _, err := a.give(ctx, c, n, change.Withdraw{})
	if after.Phase == change.Ended {
		return privately(n.String() + " had begun already, so it has ended instead" + removalWords(&after) + ". The record and the review are owed now."), err
	}
	return privately(n.String() + " was withdrawn."), err
}

// withBlocks is an answer of blocks. Text is what a notification shows of it.
func withBlocks(text string, blocks ...slack.Block) ephemeral {
	return ephemeral{ResponseType: "ephemeral", Text: text, Blocks: blocks}
}
