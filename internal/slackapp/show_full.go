package slackapp

import (
	"encoding/json"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Limits of a view. Slack takes 100 blocks and 250 KB; it does not say how it
// counts these, so they are counted as the longest way to write them.
const (
	viewBlocks = 100
	viewBytes  = 240_000

	// timelineBlocks and timelineBytes are kept free for the newest events on the
	// first page.
	timelineBlocks = 20
	timelineBytes  = 42_000

	// turns and turnBytes are kept free for the buttons that turn pages.
	turns     = 2
	turnBytes = 1_000
)

// fullBlocks is a page of the form that shows a change: all that was typed for it,
// every link, and its events. The first page ends with the newest events; what does
// not fit on it is turned to.
func fullBlocks(c *change.Change, page shownPage, events []change.Event, waivers, confirms []slack.Block) []slack.Block {
	head := []slack.Block{titleBlock(c)}
	switch {
	case page.before > 0:
		return append(head, timeline(c.Number, timelineOf(events, page.before), head, true)...)
	case page.from > 0:
		return append(head, entriesFrom(c.Number, entries(c), page.from, head)...)
	}
	head = append(head, typedBlocks("What", c.What)...)
	head = append(head, typedBlocks("Why", c.Why)...)
	head = append(head, paragraphs(append(showFacts(c), recordLinks(c)...))...)
	head = append(head, owingBlocks(c)...)
	head = append(head, waivers...)
	head = append(head, confirms...)
	all := entries(c)
	n := fitting(all, viewBlocks-timelineBlocks-len(head), viewBytes-timelineBytes-weight(head))
	for _, e := range all[:n] {
		head = append(head, e...)
	}
	if n < len(all) {
		head = append(head, contextOf("The answers, the record or the links go on on the next page."), turn("Next page", c.Number, shownPage{from: n + 1}))
	}
	return append(head, timeline(c.Number, timelineOf(events, 0), head, false)...)
}

// entry is a part of a form that stands on one page.
type entry []slack.Block

// entries are what a change holds besides what was asked for: why it came to
// nothing, the answers, the record and the links. A short answer is a line, any
// other stands by itself.
func entries(c *change.Change) []entry {
	var all []entry
	add := func(blocks []slack.Block) {
		if len(blocks) > 0 {
			all = append(all, blocks)
		}
	}
	var lines []string
	flush := func() {
		for _, block := range paragraphs(lines) {
			add(entry{block})
		}
		lines = nil
	}
	add(typedBlocks("Because", c.Reply))
	for _, answer := range c.Answers {
		text := strings.TrimSpace(answer.Text)
		if utf8.RuneCountInString(text) <= roomForAnswer && !strings.ContainsAny(text, "\r\n") {
			lines = append(lines, "*"+oneLine(answer.Label, roomForName)+"* "+escaped(text))
			continue
		}
		flush()
		add(typedBlocks(answer.Label, text))
	}
	flush()
	if c.Record.Revision > 0 {
		if c.Record.NothingChanged {
			lines = append(lines, "*Record:* nothing was changed")
			flush()
		}
		add(typedBlocks("What was done", c.Record.Done))
		add(typedBlocks("Why it was done", c.Record.Why))
	}
	for i := range c.MergeRequests {
		m := &c.MergeRequests[i]
		lines = append(lines, mergeRequestLine(m))
		if len(m.Ref.URL) > longAddress { // left out of the line
			flush()
			add(addressBlocks(m.Ref.URL))
		}
	}
	flush()
	for _, address := range c.Links {
		if line := "• " + linkTo(address, clip(address, roomForName)); utf8.RuneCountInString(line) <= sectionRoom && clickable(address) {
			lines = append(lines, line)
			continue
		}
		flush()
		add(addressBlocks(address))
	}
	flush()
	return all
}

// addressBlocks show an address that stands in no line: as a link where it fits.
func addressBlocks(address string) []slack.Block {
	if line := linkTo(address, clip(address, roomForName)); clickable(address) && utf8.RuneCountInString(line) <= sectionRoom {
		return []slack.Block{sectionOf("• " + line)}
	}
	return typedBlocks("Link", address)
}

// fitting tells how many of the entries fit.
func fitting(all []entry, blocks, bytes int) int {
	for i, e := range all {
		blocks, bytes = blocks-len(e), bytes-weight(e)
		if blocks < 0 || bytes < 0 {
			return i
		}
	}
	return len(all)
}

// entriesFrom shows what did not fit on the first page, from the entry with this
// number on, counted from 1.
func entriesFrom(n change.Number, all []entry, from int, head []slack.Block) []slack.Block {
	rest := all[min(from-1, len(all)):]
	fit := fitting(rest, viewBlocks-turns-len(head), viewBytes-weight(head)-turnBytes)
	var blocks []slack.Block
	for _, e := range rest[:fit] {
		blocks = append(blocks, e...)
	}
	if fit < len(rest) {
		blocks = append(blocks, turn("Next page", n, shownPage{from: from + fit}))
	}
	return append(blocks, turn("First page", n, shownPage{}))
}

// timeline shows the newest of the events, as many as fit below head, the newest
// last, and buttons for older ones and back.
func timeline(n change.Number, told []change.Event, head []slack.Block, back bool) []slack.Block {
	blocks, bytes := viewBlocks-turns-len(head), viewBytes-weight(head)-turnBytes
	from := len(told)
	for ; from > max(0, len(told)-timelinePage); from-- {
		one := eventBlocks(told[from-1 : from]) // as if it shared no paragraph
		if blocks, bytes = blocks-len(one)+1, bytes-weight(one); blocks < 1 || bytes < 0 {
			break
		}
	}
	shown := eventBlocks(told[from:])
	if from > 0 {
		shown = append(shown, turn("Older", n, shownPage{before: told[from-1].Seq + 1}))
	}
	if back {
		shown = append(shown, turn("First page", n, shownPage{}))
	}
	return shown
}

// eventBlocks show events with all that was typed in them. Those in which nothing
// long was typed share paragraphs.
func eventBlocks(events []change.Event) []slack.Block {
	blocks, lines := []slack.Block{slack.NewDividerBlock()}, []string{"*Timeline*"}
	for _, e := range events {
		line, texts := eventLine(e), eventTexts(e)
		if len(texts) == 1 && oneLine(texts[0].text, roomForAnswer) == escaped(texts[0].text) {
			line, texts = line+": "+escaped(texts[0].text), nil
		}
		lines = append(lines, line)
		if len(texts) > 0 {
			blocks, lines = append(blocks, paragraphs(lines)...), nil
		}
		for _, t := range texts {
			blocks = append(blocks, typedBlocks(t.label, t.text)...)
		}
	}
	return append(blocks, paragraphs(lines)...)
}

// typedBlocks show in full what somebody typed, under its label: as plain text, in
// which nothing means anything to Slack.
func typedBlocks(label, typed string) []slack.Block {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return nil
	}
	blocks := []slack.Block{sectionOf("*" + oneLine(label, roomForName) + "*")}
	for typed != "" {
		n := 0
		for at, r := range typed {
			if n += max(1, utf16.RuneLen(r)); n > paragraphLimit {
				blocks = append(blocks, slack.NewSectionBlock(plainObject(typed[:at], paragraphLimit), nil, nil))
				typed, n = typed[at:], 0
				break
			}
		}
		if n > 0 {
			return append(blocks, slack.NewSectionBlock(plainObject(typed, paragraphLimit), nil, nil))
		}
	}
	return blocks
}

// weight is how much blocks weigh in a view, in bytes: as JSON of ASCII alone, in
// which a character beyond it takes six or twelve.
func weight[T ~[]slack.Block](blocks T) int {
	raw, err := json.Marshal(blocks)
	if err != nil {
		return viewBytes
	}
	size := 0
	for _, r := range string(raw) {
		switch {
		case r < utf8.RuneSelf:
			size++
		case r <= 0xFFFF:
			size += 6
		default:
			size += 12
		}
	}
	return size
}
