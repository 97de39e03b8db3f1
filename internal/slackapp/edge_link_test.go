package slackapp_test

import (
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestWhoIsNoFullMemberLearnsNothingByLinking(t *testing.T) {
	t.Parallel()
	e := setup(t)
	c := e.request(ada)
	e.outside.mu.Lock()
	e.outside.ticketErr = &change.OutsideError{System: change.SystemJira, Call: "get issue", Outcome: change.Missing, Say: "It is not there."}
	e.outside.mu.Unlock()
	_, err := e.ws.Person("U0GUEST").Command(t.Context(), otherChannel, "/emergency", "link "+c.Number.String()+" OPS-5")
	must(t, err)
	if said := e.told("U0GUEST"); !strings.Contains(said, "full members") || strings.Contains(said, "OPS-5") || strings.Contains(said, "not there") {
		t.Errorf("a guest was told %q", said)
	}
}
