package slackapp

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// clip cuts text to a number of characters, never inside one.
func clip(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit-1]) + "…"
}

// escaped makes text harmless in mrkdwn: it can link, mention and ping nothing.
func escaped(s string) string { return slackutilsx.EscapeMessage(s) }

// clipped is what people typed, cut and then escaped, so that no escape is cut
// in two. Escaping makes a character five at most.
func clipped(s string, limit int) string { return escaped(clip(s, limit)) }

// oneLine is what people typed as one short line of mrkdwn.
func oneLine(s string, limit int) string {
	return clipped(strings.Join(strings.Fields(s), " "), limit)
}

// plainObject is a text object in which nothing means anything.
func plainObject(s string, limit int) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, orDash(clip(s, limit)), false, false)
}

// markupObject is a text object of mrkdwn that has been escaped where it must be.
func markupObject(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, orDash(s), false, true) // verbatim: an @name that somebody typed stays text
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// sectionOf is a paragraph of mrkdwn.
func sectionOf(s string) slack.Block { return slack.NewSectionBlock(markupObject(s), nil, nil) }

// contextOf is a small line of mrkdwn.
func contextOf(s string) slack.Block { return slack.NewContextBlock("", markupObject(s)) }

// mention shows somebody by name; Slack notifies nobody in an ephemeral message or a view.
func mention(p change.PersonID) string { return "<@" + string(p) + ">" }

// moment shows a time in the reader's own time zone.
func moment(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} at {time}|%s UTC>", t.Unix(), t.UTC().Format("2006-01-02 15:04"))
}

// linkTo is a link of our own making. Addresses that could break out of it are
// shown as text.
func linkTo(address, text string) string {
	if !clickable(address) {
		return escaped(text)
	}
	return "<" + escaped(address) + "|" + strings.ReplaceAll(escaped(text), "|", "¦") + ">"
}

// clickable tells whether an address can stand in a link.
func clickable(address string) bool {
	web := strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
	return web && !strings.ContainsAny(address, "<>| \n\t")
}

// phaseWords says where a change stands.
func phaseWords(c *change.Change) string {
	switch c.Phase {
	case change.Requested:
		return "waiting for approval"
	case change.Approved:
		return "approved, access on its way"
	case change.Active:
		if c.Window.Until.IsZero() {
			return "active"
		}
		return "active until " + moment(c.Window.Until)
	case change.Ended:
		if c.Access != nil && !c.Access.IntendedAt.IsZero() && c.Access.GoneAt.IsZero() {
			return "ended, access being removed"
		}
		return "ended"
	case change.Closed, change.Denied, change.Withdrawn, change.Lapsed, change.Failed:
		return string(c.Phase)
	}
	return string(c.Phase)
}

// obligationWords says what an obligation is.
func obligationWords(o change.Obligation) string {
	switch o.Name {
	case change.OweRecord:
		return "record"
	case change.OweSignOff:
		return "sign-off"
	case change.OweReview:
		return "post-incident review"
	case change.OweMergeRequest:
		return "merge request"
	case change.OweIndependentReview:
		return "independent review"
	case change.OwePermanentFix:
		return "permanent fix"
	case change.OweAction:
		return fmt.Sprintf("preventive action %d", o.Item)
	}
	return string(o.Name)
}

// changeTitle is a change in one line, for whoever may see it.
func changeTitle(c *change.Change) string {
	return c.Number.String() + " – " + oneLine(c.What, 100)
}
