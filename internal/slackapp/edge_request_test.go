package slackapp_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func TestARequestIsStoredAsItWasTyped(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, p := t.Context(), e.fill(ada)
	shown := e.view(ada)
	for _, want := range []string{"Emergency change", "wait it out", "Restart <!channel> & the queue", "Orders are stuck", "Production", "BreakGlassAdmin", "30m", "(•) Open it now", "[ Request ]"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the form does not show %q:\n%s", want, shown)
		}
	}
	must(t, p.Select(ctx, "For how long", "2h"))
	must(t, p.Submit(ctx))
	if _, open := e.ws.View(ada); open {
		t.Error("the form is still open")
	}
	c := e.change(1)
	if c.Phase != change.Requested || c.Requester != ada || c.What != "Restart <!channel> & the queue" || c.Why != "Orders are stuck" || c.Reason != "stuck" || c.Kind != "production" {
		t.Errorf("stored: %+v", c)
	}
	if a := c.Access; a == nil || a.Target != "production" || a.PermissionSet != "admin" || a.Asked != 2*time.Hour || a.Key.UserID != "aws-ada@example.com" || a.AlreadyThere == nil || *a.AlreadyThere {
		t.Errorf("access: %+v", c.Access)
	}
	if c.Record.Choice != change.TicketNow || c.Incident != nil {
		t.Errorf("record %+v, incident %+v", c.Record, c.Incident)
	}
}

func TestTheFormOpensAndKeepsWhatWasTypedWhileTheDatabaseIsDown(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=1")
	must(t, err)
	t.Cleanup(pool.Close)
	e := setupOn(t, pool)
	p := e.fill(ada)
	said := formError(t, p.Submit(t.Context()))
	if len(said) != 1 || !strings.Contains(said["Why can't the release process be used?"], "could not be saved") {
		t.Errorf("the form says %v", said)
	}
	if shown := e.view(ada); !strings.Contains(shown, "Orders are stuck") || !strings.Contains(shown, "BreakGlassAdmin") {
		t.Errorf("what was typed is lost:\n%s", shown)
	}
}

func TestNoneOfTheseEndsInTheReleaseProcessAndIsCounted(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, p := t.Context(), e.ws.Person(ada)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(t, err)
	must(t, p.Select(ctx, "Why can't the release process be used?", "None of these"))
	if shown := e.view(ada); !strings.Contains(shown, "release process") || !strings.Contains(shown, "handbook.example.com") || strings.Contains(shown, "[ Request ]") {
		t.Errorf("the form shows:\n%s", shown)
	}
	if got := e.systemEvents(); len(got) != 1 || got[0] != change.EventStandardPath {
		t.Errorf("counted: %v", got)
	}
}

