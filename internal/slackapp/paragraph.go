package slackapp

import (
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// paragraphLimit is how long a paragraph may be, in characters.
const paragraphLimit = 3000

// paragraphs joins lines of mrkdwn into as few paragraphs as hold them. A line that
// is longer than a paragraph is cut: what its end held is escaped, and pings nobody.
func paragraphs(lines []string) []slack.Block {
	var blocks []slack.Block
	text := ""
	for _, line := range lines {
		line = clip(line, paragraphLimit)
		if text != "" && utf8.RuneCountInString(text)+1+utf8.RuneCountInString(line) > paragraphLimit {
			blocks, text = append(blocks, sectionOf(text)), ""
		}
		if text != "" {
			text += "\n"
		}
		text += line
	}
	if text == "" {
		return blocks
	}
	return append(blocks, sectionOf(text))
}
