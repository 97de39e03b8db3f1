package slackapp

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestASealStandsInTheAuditChannelWithItsHash(t *testing.T) {
	t.Parallel()
	at := func(day int) change.Day { return change.DayOf(time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC)) }
	hash := strings.Repeat("0123456789abcdef", 4)
	for name, c := range map[string]struct {
		seal change.Seal
		says []string
	}{
		"the first":   {change.Seal{Number: 1, Day: at(20), Chains: 1}, []string{"Seal 1 · 2026-11-20", "The first seal", "1 chain has changed"}},
		"the next":    {change.Seal{Number: 2, Day: at(21), After: at(20), Chains: 3}, []string{"Seal 2 · 2026-11-21", "Covers the day.", "3 chains have changed"}},
		"after a gap": {change.Seal{Number: 3, Day: at(25), After: at(21)}, []string{"Seal 3 · 2026-11-25", "Covers every day after 2026-11-21", "0 chains have changed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupPost(t)
			c.seal.Hash = hash
			external := b.write(t, change.Posting{ID: 7, Seal: c.seal, Delivery: change.Delivery{Kind: change.DeliverSeal, Key: "1", Mode: change.Once}})
			all := b.ws.Messages("C0AUDIT")
			if len(all) != 1 || external == "" {
				t.Fatalf("the audit channel has %d messages; it was written to %q", len(all), external)
			}
			shown := b.ws.RenderMessage("U0CTO", all[0])
			for _, want := range append(c.says, hash) {
				if !strings.Contains(shown, want) {
					t.Errorf("without %q:\n%s", want, shown)
				}
			}
			if !strings.Contains(all[0].Text, hash) {
				t.Errorf("the notification is %q", all[0].Text)
			}
			slack.RequireNoViolations(t, b.ws)
		})
	}
}
