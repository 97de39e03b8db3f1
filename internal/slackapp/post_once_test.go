package slackapp

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestAPostWhoseReplyWasLostIsFoundAgain(t *testing.T) {
	t.Parallel()
	c := begin(t, storyRequest()).c
	thread := change.Posting{Change: c, ID: 3, Event: change.Event{Type: change.EventRequested, Actor: ada}, Delivery: change.Delivery{Kind: change.DeliverThread, Mode: change.Once}}
	direct := change.Posting{Change: c, ID: 4, Delivery: change.Delivery{Kind: change.DeliverDirect, Mode: change.Once, To: ada, Ref: change.Ref{Message: change.MessageApproved}}}
	audit := change.Posting{Change: c, ID: 5, Event: change.Event{Type: change.EventBreached}, Delivery: change.Delivery{Kind: change.DeliverAudit, Mode: change.Once}}
	for name, p := range map[string]change.Posting{"card": cardOf(c), "ask": askOf(c, 1), "thread": thread, "direct": direct, "audit": audit} {
		for _, kind := range []fault.Kind{fault.ReplyLost, fault.InternalLie, fault.Truncated} {
			t.Run(name+", "+string(kind), func(t *testing.T) {
				t.Parallel()
				b := setupPost(t)
				other := cardOf(c)
				other.ID = 99
				p := p
				p.Card = b.write(t, other) // another delivery's message of the same change
				b.ws.Faults.Add(fault.Fault{Kind: kind, Call: "chat.postMessage", Times: 1})
				if _, err := b.m.Write(t.Context(), p); asOutside(t, err).Outcome != change.Unknown {
					t.Fatalf("the outcome is %v, want unknown", err)
				}
				p.Since = b.clock.Now()
				b.clock.Add(time.Minute)
				external := b.write(t, p)
				if n := len(b.ws.Calls("chat.postMessage")); n != 2 {
					t.Errorf("%d messages were posted, want the other and this one", n)
				}
				if external == "" || external == p.Card {
					t.Errorf("the message is taken to be %q", external)
				}
			})
		}
	}
}

func TestAMessageThatIsFoundAgainIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	s := begin(t, storyRequest())
	b.ws.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "chat.postMessage", Times: 1})
	_, err := b.m.Write(t.Context(), askOf(s.c, 1))
	if f := asOutside(t, err); f.Outcome != change.Unknown {
		t.Fatalf("the write ended as %s", f.Outcome)
	}
	p := askOf(s.approved().c, 1)
	p.Since = morning
	b.write(t, p)
	all := b.ws.DMs("U0CTO")
	if len(all) != 1 || strings.Contains(b.ws.RenderMessage("U0CTO", all[0]), "[ Approve ]") {
		t.Errorf("the approver sees %d messages: %s", len(all), b.ws.RenderMessage("U0CTO", all[0]))
	}
}

func TestTheSearchReadsEveryPageAndNothingOlder(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	c := begin(t, storyRequest()).c
	old := b.write(t, cardOf(c)) // of an earlier life of the ledger: the same mark, long ago
	b.clock.Add(time.Hour)
	since := b.clock.Now()
	b.ws.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "chat.postMessage", Times: 1})
	_, err := b.m.Write(t.Context(), cardOf(c))
	if f := asOutside(t, err); f.Outcome != change.Unknown {
		t.Fatalf("the write ended as %s", f.Outcome)
	}
	for i := range 2*searchPage + 50 {
		b.clock.Add(time.Second)
		if _, _, err := b.api.PostMessage("C0PROD", slackgo.MsgOptionText("chatter "+strconv.Itoa(i), false)); err != nil {
			t.Fatal(err)
		}
	}
	p := cardOf(c)
	p.Since = since
	if found := b.write(t, p); found == old || found == "" {
		t.Errorf("found %q, the old one is %q", found, old)
	}
	if n := len(b.ws.Calls("conversations.history")); n != 3 {
		t.Errorf("%d pages were read, want 3", n)
	}
	if n := len(b.ws.Calls("chat.postMessage")); n != 2+2*searchPage+50 {
		t.Errorf("%d messages, one too many", n)
	}
}

func TestAFirstPostLooksForNothing(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	b.write(t, cardOf(begin(t, storyRequest()).c))
	if n := len(b.ws.Calls("conversations.history")); n != 0 {
		t.Errorf("the history was read %d times", n)
	}
}

