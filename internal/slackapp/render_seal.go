package slackapp

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// seal is a day's seal, as the audit channel keeps it where nobody who can write
// to the database alone can alter it.
func seal(s change.Seal) *message {
	title := fmt.Sprintf("Seal %d · %s", s.Number, s.Day)
	m := &message{text: title + " · " + s.Hash, blocks: []slack.Block{slack.NewHeaderBlock(plainObject(title, 150))}}
	covers := "Covers the day"
	switch {
	case s.After.String() == "":
		covers = "The first seal: covers everything up to the end of the day"
	case !s.After.End().Equal(s.Day.Start()):
		covers = "Covers every day after " + s.After.String()
	}
	chains := "1 chain has changed."
	if s.Chains != 1 {
		chains = fmt.Sprintf("%d chains have changed.", s.Chains)
	}
	m.say("`"+s.Hash+"`", covers+". "+chains)
	m.small("`breakglass audit verify` ends with the newest seal: number and hash have to be these.")
	return m
}
