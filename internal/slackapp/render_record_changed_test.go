package slackapp

import (
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestTheThreadSaysThatARecordWasChangedAfterItsSignOff(t *testing.T) {
	t.Parallel()
	for want, facts := range map[string]change.Facts{
		"<@U0ADA> wrote the record.":                                                  {"revision": 1},
		"<@U0ADA> wrote the record, revision 2.":                                      {"revision": 2},
		"<@U0ADA> wrote the record, revision 2, after it was signed off by <@U0CTO>.": {"revision": 2, "after_sign_off": true, "signed_by": "U0CTO"},
	} {
		if got := threadLine(&change.Change{}, change.Event{Type: change.EventRecordWritten, Actor: "U0ADA", Facts: facts}); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