func TestAMessageIsEditedWhereItStands(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	s := begin(t, storyRequest())
	p := cardOf(s.c)
	p.External = b.write(t, p)
	p.Change = s.approved().c
	if got := b.write(t, p); got != p.External {
		t.Errorf("the card moved from %s to %s", p.External, got)
	}
	all := b.ws.Messages("C0PROD")
	if len(all) != 1 || !strings.Contains(b.ws.RenderMessage("U0ADA", all[0]), "[ End now ]") || !strings.Contains(all[0].Text, "access on its way") {
		t.Errorf("the channel shows %+v", all)
	}
	if all[0].Metadata == nil || all[0].Metadata.EventPayload["delivery"] != "1" || all[0].Metadata.EventPayload["change"] != "EC-12" {
		t.Errorf("the mark is %+v", all[0].Metadata)
	}
}

func TestAMessageThatSomebodyDeletedIsPostedAnewOnce(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	p := cardOf(begin(t, storyRequest()).c)
	first := b.write(t, p)
	channel, ts, _ := parseMessageRef(first)
	b.ws.DeleteMessage(channel, ts)
	p.External, p.Since = first, morning
	b.ws.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: "chat.postMessage", Times: 1})
	_, err := b.m.Write(t.Context(), p)
	if f := asOutside(t, err); f.Outcome != change.Unknown {
		t.Fatalf("the write ended as %s", f.Outcome)
	}
	second := b.write(t, p)
	if all := b.ws.Messages("C0PROD"); len(all) != 1 || messageRef("C0PROD", all[0].TS) != second || second == first {
		t.Errorf("the channel has %d messages, the card is taken to be %s", len(all), second)
	}
}

func TestAReplyUnderADeletedCardWaitsForTheNewOne(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	c := begin(t, storyRequest()).c
	p := change.Posting{Change: c, ID: 3, Card: b.write(t, cardOf(c)), Event: change.Event{Type: change.EventRequested, Actor: ada}, Delivery: change.Delivery{Kind: change.DeliverThread, Mode: change.Once}}
	channel, ts, _ := parseMessageRef(p.Card)
	b.ws.DeleteMessage(channel, ts)
	for _, since := range []time.Time{{}, morning} {
		p.Since = since
		_, err := b.m.Write(t.Context(), p)
		if f := asOutside(t, err); f.Outcome != change.NotNow || errors.Is(err, change.ErrNoPlace) {
			t.Errorf("the outcome is %v", err)
		}
	}
}

func TestDirectMessagesAreOpenedOnceAndNothingUnfurls(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	s := begin(t, storyRequest())
	p := askOf(s.c, 1)
	b.write(t, p)
	p.ID = 7
	b.write(t, p)
	if n := len(b.ws.Calls("conversations.open")); n != 1 {
		t.Errorf("direct messages were opened %d times", n)
	}
}

func TestAReminderThatIsGoneAlreadyIsRemoved(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	external := b.write(t, askOf(begin(t, storyRequest()).c, 1))
	for range 2 {
		if err := b.m.Remove(t.Context(), external); err != nil {
			t.Errorf("Remove: %v", err)
		}
	}
	if n := len(b.ws.DMs("U0CTO")); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	b.ws.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "chat.delete", Times: 1})
	if f := asOutside(t, b.m.Remove(t.Context(), external)); f.Outcome != change.Unknown {
		t.Errorf("the outcome is %v", f)
	}
}

func TestAMessageHasAPermalinkAsLongAsItStands(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	external := b.write(t, cardOf(begin(t, storyRequest()).c))
	link, err := b.m.Permalink(t.Context(), external)
	if err != nil || !strings.HasPrefix(link, "https://sandbox.slack.com/archives/C0PROD/p") {
		t.Errorf("Permalink = %q, %v", link, err)
	}
	if err := b.m.Remove(t.Context(), external); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{external, "nonsense"} {
		if _, err := b.m.Permalink(t.Context(), gone); asOutside(t, err).Outcome != change.Missing {
			t.Errorf("Permalink of %q: %v", gone, err)
		}
	}
}

