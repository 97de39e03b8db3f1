package slackapp

import (
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// sectionRoom is how much mrkdwn goes into one section; Slack takes 3000
// characters.
const sectionRoom = 2900

// Limits of what people typed, in characters, in one message. What is cut says
// where the rest is.
const (
	roomForText   = 1200 // what is changed and why, in approvers' and signers' messages
	roomForCard   = 500  // the same on the card and in its thread
	roomForAnswer = 250
	roomForName   = 150 // of a kind, a target, an incident
	roomInText    = 160 // in a notification
)

// message is what Slack is to show: the plain text of notifications, and blocks.
type message struct {
	text   string
	blocks []slack.Block
}

// heading starts a message. topic is a few words that give nothing away: it is
// all that the notification of a confidential change says.
func heading(c *change.Change, topic string) *message {
	m := &message{text: c.Number.String() + ": " + topic}
	m.blocks = append(m.blocks, slack.NewHeaderBlock(plainObject(c.Number.String()+" · "+topic, 150)))
	return m
}

// notify sets what the notification says, as mrkdwn. That of a confidential
// change says its number and the topic only, for it is seen on locked screens.
func (m *message) notify(c *change.Change, text string) {
	if !c.Confidential {
		m.text = c.Number.String() + ": " + text
	}
}

// say adds lines of mrkdwn, in as few sections as they fit. Empty ones are left
// out.
func (m *message) say(lines ...string) {
	var held []string
	size := 0
	flush := func() {
		if len(held) > 0 {
			m.blocks = append(m.blocks, sectionOf(strings.Join(held, "\n")))
		}
		held, size = nil, 0
	}
	for _, line := range lines {
		n := utf8.RuneCountInString(line) + 1
		if line == "" {
			continue
		}
		if size+n > sectionRoom {
			flush()
		}
		held, size = append(held, line), size+n
	}
	flush()
}

// small adds a line of small print.
func (m *message) small(line string) {
	if line != "" {
		m.blocks = append(m.blocks, contextOf(line))
	}
}

// quote shows what somebody typed, as rich text: nothing in it means anything
// to Slack, so that it can neither ping nor pretend. Empty text is left out.
func (m *message) quote(label, typed string, limit int) {
	typed = excerpt(typed, limit)
	if typed == "" {
		return
	}
	var parts []slack.RichTextElement
	if label != "" {
		parts = append(parts, slack.NewRichTextSection(
			slack.NewRichTextSectionTextElement(clip(label, roomForName), &slack.RichTextSectionTextStyle{Bold: true})))
	}
	parts = append(parts, &slack.RichTextQuote{Type: slack.RTEQuote, Elements: []slack.RichTextSectionElement{
		slack.NewRichTextSectionTextElement(typed, nil),
	}})
	m.blocks = append(m.blocks, slack.NewRichTextBlock("", parts...))
}

// excerpt cuts what somebody typed to a number of characters, and says where
// the rest is.
func excerpt(typed string, limit int) string {
	typed = strings.TrimSpace(typed)
	runes := []rune(typed)
	if len(runes) <= limit {
		return typed
	}
	return strings.TrimSpace(string(runes[:limit])) + " … (in full: Show)"
}

// buttons adds a row of buttons, if there are any.
func (m *message) buttons(all ...*slack.ButtonBlockElement) {
	var elements []slack.BlockElement
	for _, b := range all {
		if b != nil {
			elements = append(elements, b)
		}
	}
	if len(elements) > 0 {
		m.blocks = append(m.blocks, slack.NewActionBlock("", elements...))
	}
}

// button is a button that holds a key to look things up by.
func button(action, label string, key buttonKey) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(action, key.value(), plainObject(label, 75))
}

func primary(b *slack.ButtonBlockElement) *slack.ButtonBlockElement {
	return b.WithStyle(slack.StylePrimary)
}

func danger(b *slack.ButtonBlockElement) *slack.ButtonBlockElement {
	return b.WithStyle(slack.StyleDanger)
}

// longAddress is from how many bytes on an address is too long for one line.
const longAddress = 500

// reference is a link with a label. An address that is too long for one line
// is left out.
func reference(address, label string) string {
	if len(address) > longAddress {
		return oneLine(label, roomForName)
	}
	return linkTo(address, clip(label, roomForName))
}

// names lists groups by the names that the configuration gives them.
func names(groups []change.GroupID) string {
	all := make([]string, len(groups))
	for i, g := range groups {
		all[i] = oneLine(string(g), 60)
	}
	return strings.Join(all, ", ")
}

// mentions lists people.
func mentions(people []change.PersonID) string {
	all := make([]string, len(people))
	for i, p := range people {
		all[i] = mention(p)
	}
	return strings.Join(all, ", ")
}

// person mentions somebody whom an event or a proof names, if it does.
func person(p change.PersonID) string {
	if p == "" {
		return "somebody"
	}
	return mention(p)
}
