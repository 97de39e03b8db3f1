package slackapp_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

// found puts a finding that was told into the ledger, and its message where the
// program would have posted it.
func (e *edge) found(alter ...func(*ledger.CensusRow)) (ledger.CensusRow, slack.Message) {
	e.t.Helper()
	now := ledger.Micro(e.clock.Now())
	f := ledger.CensusRow{CensusFinding: change.CensusFinding{
		Kind: change.FindingUnasked, State: change.FindingOpen, Version: 1, FirstSeen: now, LastSeen: now, ToldAt: now, UserName: "zoe <!here>",
		Key: change.AssignmentKey{InstanceARN: "arn:instance", AccountID: "111122223333", PermissionSetARN: "arn:admin", UserID: "aws-zoe"},
	}}
	for _, a := range alter {
		a(&f)
	}
	must(e.t, e.ledger.InTx(e.t.Context(), func(tx ledger.Tx) error {
		if err := tx.PutFinding(e.t.Context(), &f); err != nil {
			return err
		}
		return tx.TellFinding(e.t.Context(), f, "", change.Event{Type: change.EventCensusFound, At: now, Via: "census", Facts: f.Facts()}, now)
	}))
	d, err := e.ledger.DeliveryOf(e.t.Context(), 0, change.DeliverFinding, strconv.FormatInt(f.ID, 10))
	must(e.t, err)
	m := slackapp.NewMessenger(e.app.Slack, slackapp.Words{AuditChannel: otherChannel})
	external, err := m.Write(e.t.Context(), change.Posting{Delivery: d.Delivery, ID: d.ID, Finding: &change.CensusNotice{
		CensusFinding: f.CensusFinding, TargetName: "Production", PermissionSetName: "BreakGlassAdmin",
	}})
	must(e.t, err)
	_, err = e.pool.Exec(e.t.Context(), `UPDATE deliveries SET external_id = $2 WHERE id = $1`, d.ID, external)
	must(e.t, err)
	for _, posted := range e.ws.Messages(otherChannel) {
		if otherChannel+":"+posted.TS == external {
			return f, posted
		}
	}
	e.t.Fatal("the message is not there")
	return f, slack.Message{}
}

func (e *edge) finding(id int64) ledger.CensusRow {
	e.t.Helper()
	f, err := e.ledger.CensusFinding(e.t.Context(), id)
	must(e.t, err)
	return f
}

func (e *edge) wantEvents(want ...change.EventType) {
	e.t.Helper()
	if got := e.systemEvents(); fmt.Sprint(got) != fmt.Sprint(want) {
		e.t.Errorf("written down: %v, want %v", got, want)
	}
	if _, err := e.ledger.Verify(e.t.Context(), func(f ledger.Finding) { e.t.Errorf("the trail: %s", f) }); err != nil {
		e.t.Fatal(err)
	}
}

func TestTheCTOEndsAnAccessThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	e := setup(t)
	f, m := e.found()
	must(t, e.ws.Person(cto).Click(t.Context(), m, "End access"))
	e.toldHolds(cto, "is being removed")
	if after := e.finding(f.ID); after.State != change.FindingEnding || after.DecidedBy != cto || after.DecidedAt.IsZero() || after.NextLook.IsZero() {
		t.Errorf("the finding is %+v", after)
	}
	e.wantEvents(change.EventCensusFound, change.EventCensusEnded)
	var standing string
	var due time.Time
	must(t, e.pool.QueryRow(t.Context(), `SELECT standing, next_try FROM assignments WHERE user_id = 'aws-zoe' AND permission_set_arn = 'arn:admin'`).Scan(&standing, &due))
	if standing != "ours" || due.After(e.clock.Now()) {
		t.Errorf("the assignment is %q, due %s", standing, due)
	}
}

func TestTheCTOMarksAnAccessAsStanding(t *testing.T) {
	t.Parallel()
	e := setup(t)
	f, m := e.found()
	must(t, e.ws.Person(cto).Click(t.Context(), m, "Mark as standing"))
	e.toldHolds(cto, "Marked as standing")
	if after := e.finding(f.ID); after.State != change.FindingStanding || after.DecidedBy != cto {
		t.Errorf("the finding is %+v", after)
	}
	e.wantEvents(change.EventCensusFound, change.EventCensusStanding)
	var assignments int
	must(t, e.pool.QueryRow(t.Context(), `SELECT count(*) FROM assignments`).Scan(&assignments))
	if assignments != 0 {
		t.Error("an assignment was made of it")
	}
}

func TestWhoIsNotOfTheCTOsGroupsDecidesAboutNoFinding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		who  string
		says string
		want []change.EventType
	}{
		"an engineer": {ada, "Only the members of", []change.EventType{change.EventCensusFound, change.EventCensusRefused}},
		"a deputy":    {deputy, "Only the members of", []change.EventType{change.EventCensusFound, change.EventCensusRefused}},
		"a guest":     {"U0GUEST", "full members", []change.EventType{change.EventCensusFound, change.EventTurnedAway}},
	} {
		for _, button := range []string{"End access", "Mark as standing"} {
			t.Run(name+", "+button, func(t *testing.T) {
				t.Parallel()
				e := setup(t)
				f, m := e.found()
				must(t, e.ws.Person(c.who).Click(t.Context(), m, button))
				e.toldHolds(c.who, c.says)
				if after := e.finding(f.ID); after.State != change.FindingOpen {
					t.Errorf("the finding is %s", after.State)
				}
				e.wantEvents(c.want...)
			})
		}
	}
}

func TestADecisionAboutAFindingNeedsALiveAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		silence func(*edge)
		button  string
	}{
		"nobody says who they are": {func(e *edge) { e.people.silent.Store(true) }, "End access"},
		"the group is silent":      {func(e *edge) { e.people.silentGroups.Store(true) }, "End access"},
		"AWS is silent": {func(e *edge) {
			e.outside.userErr = &change.OutsideError{System: change.SystemAWS, Outcome: change.NotNow}
		}, "Mark as standing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			f, m := e.found()
			c.silence(e)
			must(t, e.ws.Person(cto).Click(t.Context(), m, c.button))
			e.toldHolds(cto, "press again in a moment")
			if after := e.finding(f.ID); after.State != change.FindingOpen {
				t.Errorf("the finding is %s", after.State)
			}
		})
	}
}

func TestNobodyMarksTheirOwnAccessAsStanding(t *testing.T) {
	t.Parallel()
	e := setup(t)
	f, m := e.found(func(f *ledger.CensusRow) { f.Key.UserID = "aws-cto@example.com" })
	must(t, e.ws.Person(cto).Click(t.Context(), m, "Mark as standing"))
	e.toldHolds(cto, "your own access")
	if after := e.finding(f.ID); after.State != change.FindingOpen {
		t.Errorf("the finding is %s", after.State)
	}
	must(t, e.ws.Person(cto).Click(t.Context(), m, "End access"))
	if after := e.finding(f.ID); after.State != change.FindingEnding {
		t.Errorf("the finding is %s", after.State)
	}
}

func TestAFindingIsDecidedOnce(t *testing.T) {
	t.Parallel()
	e := setup(t)
	f, m := e.found()
	var both sync.WaitGroup
	for _, button := range []string{"End access", "Mark as standing", "End access"} {
		p, err := e.ws.Person(cto).ClickPayload(m, button)
		must(t, err)
		both.Go(func() {
			if _, err := e.ws.Deliver(t.Context(), slack.KindInteractive, p); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	first := e.finding(f.ID)
	must(t, e.ws.Person(cto).Click(t.Context(), m, "End access"))
	e.toldHolds(cto, "Somebody has decided about this already")
	if after := e.finding(f.ID); after.State != first.State || after.Version != 2 {
		t.Errorf("first %+v, then %+v", first, after)
	}
	decisions := 0
	for _, kind := range e.systemEvents() {
		if kind == change.EventCensusEnded || kind == change.EventCensusStanding {
			decisions++
		}
	}
	if decisions != 1 {
		t.Errorf("decided %d times: %v", decisions, e.systemEvents())
	}
}

func TestAClickOnAFindingThatIsOverComesTooLate(t *testing.T) {
	t.Parallel()
	e := setup(t)
	f, m := e.found()
	f.State, f.Outcome, f.ClosedAt = change.FindingClosed, change.OutcomeGone, f.ToldAt
	must(t, e.ledger.InTx(t.Context(), func(tx ledger.Tx) error { return tx.PutFinding(t.Context(), &f) }))
	must(t, e.ws.Person(cto).Click(t.Context(), m, "End access"))
	e.toldHolds(cto, "This is no more")
	var assignments int
	must(t, e.pool.QueryRow(t.Context(), `SELECT count(*) FROM assignments`).Scan(&assignments))
	if assignments != 0 {
		t.Error("the access was taken over all the same")
	}
}

func TestAFindingsButtonIsBelievedOnlyOnItsOwnMessage(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(slack.Payload) slack.Payload{
		"another finding":         func(p slack.Payload) slack.Payload { return p.Set("actions.0.value", "2") },
		"a tampered value":        func(p slack.Payload) slack.Payload { return p.Set("actions.0.value", "1; DROP TABLE changes") },
		"another message's place": func(p slack.Payload) slack.Payload { return p.Set("container.message_ts", "1700000000.000001") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			_, m := e.found()
			e.found(func(f *ledger.CensusRow) { f.Key.UserID = "aws-other" })
			p, err := e.ws.Person(cto).ClickPayload(m, "End access")
			must(t, err)
			_, err = e.ws.Deliver(t.Context(), slack.KindInteractive, forge(p))
			must(t, err)
			e.toldHolds(cto, "does not belong to a message that breakglass posted here")
			for id := range int64(2) {
				if after := e.finding(id + 1); after.State != change.FindingOpen {
					t.Errorf("finding %d is %s", id+1, after.State)
				}
			}
			e.wantEvents(change.EventCensusFound, change.EventCensusFound, change.EventForged)
		})
	}
}
