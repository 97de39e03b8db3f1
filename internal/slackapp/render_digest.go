package slackapp

import (
	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// digestLines bounds a digest. A message has fifty blocks at most.
const digestLines = 40

// digest is a month's figures, as the audit channel hears of them.
func (w Words) digest(p change.Posting) *message {
	month, err := change.ParseMonth(p.Delivery.Key)
	if err != nil {
		return nil
	}
	title := "Emergency changes in " + month.Name()
	m := &message{text: title, blocks: []slack.Block{slack.NewHeaderBlock(plainObject(title, 150))}}
	for i, line := range p.Lines[:min(len(p.Lines), digestLines)] {
		if i == 0 {
			m.text += ": " + oneLine(line, roomInText)
		}
		m.blocks = append(m.blocks, slack.NewSectionBlock(plainObject(line, paragraphLimit), nil, nil))
	}
	m.small("The whole report: `breakglass report`")
	return m
}
