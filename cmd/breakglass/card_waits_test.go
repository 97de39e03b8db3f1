package main

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// What the card itself had to wait for is over once it arrives. Nobody would take
// it off the card again.
func TestACardThatArrivesLateDoesNotSayThatSlackIsWaitedFor(t *testing.T) {
	t.Parallel()
	s, err := openScene(t.Context(), scenePool(t), sceneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	c, err := s.submit((&tale{}).access(), sandbox.Engineer)
	if err != nil {
		t.Fatal(err)
	}
	must(t, s.work)
	s.world.Slack.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "chat.update", Times: 1})
	must(t,
		func() error {
			_, err := s.command(c.Number, change.AddNote{Text: "It hangs again"}, sandbox.Engineer)
			return err
		},
		s.work)
	if waiting, err := s.ledger.Waiting(t.Context(), c.Number); err != nil || waiting[change.SystemSlack] == "" {
		t.Fatalf("the card was not put off: %v, %v", waiting, err)
	}
	must(t, func() error { _, err := s.run(time.Minute, 200); return err })
	if text := s.world.Slack.RenderMessage("", s.world.Slack.Messages(sandbox.Channel)[0]); strings.Contains(text, "Waiting for") {
		t.Errorf("the card says %q", text)
	}
}
