package slackapp

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// hostile is text that would like to ping, to pretend or to break out.
func hostile(t *rapid.T, label string) string {
	piece := rapid.SampledFrom([]string{
		"<!channel>", "<!here>", "<!everyone|x>", "<@U0EVIL>", "<!subteam^S0EVIL>", "<https://evil.example|Approve>",
		"@channel", "*", "_", "~", "`", "```", "&", "&lt;", "<", ">", "|", "</script>", "\n", "\r\n", "> ", "• ", ":tada:", "é", "🎉", "\u202e", "\x00", " ", "a", "word",
		"[x](https://evil.example)", "<!date^1^{date}^https://evil.example|x>", "<#C0EVIL>",
	})
	pieces := rapid.SliceOfN(piece, 1, 40).Draw(t, label)
	s := strings.Join(pieces, "")
	if n := utf8.RuneCountInString(s); rapid.Bool().Draw(t, label+" is long") {
		s = strings.Repeat(s, change.TextLimit/n)
	}
	return s + "x"
}

// ours are the only things between angle brackets that a message may hold.
var ours = regexp.MustCompile(`^<(@U0(ADA|CTO|DEPUTY)|!subteam\^S0CTO|!date\^\d+\^\{date_short_pretty\} at \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC|https?://[^<>|\s]+\|[^<>|]*)>$`)

var inAngles = regexp.MustCompile(`<[^>]*>?`)

// foreign lists the markup in mrkdwn that is not of our making.
func foreign(mrkdwn string) []string {
	var found []string
	for _, hit := range inAngles.FindAllString(mrkdwn, -1) {
		pretends := strings.HasSuffix(hit, "|Approve>")
		if pretends || !ours.MatchString(hit) {
			found = append(found, hit)
		}
	}
	return found
}

// inspect looks at every text object of a message's blocks.
func inspect(t *rapid.T, kind string, v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			inspect(t, kind, x)
		}
	case map[string]any:
		text, _ := v["text"].(string)
		switch v["type"] {
		case "mrkdwn":
			if found := foreign(text); len(found) > 0 {
				t.Fatalf("%s: %q in mrkdwn: %s", kind, found, text)
			}
			if v["verbatim"] != true {
				t.Fatalf("%s: mrkdwn in which Slack looks for names and addresses: %s", kind, text)
			}
		case "broadcast", "user", "usergroup", "link":
			t.Fatalf("%s: rich text of type %s", kind, v["type"])
		}
		for _, x := range v {
			inspect(t, kind, x)
		}
	}
}

func TestWhatPeopleTypeCanNeitherPingNorPretendNorBreakAMessage(t *testing.T) {
	t.Parallel()
	stories := lives(t)
	names := []string{"whole", "during", "denied", "standing", "reported", "self", "self, silent", "opening", "not opened", "doubted", "overdue", "patched"}
	b := setupPost(t)
	card := b.write(t, cardOf(stories["whole"].c))
	rapid.Check(t, func(rt *rapid.T) {
		s := stories[rapid.SampledFrom(names).Draw(rt, "life")]
		m := s.told[rapid.IntRange(0, len(s.told)-1).Draw(rt, "moment")]
		typed := hostile(rt, "typed")
		all := (scene{withTexts(m.c, typed), eventsWith(m.events, typed)}).postings()
		sent := rapid.IntRange(0, len(all)-1).Draw(rt, "sent") // the others are looked at only, for speed
		for i, p := range all {
			kind := string(p.Delivery.Kind) + " " + string(p.Delivery.Ref.Message)
			msg := storyWords().render(p)
			if found := foreign(msg.text); len(found) > 0 {
				rt.Fatalf("%s: %q in the notification: %s", kind, found, msg.text)
			}
			raw, err := json.Marshal(msg.blocks)
			if err != nil {
				rt.Fatal(err)
			}
			var blocks any
			if err := json.Unmarshal(raw, &blocks); err != nil {
				rt.Fatal(err)
			}
			inspect(rt, kind, blocks)
			if n := len(raw); n > 60000 {
				rt.Fatalf("%s: %d bytes of blocks", kind, n)
			}
			if p.Card = card; i != sent {
				continue
			}
			if _, err := b.m.Write(t.Context(), p); err != nil {
				rt.Fatalf("%s: %v", kind, err)
			}
		}
		for _, v := range b.ws.TakeViolations() {
			rt.Fatal(v)
		}
	})
	slack.RequireNoViolations(t, b.ws)
}

// withTexts puts one text wherever people can type one.
func withTexts(c change.Change, typed string) change.Change {
	c.What, c.Why, c.KindName, c.ReasonLabel = typed, typed, typed, typed
	if c.Reply != "" {
		c.Reply = typed
	}
	c.Answers = nil
	for range 10 {
		c.Answers = append(c.Answers, change.Answer{Question: "q", Label: typed, Text: typed})
	}
	c.Links = []string{typed, "https://evil.example/" + typed, "https://a.example/b", typed, typed, typed, typed}
	c.Record.Done, c.Record.Why = typed, typed
	asks := c.Asks
	c.Asks = nil
	for _, a := range asks {
		a.Why = typed
		decisions := a.Decisions
		a.Decisions = nil
		for _, d := range decisions {
			d.Reason = typed
			a.Decisions = append(a.Decisions, d)
		}
		c.Asks = append(c.Asks, a)
	}
	if c.Access != nil {
		a := *c.Access
		a.TargetName, a.PermissionSetName, a.Trouble, a.Key.AccountID = typed, typed, typed, "111122223333"
		c.Access = &a
	}
	if c.Incident != nil {
		i := *c.Incident
		i.Now.Name, i.Now.Status, i.Now.Reference, i.Now.URL, i.Refused = typed, typed, typed, "https://evil.example/"+typed, typed
		c.Incident = &i
	}
	c.MergeRequests = hostileMergeRequests(c.MergeRequests, typed)
	if s := c.Status; s != nil {
		c.Status = &change.StatusSnapshot{
			Indicator: typed, Description: typed, TakenAt: s.TakenAt, Components: []change.StatusComponent{{Name: typed, Status: typed}},
			Incidents: []change.StatusIncident{{Name: typed, Status: typed, URL: "https://evil.example/" + typed}, {Name: typed}, {Name: typed}},
		}
	}
	if c.Ticket != nil {
		i := *c.Ticket
		i.Key = typed
		c.Ticket = &i
	}
	return c
}

func eventsWith(events []change.Event, typed string) []change.Event {
	var all []change.Event
	for _, e := range events {
		e.Texts = map[string]string{"reason": typed, "why": typed, "text": typed, "done": typed, "url": "https://evil.example/" + typed}
		facts := change.Facts{}
		for k, v := range e.Facts {
			facts[k] = v
		}
		for _, k := range []string{"say", "ticket", "account", "deployed", "way"} {
			if _, ok := facts[k]; ok {
				facts[k] = typed
			}
		}
		e.Facts = facts
		all = append(all, e)
	}
	return all
}

func TestThousandsOfCharactersAreCutByCharacterAndSaySo(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{strings.Repeat("<>&", 1000), strings.Repeat("é", 3000), strings.Repeat("🎉", 3000)} {
		c := withTexts(begin(t, storyRequest()).c, typed)
		b := setupPost(t)
		b.write(t, cardOf(c))
		b.write(t, askOf(c, 1))
		slack.RequireNoViolations(t, b.ws)
		got := shown(card(cardOf(c)))
		if !strings.Contains(got, " … (in full: Show)") || !utf8.ValidString(got) {
			t.Errorf("not cut as it should be: %.200s", got)
		}
	}
}