func TestQuestionsAndAnOptionalPlaceBelongToTheirKind(t *testing.T) {
	t.Parallel()
	e := setup(t)
	e.outside.set(func(o *outside) { o.incidents = []change.Incident{liveIncident()} })
	ctx, p := t.Context(), e.ws.Person(cto)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(t, err)
	must(t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	must(t, p.Type(ctx, "What will you change?", "Fail over"))
	must(t, p.Type(ctx, "Why is it needed now?", "It burns"))
	must(t, p.Select(ctx, "Kind of change", "Manual change"))
	must(t, p.Select(ctx, "Criticality", "C2"))
	must(t, p.Type(ctx, "How will it be rolled back?", "Fail back"))
	offered, err := p.Search(ctx, "Active incident", "")
	must(t, err)
	if len(offered) != 2 || offered[1] != "Open an incident" || offered[0] != "INC-7 Orders are stuck (Investigating)" {
		t.Errorf("offered: %q", offered)
	}
	must(t, p.Select(ctx, "Active incident", offered[0]))
	if shown := e.view(cto); strings.Contains(shown, "Open it now") || !strings.Contains(shown, "Fail back") {
		t.Errorf("during an incident its own record is the record, and what was typed stays:\n%s", shown)
	}
	must(t, p.Submit(ctx))
	c := e.change(1)
	if c.Access != nil || c.Incident == nil || c.Incident.Now.Reference != "INC-7" || c.Record.In != change.RecordInIncident || len(c.Answers) != 2 || c.Answers[0].Text != "C2" || c.Answers[1].Text != "Fail back" {
		t.Errorf("stored: %+v", c)
	}
}

func TestWhetherAPersonMayAskForAKindIsAnsweredAtTheSubmission(t *testing.T) {
	t.Parallel()
	e := setup(t)
	e.outside.set(func(o *outside) { o.incidents = []change.Incident{liveIncident()} })
	ctx, p := t.Context(), e.ws.Person(ada)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(t, err)
	must(t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	must(t, p.Type(ctx, "What will you change?", "Fail over"))
	must(t, p.Type(ctx, "Why is it needed now?", "It burns"))
	must(t, p.Select(ctx, "Kind of change", "Manual change"))
	must(t, p.Select(ctx, "Criticality", "C1"))
	must(t, p.Type(ctx, "How will it be rolled back?", "Fail back"))
	must(t, p.Select(ctx, "Active incident", "inc7"))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Kind of change"], "may not ask") {
		t.Errorf("the form says %v", said)
	}
	if e.newest() != 0 {
		t.Error("a change was made")
	}
}

func liveIncident() change.Incident {
	return change.Incident{ID: "inc7", Reference: "INC-7", Name: "Orders are stuck", Status: "Investigating", Category: change.IncidentLive, SlackChannel: otherChannel, Created: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

func TestADefiniteNoIsSaidAtItsInputAndSilenceIsNone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set   func(*outside)
		do    func(e *edge) error
		label string // empty: it is accepted
		say   string
		check func(change.Change) bool
	}{
		"no AWS user": {set: func(o *outside) { o.userErr = refusal(change.SystemAWS, "There is no AWS user.") }, label: "Where", say: "There is no AWS user."},
		"AWS is silent": {set: func(o *outside) { o.userErr = silence(change.SystemAWS) }, check: func(c change.Change) bool {
			return c.Access.Key.UserID == "" && c.Access.AlreadyThere == nil
		}},
		"has the access already": {set: func(o *outside) { o.there = true }, check: func(c change.Change) bool { return *c.Access.AlreadyThere }},
		"no such ticket": {
			set: func(o *outside) {
				o.ticketErr = &change.OutsideError{Outcome: change.Missing, Say: "There is no OPS-1."}
			},
			do: ticketStep("ops-1"), label: "Ticket", say: "There is no ticket OPS-1",
		},
		"a ticket of another project": {do: ticketStep("XX-1"), label: "Ticket", say: "not a ticket of OPS"},
		"Jira is silent": {set: func(o *outside) { o.ticketErr = silence(change.SystemJira) }, do: ticketStep("ops-1"), check: func(c change.Change) bool {
			return c.Ticket.Key == "OPS-1" && !c.Ticket.Checked
		}},
		"a ticket that is there": {do: ticketStep("OPS-1"), check: func(c change.Change) bool { return c.Ticket.Checked && c.Ticket.ID == "101" }},
		"an incident that has ended meanwhile": {do: func(e *edge) error {
			e.outside.set(func(o *outside) { o.incidents = []change.Incident{liveIncident()} })
			if err := e.ws.Person(ada).Select(e.t.Context(), "Active incident", "inc7"); err != nil {
				return err
			}
			e.outside.set(func(o *outside) { o.incidents[0].Category = change.IncidentClosed })
			return nil
		}, label: "Active incident", say: "no longer active"},
		"incident.io is silent": {do: func(e *edge) error {
			e.outside.set(func(o *outside) { o.incidents = []change.Incident{liveIncident()} })
			err := e.ws.Person(ada).Select(e.t.Context(), "Active incident", "inc7")
			e.outside.set(func(o *outside) { o.incErr = silence(change.SystemIncident) })
			return err
		}, check: func(c change.Change) bool { return c.Incident != nil && c.Incident.Now.Name == "Orders are stuck" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			p := e.fill(ada)
			if test.set != nil {
				e.outside.set(test.set)
			}
			if test.do != nil {
				must(t, test.do(e))
			}
			err := p.Submit(t.Context())
			if test.label == "" {
				must(t, err)
				if c := e.change(1); !test.check(c) {
					t.Errorf("stored: %+v, access %+v, ticket %+v", c, c.Access, c.Ticket)
				}
				return
			}
			if said := formError(t, err); !strings.Contains(said[test.label], test.say) {
				t.Errorf("the form says %v", said)
			}
			if e.newest() != 0 {
				t.Error("a change was made")
			}
		})
	}
}

func ticketStep(key string) func(e *edge) error {
	return func(e *edge) error {
		p := e.ws.Person(ada)
		if err := p.Select(e.t.Context(), "Record", "Link an existing ticket"); err != nil {
			return err
		}
		return p.Type(e.t.Context(), "Ticket", key)
	}
}

func TestADuplicateSubmissionMakesOneChange(t *testing.T) {
	t.Parallel()
	e := setup(t)
	p := e.fill(ada)
	payload, err := p.SubmitPayload()
	must(t, err)
	for range 2 {
		r, err := e.ws.Deliver(t.Context(), "interactive", payload)
		must(t, err)
		if r.Status != 200 || len(r.Body) != 0 {
			t.Fatalf("answered %d %s", r.Status, r.Body)
		}
		e.clock.forward(time.Second) // signed anew: only the ledger knows it
	}
	if n := e.newest(); n != 1 {
		t.Errorf("%d changes, want one", n)
	}
}

func TestAReasonThatSlackWouldNotLetThroughIsRefusedGracefully(t *testing.T) {
	t.Parallel()
	e := setup(t)
	p := e.fill(ada)
	payload, err := p.SubmitPayload()
	must(t, err)
	payload = payload.Set("view.state.values.why.why.value", strings.Repeat("ä", 3500))
	r, err := e.ws.Deliver(t.Context(), "interactive", payload)
	must(t, err)
	if r.Status != 200 || !strings.Contains(string(r.Body), `"why":"This is too long`) {
		t.Errorf("answered %d %s", r.Status, r.Body)
	}
}

func TestAReportAsksWhenAndByWhomAndNeedsNoApproval(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, p := t.Context(), e.ws.Person(ada)
	_, err := p.Command(ctx, otherChannel, "/emergency", "report")
	must(t, err)
	must(t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	must(t, p.Type(ctx, "What will you change?", "Restarted the queue"))
	must(t, p.Type(ctx, "Why is it needed now?", "It was stuck"))
	must(t, p.Select(ctx, "Kind of change", "Work on production directly"))
	must(t, p.Select(ctx, "Where", "Production"))
	if shown := e.view(ada); strings.Contains(shown, "Permission set") || strings.Contains(shown, "For how long") {
		t.Errorf("a report asks for access:\n%s", shown)
	}
	must(t, p.Select(ctx, "Who made the change?", ben))
	must(t, p.Select(ctx, "Who gave the access?", cto))
	must(t, p.Pick(ctx, "When was the change made?", e.clock.Now().Add(time.Hour)))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["When was the change made?"], "future") {
		t.Errorf("the form says %v", said)
	}
	must(t, p.Pick(ctx, "When was the change made?", e.clock.Now().Add(-time.Hour)))
	must(t, p.Submit(ctx))
	c := e.change(1)
	if c.Phase != change.Ended || c.Implementer != ben || c.Report == nil || c.Report.GivenBy != cto || !c.Report.MadeAt.Equal(e.clock.Now().Add(-time.Hour)) || len(c.Asks) != 0 {
		t.Errorf("stored: %+v", c)
	}
}

func TestAFormSubmittedBeforeItWasRebuiltGrowsInsteadOfFailing(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, p := t.Context(), e.ws.Person(ada)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(t, err)
	must(t, p.Type(ctx, "What will you change?", "x"))
	must(t, p.Type(ctx, "Why is it needed now?", "y"))
	payload, err := p.SubmitPayload()
	must(t, err)
	payload = payload.Set("view.state.values.reason.reason.selected_option", map[string]any{"value": "stuck", "text": map[string]any{"type": "plain_text", "text": "The platform cannot recover"}})
	r, err := e.ws.Deliver(ctx, "interactive", payload)
	must(t, err)
	if body := string(r.Body); !strings.Contains(body, `"response_action":"update"`) || !strings.Contains(body, "Kind of change") {
		t.Errorf("answered %s", body)
	}
}

func TestEveryListStaysWithinSlacksLimits(t *testing.T) {
	t.Parallel()
	e := setup(t, withRules(func(r *change.Rules) {
		r.Targets = nil
		for i := range 300 {
			target := change.Target{ID: change.TargetID("target-" + number(i)), Name: strings.Repeat("Very long name ", 8) + number(i), AccountID: "111122223333"}
			for j := range 300 {
				target.PermissionSets = append(target.PermissionSets, change.PermissionSet{ID: change.PermissionSetID("set-" + number(j)), Name: "Set " + number(j) + strings.Repeat("ß", 90), ARN: "arn:" + number(j), MaxDuration: 4 * time.Hour})
			}
			r.Targets = append(r.Targets, target)
		}
	}))
	ctx, p := t.Context(), e.ws.Person(ada)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(t, err)
	must(t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	must(t, p.Select(ctx, "Kind of change", "Work on production directly"))
	all, err := p.Search(ctx, "Where", "")
	must(t, err)
	if len(all) == 0 || len(all) > 100 {
		t.Errorf("%d places offered", len(all))
	}
	must(t, p.Select(ctx, "Where", "target-299"))
	all, err = p.Search(ctx, "Permission set", "set 12")
	must(t, err)
	if len(all) == 0 || len(all) > 100 {
		t.Errorf("%d permission sets offered", len(all))
	}
	must(t, p.Select(ctx, "Permission set", "set-299"))
	must(t, p.Type(ctx, "What will you change?", "x"))
	must(t, p.Type(ctx, "Why is it needed now?", "y"))
	must(t, p.Submit(ctx))
	if a := e.change(1).Access; a.Target != "target-299" || a.PermissionSet != "set-299" {
		t.Errorf("stored: %+v", a)
	}
}

func number(i int) string {
	return string([]byte{byte('0' + i/100), byte('0' + i/10%10), byte('0' + i%10)})
}

// chosen gives the payload of the newest choice that was made in a form.
func (e *edge) chosen() slack.Payload {
	e.t.Helper()
	var p slack.Payload
	for _, d := range e.ws.Deliveries() {
		form, err := url.ParseQuery(string(d.Body))
		must(e.t, err)
		if raw := form.Get("payload"); strings.Contains(raw, `"type":"block_actions"`) {
			p = nil
			must(e.t, json.Unmarshal([]byte(raw), &p))
		}
	}
	return p
}

func TestOfTwoChoicesInAFormTheLaterWinsWhicheverArrivesFirst(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, p := t.Context(), e.ws.Person(ada)
	_, err := p.Command(ctx, otherChannel, "/emergency", "")
	must(t, err)
	must(t, p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover"))
	earlier := e.chosen()
	must(t, p.Select(ctx, "Kind of change", "Work on production directly"))
	later := e.chosen()

	e.clock.forward(time.Second)
	_, err = e.ws.Deliver(ctx, slack.KindInteractive, earlier) // delayed: its hash is stale
	must(t, err)
	if shown := e.view(ada); !strings.Contains(shown, "Where") {
		t.Errorf("the earlier choice has replaced the later form:\n%s", shown)
	}
	e.clock.forward(time.Second)
	_, err = e.ws.Deliver(ctx, slack.KindInteractive, later.Set("view.hash", "1.stale").Set("actions.0.action_ts", "9999999999.000000"))
	must(t, err)
	updates := e.ws.Calls("views.update")
	if last := updates[len(updates)-1]; last.Error != "" {
		t.Errorf("the newest choice was not shown: %s", last.Error)
	}
}
