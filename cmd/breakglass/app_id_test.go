package main

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/migrations"
)

// Over HTTP a payload of any application of the workspace carries a valid signature
// if it has the secret; only the configuration says which one is meant.
func TestAPayloadOfAnotherApplicationIsRefusedWhereTheConfigurationNamesOurs(t *testing.T) {
	for configured, taken := range map[string]bool{"# app_id: A0EXAMPLE": true, "app_id: A0BREAKGLASS": true, "app_id: A0EXAMPLE": false} {
		t.Run(configured, func(t *testing.T) {
			url := databases.URL(t)
			if err := migrations.Up(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			c := openCircle(t, url, t.TempDir(), "# app_id: A0EXAMPLE", configured)
			if c.p.cfg.Slack.AppID == "" == (configured != "# app_id: A0EXAMPLE") {
				t.Fatalf("the configuration names %q", c.p.cfg.Slack.AppID)
			}
			_, err := c.world.Slack.Person(sandbox.Engineer).Command(t.Context(), sandbox.OtherChannel, "/emergency", "help")
			if taken != (err == nil) {
				t.Errorf("answered: %v", err)
			}
		})
	}
}
