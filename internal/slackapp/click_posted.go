package slackapp

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

const (
	storedWithin = time.Second           // how long a click waits for its message to be written down
	storedPause  = 50 * time.Millisecond // between two looks
)

// posted finds the delivery that a clicked message is, and its change. Somebody may be quicker
// than we are at writing down where Slack has put it, and a post whose reply was
// lost is written down only when it is tried again: as long as a message of the
// change is under way, the click waits a little, and Slack is asked for the mark
// that the message carries.
func (a *App) posted(ctx context.Context, n change.Number, at messagePlace) (ledger.Pressed, error) {
	ctx, cancel := context.WithTimeout(ctx, storedWithin)
	defer cancel()
	look := time.NewTicker(storedPause)
	defer look.Stop()
	for asked := false; ; {
		p, err := a.Ledger.Pressed(ctx, n, messageRef(at.channel, at.ts))
		if err != nil || p.Found {
			return p, err
		}
		if !p.UnderWay {
			return p, errForged
		}
		if !asked {
			asked = true
			if _, err := a.marked(ctx, n, at); err == nil {
				continue // it is written down now
			}
		}
		select {
		case <-ctx.Done():
			return p, &change.Refusal{Code: change.Unestablished, Say: "This message is still being written down, so nothing was changed. Please press again in a moment."}
		case <-look.C:
		}
	}
}

// messagePlace is where a message stands; thread is empty outside threads.
type messagePlace struct{ channel, ts, thread string }

// errUnmarked says that a message carries no mark of a delivery under way.
var errUnmarked = errors.New("the message carries no mark of ours")

// marked asks Slack for a message's mark, and writes down where its delivery
// stands. Only our own application can have set the mark of a message whose
// clicks come to us.
func (a *App) marked(ctx context.Context, n change.Number, at messagePlace) (ledger.Delivery, error) {
	var messages []slack.Message
	var err error
	if at.thread != "" {
		messages, _, _, err = a.Slack.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: at.channel, Timestamp: at.thread, Oldest: at.ts, Latest: at.ts, Inclusive: true, Limit: 2, IncludeAllMetadata: true,
		})
	} else {
		var history *slack.GetConversationHistoryResponse
		if history, err = a.Slack.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: at.channel, Oldest: at.ts, Latest: at.ts, Inclusive: true, Limit: 1, IncludeAllMetadata: true,
		}); err == nil {
			messages = history.Messages
		}
	}
	if err != nil {
		return ledger.Delivery{}, failure("look at a message", "This message", err)
	}
	for _, m := range messages {
		mark, _ := m.Metadata.EventPayload["delivery"].(string)
		id, err := strconv.ParseInt(mark, 10, 64)
		if m.Timestamp == at.ts && m.Metadata.EventType == eventType && err == nil {
			return a.Ledger.FoundPosted(ctx, n, id, messageRef(at.channel, at.ts))
		}
	}
	return ledger.Delivery{}, errUnmarked
}
