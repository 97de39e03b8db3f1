package slackapp

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// stoppedClock stands still until a test moves it.
type stoppedClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *stoppedClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *stoppedClock) Add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// postBench is a messenger and the workspace that it posts to.
type postBench struct {
	ws    *slack.Workspace
	m     *Messenger
	clock *stoppedClock
	api   *slackgo.Client
}

func setupPost(t *testing.T, alter ...func(*slack.Options)) *postBench {
	t.Helper()
	b := &postBench{clock: &stoppedClock{at: morning}}
	o := slack.Options{
		Now: b.clock.Now,
		Users: []slack.User{
			{ID: "U0ADA", RealName: "Ada"}, {ID: "U0CTO", RealName: "The CTO"}, {ID: "U0DEPUTY", RealName: "A deputy"},
			{ID: "U0GONE", RealName: "Gone", Deactivated: true},
		},
		Usergroups: []slack.Usergroup{{ID: "S0CTO", Handle: "cto", Name: "CTO", Members: []string{"U0CTO"}}},
		Channels:   []slack.Channel{{ID: "C0PROD", Name: "production"}, {ID: "C0AUDIT", Name: "audit", Private: true}},
	}
	for _, f := range alter {
		f(&o)
	}
	b.ws = slack.New(o)
	server := httptest.NewServer(b.ws)
	t.Cleanup(server.Close)
	t.Cleanup(b.ws.Close)
	b.ws.SetURL(server.URL)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
	b.api = slackgo.New("xoxb-sandbox", slackgo.OptionAPIURL(b.ws.APIURL()), slackgo.OptionHTTPClient(client))
	b.m = NewMessenger(b.api, storyWords())
	return b
}

// write posts or edits, and wants that to succeed.
func (b *postBench) write(t *testing.T, p change.Posting) string {
	t.Helper()
	external, err := b.m.Write(t.Context(), p)
	if err != nil {
		t.Fatalf("Write %s %s: %v", p.Delivery.Kind, p.Delivery.Ref.Message, err)
	}
	return external
}

// cardOf is the posting of a change's card.
func cardOf(c change.Change) change.Posting {
	return change.Posting{Change: c, ID: 1, Delivery: change.Delivery{Number: c.Number, Kind: change.DeliverCard, Key: "card", Mode: change.Converge}}
}

// askOf is the posting of the message that asks the CTO.
func askOf(c change.Change, ask int) change.Posting {
	return change.Posting{Change: c, ID: 2, Delivery: change.Delivery{Number: c.Number, Kind: change.DeliverAsk, Key: "ask", Mode: change.Converge, To: cto, Ref: change.Ref{Ask: ask}}}
}
