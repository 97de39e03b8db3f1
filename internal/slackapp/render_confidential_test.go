package slackapp

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// secrets are what a confidential change must not give away.
func secrets() []string {
	return []string{"queue", "Orders", "Start the old", "U0ADA", "U0CTO", "Production", "BreakGlass", "Security release", "recover", "OPS-", "INC-", "example"}
}

// leaks lists the secrets that a text holds.
func leaks(s string) []string {
	var found []string
	for _, secret := range secrets() {
		if strings.Contains(s, secret) {
			found = append(found, secret)
		}
	}
	return found
}

func TestAConfidentialChangeGivesItsNumberAwayAndNoMore(t *testing.T) {
	t.Parallel()
	for name, s := range lives(t) {
		for _, m := range s.told {
			m.c.Confidential = true
			m.c.Links = []string{"https://example.com/queue"}
			for _, p := range m.postings() {
				msg := storyWords().render(p)
				if msg == nil {
					continue
				}
				if found := leaks(msg.text); len(found) > 0 {
					t.Errorf("%s: the notification of %s %s gives %q away: %s", name, p.Delivery.Kind, p.Delivery.Ref.Message, found, msg.text)
				}
				if msg.text != "EC-12: confidential" {
					t.Errorf("%s: the notification of %s is %q", name, p.Delivery.Kind, msg.text)
				}
				raw, err := json.Marshal(msg.blocks)
				if err != nil {
					t.Fatal(err)
				}
				if found := leaks(string(raw)); p.Delivery.To == "" && len(found) > 0 {
					t.Errorf("%s: %s in a channel gives %q away: %s", name, p.Delivery.Kind, found, raw)
				}
				if p.Delivery.To == "" {
					wantWords(t, msg, "# EC-12 · confidential\n\n[Show]")
				}
				p.Outside = true
				if msg := storyWords().render(p); msg != nil {
					wantWords(t, msg, "# EC-12 · confidential\n\n[Show]")
				}
			}
		}
	}
}

func TestAConfidentialChangeHasNoTimelineInItsThread(t *testing.T) {
	t.Parallel()
	s := begin(t, storyRequest())
	s.c.Confidential = true
	if m := storyWords().render(change.Posting{Change: s.c, Delivery: change.Delivery{Kind: change.DeliverThread}, Event: s.events[0]}); m != nil {
		t.Errorf("a reply was written: %s", m.text)
	}
}

func TestItsOwnPeopleSeeAConfidentialChangeInFull(t *testing.T) {
	t.Parallel()
	req := storyRequest()
	req.Kind = "secret"
	s := begin(t, req)
	wantWords(t, storyWords().render(askOf(s.c, 1)), "> Restart the <queue> & its workers", "BreakGlassAdmin in Production")
	p := cardOf(s.c)
	p.Delivery.To = ada
	wantWords(t, card(p), "> Restart the <queue> & its workers")
	wantWords(t, storyWords().render(cardOf(s.c)), "# EC-12 · confidential\n\n[Show]")
}

func TestACTOWhoIsNotInvolvedHearsOfABreachByNumberOnly(t *testing.T) {
	t.Parallel()
	req := storyRequest()
	req.Kind = "secret"
	s := begin(t, req).active().wait(30 * time.Hour).wait(time.Second)
	e := change.Event{Type: change.EventBreached, Facts: change.Facts{"obligation": "record"}}
	d := change.Delivery{Kind: change.DeliverDirect, To: deputy, Ref: change.Ref{Message: change.MessageBreach, Obligation: change.OweRecord}}
	p := change.Posting{Change: s.c, Event: e, Delivery: d, Outside: true}
	raw := shown(storyWords().render(p))
	if found := leaks(raw); len(found) > 0 {
		t.Errorf("%q given away: %s", found, raw)
	}
	p.Outside = false
	wantWords(t, storyWords().render(p), "Restart the &lt;queue&gt;", "[Show]")
	p.Waivable = true
	wantWords(t, storyWords().render(p), "[Waive]")
}
