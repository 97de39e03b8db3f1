package slackapp

import (
	"context"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Bounds of the search for a message whose reply was lost. Slack's clock may
// differ from ours. A message that is not found on so many pages is posted
// again: twice is better than never.
const (
	searchPage  = 200
	searchPages = 20
	clockSkew   = 2 * time.Minute
)

// search looks where a message belongs for the one that was posted for p since
// p.Since, by its mark. It answers "" when there is none.
func (m *Messenger) search(ctx context.Context, at place, p change.Posting) (external string, err error) {
	since := p.Since.Add(-clockSkew)
	oldest := fmt.Sprintf("%d.%06d", since.Unix(), since.Nanosecond()/1000)
	cursor := ""
	for range searchPages {
		messages, next, err := m.page(ctx, at, oldest, cursor)
		if slackCode(err) == "thread_not_found" {
			return "", nil // the card was deleted, and with it what replied to it
		}
		if err != nil {
			return "", failure("look for a message", at.name, err)
		}
		for _, msg := range messages {
			payload := msg.Metadata.EventPayload
			if msg.Metadata.EventType == eventType && payload["delivery"] == deliveryMark(p) && payload["change"] == p.Change.Number.String() {
				return messageRef(at.channel, msg.Timestamp), nil
			}
		}
		if next == "" {
			return "", nil
		}
		cursor = next
	}
	return "", nil
}

// page reads one page of a channel, or of a thread in it.
func (m *Messenger) page(ctx context.Context, at place, oldest, cursor string) (messages []slack.Message, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, slackCall)
	defer cancel()
	if at.thread != "" {
		messages, _, next, err = m.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: at.channel, Timestamp: at.thread, Oldest: oldest, Cursor: cursor, Limit: searchPage, IncludeAllMetadata: true,
		})
		return messages, next, err
	}
	history, err := m.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: at.channel, Oldest: oldest, Cursor: cursor, Limit: searchPage, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, "", err
	}
	return history.Messages, history.ResponseMetaData.NextCursor, nil
}