func TestEachFailureOfSlackIsClassified(t *testing.T) {
	t.Parallel()
	c := begin(t, storyRequest()).c
	gone := askOf(c, 1)
	gone.Delivery.To = "U0GONE"
	nobody := askOf(c, 1)
	nobody.Delivery.To = "U0NOBODY"
	reply := change.Posting{Change: c, Event: change.Event{Type: change.EventRequested}, Delivery: change.Delivery{Kind: change.DeliverThread}}
	faulty := func(k fault.Kind) func(*slack.Workspace) {
		return func(w *slack.Workspace) {
			w.Faults.Add(fault.Fault{Kind: k, Call: "chat.postMessage", RetryAfter: 7 * time.Second})
		}
	}
	for name, tt := range map[string]struct {
		p       change.Posting
		alter   func(*slack.Workspace)
		outcome change.Outcome
		after   time.Duration
		noPlace bool
		say     string
	}{
		"throttled":             {cardOf(c), faulty(fault.TooMany), change.NotNow, 7 * time.Second, false, "wait"},
		"down":                  {cardOf(c), faulty(fault.Unavailable), change.Unknown, 0, false, "trouble"},
		"a page instead":        {cardOf(c), faulty(fault.HTML), change.Unknown, 0, false, ""},
		"reset":                 {cardOf(c), faulty(fault.Refused), change.Unknown, 0, false, "did not answer"},
		"archived":              {cardOf(c), func(w *slack.Workspace) { w.PutChannel(slack.Channel{ID: "C0PROD", Archived: true}) }, change.Refused, 0, true, "The channel C0PROD is archived."},
		"not invited":           {cardOf(c), func(w *slack.Workspace) { w.PutChannel(slack.Channel{ID: "C0PROD", BotNotMember: true}) }, change.Refused, 0, true, "The channel C0PROD does not have breakglass in it"},
		"hidden":                {cardOf(c), func(w *slack.Workspace) { w.PutChannel(slack.Channel{ID: "C0PROD", Private: true, BotNotMember: true}) }, change.Refused, 0, true, "The channel C0PROD does not exist"},
		"a person who has left": {gone, nil, change.Refused, 0, true, "The account U0GONE takes no direct messages"},
		"nobody":                {nobody, nil, change.Refused, 0, true, "The account U0NOBODY takes no direct messages"},
		"no card yet":           {reply, nil, change.NotNow, 0, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPost(t)
			if tt.alter != nil {
				tt.alter(b.ws)
			}
			_, err := b.m.Write(t.Context(), tt.p)
			f := asOutside(t, err)
			if f.Outcome != tt.outcome || f.RetryAfter != tt.after || errors.Is(err, change.ErrNoPlace) != tt.noPlace || !strings.Contains(f.Say, tt.say) {
				t.Errorf("got %s, after %s, no place %v, %q", f.Outcome, f.RetryAfter, errors.Is(err, change.ErrNoPlace), f.Say)
			}
			if strings.Contains(err.Error(), "xoxb") {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

func TestAnEditInAnArchivedChannelHasNoPlace(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	p := cardOf(begin(t, storyRequest()).c)
	p.External = b.write(t, p)
	b.ws.PutChannel(slack.Channel{ID: "C0PROD", Archived: true})
	_, err := b.m.Write(t.Context(), p)
	if !errors.Is(err, change.ErrNoPlace) || !strings.Contains(asOutside(t, err).Say, "C0PROD") {
		t.Errorf("the outcome is %v", err)
	}
}

func TestATokenThatIsNoLongerGoodIsSaidSoPlainly(t *testing.T) {
	t.Parallel()
	b := setupPost(t, func(o *slack.Options) { o.BotToken = "xoxb-another" })
	_, err := b.m.Write(t.Context(), cardOf(begin(t, storyRequest()).c))
	if f := asOutside(t, err); f.Outcome != change.Refused || !strings.Contains(f.Say, "token") || errors.Is(err, change.ErrNoPlace) {
		t.Errorf("the outcome is %v", err)
	}
	b = setupPost(t, func(o *slack.Options) {
		o.Scopes = slices.DeleteFunc(slack.DefaultScopes(), func(s string) bool { return s == "chat:write" })
	})
	_, err = b.m.Write(t.Context(), cardOf(begin(t, storyRequest()).c))
	if f := asOutside(t, err); f.Outcome != change.Refused || !strings.Contains(f.Say, "permissions") {
		t.Errorf("the outcome is %v", err)
	}
}

func TestWithoutAnAuditChannelNothingIsToldThere(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	words := storyWords()
	words.AuditChannel = ""
	m := NewMessenger(b.api, words)
	p := change.Posting{Change: begin(t, storyRequest()).c, Event: change.Event{Type: change.EventBreached}, Delivery: change.Delivery{Kind: change.DeliverAudit, Mode: change.Once}}
	if external, err := m.Write(t.Context(), p); external != "" || err != nil {
		t.Errorf("Write = %q, %v", external, err)
	}
	if n := len(b.ws.Calls("")); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestAStalledCallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := setupPost(t)
	b.ws.Faults.Add(fault.Fault{Kind: fault.Stall, Call: "chat.postMessage", Times: 1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := b.m.Write(ctx, cardOf(begin(t, storyRequest()).c)); asOutside(t, err).Outcome != change.Unknown {
		t.Errorf("the outcome is %v, want unknown", err)
	}
}
