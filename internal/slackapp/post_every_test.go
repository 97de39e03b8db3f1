package slackapp

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestEveryMessageAtEveryMomentIsOneThatSlackTakes(t *testing.T) {
	t.Parallel()
	for name, s := range lives(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPost(t)
			card := b.write(t, cardOf(s.c))
			external := ""
			for _, p := range s.postings() {
				p.Card = card
				if p.Delivery.Kind == change.DeliverThread && p.Change.Confidential {
					if got := b.write(t, p); got != "" {
						t.Errorf("a reply about a confidential change was posted: %s", got)
					}
					continue
				}
				if external = b.write(t, p); external == "" {
					t.Errorf("%s %s was not posted", p.Delivery.Kind, p.Delivery.Ref.Message)
				}
				p.External = external
				if again := b.write(t, p); again != external {
					t.Errorf("%s moved from %s to %s by an edit", p.Delivery.Kind, external, again)
				}
			}
			slack.RequireNoViolations(t, b.ws)
		})
	}
}
