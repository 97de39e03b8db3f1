package slackapp_test

import (
	"slices"
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

// Words after an address would be kept as a part of it, which opens nothing then.
func TestNothingIsLinkedWithWordsBehindTheAddress(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, asItIs)
	ctx, p := t.Context(), l.ws.Person(ada)
	must(t, l.patch(mr(1)))
	for _, typed := range []string{mr(2) + " any words", "https://git.example.com/x/pull/3 any words", "https://wiki.example.com/page fix it", "OPS-5 please"} {
		_, err := p.Command(ctx, otherChannel, "/emergency", "link EC-1 "+typed)
		must(t, err)
		l.toldHolds(ada, "Give one address")
	}
	card := l.posted(1, change.DeliverCard, "card", "", `{}`, "link_merge_request "+value(1, 0), "link_record "+value(1, 0))
	for button, label := range map[string]string{"link_record": "Link", "link_merge_request": "Merge request"} {
		must(t, p.Click(ctx, card, button))
		must(t, p.Type(ctx, label, "https://git.example.com/x/pull/3 any words"))
		if said := formError(t, p.Submit(ctx)); !strings.Contains(said[label], "Give one address") {
			t.Errorf("%s says %v", label, said)
		}
		must(t, p.CloseView(ctx))
	}
	if c := l.change(1); len(c.MergeRequests) != 1 || len(c.Links) != 0 || c.Ticket != nil {
		t.Errorf("linked: %+v, %v, %+v", c.MergeRequests, c.Links, c.Ticket)
	}
}

// Whether there is such a ticket or incident is not for whoever has no part in the change.
func TestNothingIsLookedUpForWhoMayNotLink(t *testing.T) {
	t.Parallel()
	e := setup(t)
	e.request(ada)
	e.outside.set(func(o *outside) {
		o.ticketErr = &change.OutsideError{System: change.SystemJira, Outcome: change.Missing, Say: "There is none."}
		o.panics = true
	})
	for _, given := range []string{"OPS-7", "INC-7", "https://app.incident.io/incidents/7"} {
		_, err := e.ws.Person(ben).Command(t.Context(), otherChannel, "/emergency", "link EC-1 "+given)
		must(t, err)
		e.toldHolds(ben, "Only the people of this change")
	}
	events, err := e.ledger.Events(t.Context(), 1, 0, 100)
	must(t, err)
	if n := len(slices.DeleteFunc(events, func(e change.Event) bool { return e.Type != change.EventRefused })); n != 3 {
		t.Errorf("%d refusals were written down, want 3", n)
	}
}

// Whoever links once more what is linked already, has it linked, also when the change is over.
func TestALinkThatIsThereIsNoTrouble(t *testing.T) {
	t.Parallel()
	e := setup(t)
	c := e.request(ada)
	for range 2 {
		_, err := e.ws.Person(ada).Command(t.Context(), otherChannel, "/emergency", "link EC-1 OPS-7")
		must(t, err)
		e.toldHolds(ada, "Linked to EC-1")
	}
	e.carries(c.Number, ada, change.Withdraw{})
	_, err := e.ws.Person(ada).Command(t.Context(), otherChannel, "/emergency", "link EC-1 OPS-7")
	must(t, err)
	events, err := e.ledger.Events(t.Context(), 1, 0, 100)
	must(t, err)
	if slices.ContainsFunc(events, func(e change.Event) bool { return e.Type == change.EventRefused }) {
		t.Error("it was refused")
	}
}
