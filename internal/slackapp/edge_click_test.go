package slackapp_test

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	return l
}

func TestAnApproverApprovesWithOneClick(t *testing.T) {
	t.Parallel()
	e := setup(t)
	c := e.request(ada)
	must(t, e.ws.Person(cto).Click(t.Context(), e.ask(c.Number, cto), "approve"))
	if after := e.change(c.Number); after.Phase != change.Approved || after.Approver() != cto {
		t.Errorf("the change is %s, approved by %q", after.Phase, after.Approver())
	}
}

func TestWhoIsNoFullMemberOfThisWorkspaceDecidesNothing(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]string{
		"a guest": "U0GUEST", "a guest of one channel": "U0SINGLE", "a bot": "U0ROBOT",
		"a stranger from a shared channel": "U0STRANGER", "a deactivated person": "U0GONE",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// They even stand in the group: who they are counts.
			e := setup(t, withRules(func(r *change.Rules) {
				r.Groups["cto"] = change.Group{Members: []change.PersonID{cto, change.PersonID(who)}}
			}))
			c := e.request(ada)
			card := e.posted(c.Number, change.DeliverAsk, "1/group", "", `{"ask":1}`, "approve "+value(c.Number, 1))
			must(t, e.ws.Person(who).Click(t.Context(), card, "approve"))
			e.toldHolds(who, "full members of this workspace")
			if got := e.change(c.Number).Phase; got != change.Requested {
				t.Errorf("the change is %s", got)
			}
			if got := e.systemEvents(); len(got) != 1 || got[0] != change.EventTurnedAway {
				t.Errorf("written down: %v", got)
			}
		})
	}
}

func TestWhoIsNoFullMemberCannotSubmitARequest(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]string{"a guest": "U0GUEST", "a bot": "U0ROBOT", "a stranger": "U0STRANGER", "a deactivated person": "U0GONE"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			p, err := e.fill(ada).SubmitPayload()
			must(t, err)
			r, err := e.ws.Deliver(t.Context(), slack.KindInteractive, p.Set("user.id", who))
			must(t, err)
			if !strings.Contains(string(r.Body), `"reason":"Emergency changes are for full members`) {
				t.Errorf("answered %s", r.Body)
			}
			if e.newest() != 0 {
				t.Error("a change was made")
			}
		})
	}
}

func TestAButtonIsBelievedOnlyOnTheMessageItWasPostedOn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		message func(e *edge, n change.Number) slack.Message
		button  string // default: approve
		forge   func(slack.Payload) slack.Payload
	}{
		"a message that breakglass did not post": {
			message: func(e *edge, n change.Number) slack.Message {
				m := e.ask(n, cto)
				_, err := e.pool.Exec(e.t.Context(), `UPDATE deliveries SET external_id = '' WHERE kind = 'ask'`)
				must(e.t, err)
				return m
			},
		},
		"another message's place": {forge: func(p slack.Payload) slack.Payload { return p.Set("container.message_ts", "1700000000.000001") }},
		"a tampered value":        {forge: func(p slack.Payload) slack.Payload { return p.Set("actions.0.value", "1/1//0; DROP TABLE changes") }},
		"the number of another change": {forge: func(p slack.Payload) slack.Payload {
			return p.Set("actions.0.value", "2/1//0")
		}},
		"another question of the change": {forge: func(p slack.Payload) slack.Payload { return p.Set("actions.0.value", "1/2//0") }},
		"an action that the message never had": {
			message: func(e *edge, n change.Number) slack.Message {
				return e.posted(n, change.DeliverCard, "card", "", `{}`, "approve "+value(n, 1))
			},
		},
		"a harmless action that the message never had": {
			button: "remind_later",
			message: func(e *edge, n change.Number) slack.Message {
				return e.posted(n, change.DeliverSignOff, "x/"+cto, cto, `{}`, "remind_later "+value(n, 0))
			},
		},
		"somebody else's direct message": {message: func(e *edge, n change.Number) slack.Message { return e.ask(n, deputy) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			c := e.request(ada)
			e.request(ben)
			message := (*edge).askCTO
			if test.message != nil {
				message = test.message
			}
			button := "approve"
			if test.button != "" {
				button = test.button
			}
			p, err := e.ws.Person(cto).ClickPayload(message(e, c.Number), button)
			must(t, err)
			if test.forge != nil {
				p = test.forge(p)
			}
			_, err = e.ws.Deliver(t.Context(), slack.KindInteractive, p)
			must(t, err)
			e.toldHolds(cto, "does not belong to a message that breakglass posted here")
			for n := change.Number(1); n <= 2; n++ {
				if got := e.change(n).Phase; got != change.Requested {
					t.Errorf("%s is %s", n, got)
				}
			}
			if got := e.systemEvents(); len(got) != 1 || got[0] != change.EventForged {
				t.Errorf("written down: %v", got)
			}
		})
	}
}

func (e *edge) askCTO(n change.Number) slack.Message { return e.ask(n, cto) }

func TestAClickThatComesTwiceTooLateOrFromTheWrongPersonChangesNothingAndSaysWhy(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, c := t.Context(), e.request(ada)
	toCTO, toDeputy, toBen, toAda := e.ask(c.Number, cto), e.ask(c.Number, deputy), e.ask(c.Number, ben), e.ask(c.Number, ada)

	must(t, e.ws.Person(ben).Click(ctx, toBen, "approve"))
	e.toldHolds(ben, "not among the approvers")
	must(t, e.ws.Person(ada).Click(ctx, toAda, "approve"))
	e.toldHolds(ada, "You asked for this change")
	if got := e.change(c.Number).Phase; got != change.Requested {
		t.Fatalf("the change is %s", got)
	}

	must(t, e.ws.Person(cto).Click(ctx, toCTO, "approve"))
	version := e.change(c.Number).Version
	must(t, e.ws.Person(cto).Click(ctx, toCTO, "approve"))
	e.toldHolds(cto, "approved already", "@The CTO", "today")
	must(t, e.ws.Person(deputy).Click(ctx, toDeputy, "deny"))
	e.toldHolds(deputy, "approved already", "@The CTO")
	if after := e.change(c.Number); after.Version != version || after.Phase != change.Approved {
		t.Errorf("the change is %s at version %d, was %d", after.Phase, after.Version, version)
	}
	if said := e.ws.Messages(channel); len(said) != 0 {
		t.Errorf("everybody was told: %+v", said)
	}
}

func TestADecisionIsRefusedWhenWhoMayDecideCannotBeEstablished(t *testing.T) {
	t.Parallel()
	for name, silence := range map[string]func(*people){
		"groups": func(p *people) { p.silentGroups.Store(true) },
		"person": func(p *people) { p.silent.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			c := e.request(ada)
			ask := e.ask(c.Number, cto)
			silence(e.people)
			must(t, e.ws.Person(cto).Click(t.Context(), ask, "approve"))
			e.toldHolds(cto, "press again")
			if got := e.change(c.Number).Phase; got != change.Requested {
				t.Errorf("the change is %s", got)
			}
		})
	}
}

func TestLessAccessNeverWaitsForALookUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ who, action string }{{ada, "finish"}, {ada, "withdraw"}, {cto, "end_now"}} {
		t.Run(test.action, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			c := e.request(ada)
			e.activate(c.Number)
			card := e.posted(c.Number, change.DeliverCard, "card", "", `{}`, test.action+" "+value(c.Number, 0))
			e.people.silent.Store(true)
			e.people.silentGroups.Store(true)
			must(t, e.ws.Person(test.who).Click(t.Context(), card, test.action))
			if after := e.change(c.Number); after.Phase != change.Ended || after.Window.EndedBy != change.PersonID(test.who) {
				t.Errorf("the change is %s, ended by %q", after.Phase, after.Window.EndedBy)
			}
		})
	}
}

func TestFinishEndsTheAccessFirstAndThenAsksForTheRecord(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, c, p := t.Context(), e.request(ada), e.ws.Person(ada)
	e.activate(c.Number)
	card := e.posted(c.Number, change.DeliverCard, "card", "", `{}`, "finish "+value(c.Number, 0))
	must(t, p.Click(ctx, card, "finish"))
	if got := e.change(c.Number).Phase; got != change.Ended {
		t.Fatalf("the change is %s", got)
	}
	shown := e.view(ada)
	for _, want := range []string{"Write record", "What was done", "Restart <!channel> & the queue", "Why", "Orders are stuck", "Nothing was changed"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the form does not show %q:\n%s", want, shown)
		}
	}
	must(t, p.Clear(ctx, "What was done"))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["What was done"], "fill this in") {
		t.Errorf("the form says %v", said)
	}
	must(t, p.Select(ctx, "nothing_changed", "Nothing was changed"))
	must(t, p.Submit(ctx))
	if r := e.change(c.Number).Record; r.Revision != 1 || !r.NothingChanged || r.By != ada {
		t.Errorf("record: %+v", r)
	}
}

func TestADenialAsksWhyAndEverythingIsCheckedAgainWhenItIsSubmitted(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, c := t.Context(), e.request(ada)
	must(t, e.ws.Person(cto).Click(ctx, e.ask(c.Number, cto), "deny"))
	must(t, e.ws.Person(deputy).Click(ctx, e.ask(c.Number, deputy), "deny"))
	must(t, e.ws.Person(cto).Type(ctx, "Why?", "Wait for the pipeline"))
	must(t, e.ws.Person(cto).Submit(ctx))
	if after := e.change(c.Number); after.Phase != change.Denied || after.Reply != "Wait for the pipeline" {
		t.Errorf("the change is %s, because %q", after.Phase, after.Reply)
	}
	must(t, e.ws.Person(deputy).Type(ctx, "Why?", "Me too"))
	if said := formError(t, e.ws.Person(deputy).Submit(ctx)); !strings.Contains(said["Why?"], "denied already") || !strings.Contains(said["Why?"], "The CTO") {
		t.Errorf("the form says %v", said)
	}
	again := e.posted(c.Number, change.DeliverDirect, "denied/1", ada, `{"message":"denied"}`, "ask_again "+value(c.Number, 0))
	must(t, e.ws.Person(ada).Click(ctx, again, "ask_again"))
	if shown := e.view(ada); !strings.Contains(shown, "Orders are stuck") || !strings.Contains(shown, "Production") || !strings.Contains(shown, "BreakGlassAdmin") {
		t.Errorf("the form is not filled in:\n%s", shown)
	}
	must(t, e.ws.Person(ada).Submit(ctx))
	if second := e.change(2); second.Again != 1 || second.What != c.What || second.Access.PermissionSet != "admin" {
		t.Errorf("asked again: %+v", second)
	}
}

func TestTheDurationIsChangedAndAnExtensionIsAskedFor(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, p := t.Context(), e.fill(ada)
	must(t, p.Select(ctx, "For how long", "2h"))
	must(t, p.Submit(ctx))
	must(t, e.ws.Person(cto).Click(ctx, e.ask(1, cto), "change_duration"))
	must(t, e.ws.Person(cto).Select(ctx, "For how long", "1h"))
	must(t, e.ws.Person(cto).Submit(ctx))
	if a := e.current(1).OpenAsk(); a.Duration != time.Hour || a.Shortened != cto {
		t.Errorf("asked: %+v", a)
	}
	e.activate(1)
	card := e.posted(1, change.DeliverCard, "card", "", `{}`, "extend "+value(1, 0), "add_note "+value(1, 0), "link_record "+value(1, 0))
	must(t, p.Click(ctx, card, "extend"))
	must(t, p.Select(ctx, "For how much longer", "30m"))
	must(t, p.Type(ctx, "Why?", "Not done"))
	must(t, p.Submit(ctx))
	if a := e.current(1).OpenAsk(); a == nil || a.For != change.ForExtension || a.Duration != 30*time.Minute || a.Why != "Not done" {
		t.Errorf("asked: %+v", a)
	}
	must(t, p.Click(ctx, card, "add_note"))
	must(t, p.Type(ctx, "Note", "Half done"))
	must(t, p.Submit(ctx))
	for _, link := range []string{"OPS-4", "https://git.example.com/mr/1"} {
		must(t, p.Click(ctx, card, "link_record"))
		must(t, p.Type(ctx, "Link", link))
		must(t, p.Submit(ctx))
	}
	must(t, p.Click(ctx, card, "link_record"))
	must(t, p.Type(ctx, "Link", "javascript:alert(1)"))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Link"], "not a ticket") {
		t.Errorf("the form says %v", said)
	}
	if c := e.change(1); len(c.Notes) != 1 || c.Ticket == nil || c.Ticket.Key != "OPS-4" || len(c.Links) != 1 {
		t.Errorf("notes %+v, ticket %+v, links %v", c.Notes, c.Ticket, c.Links)
	}
}

func TestAReviewIsKeptAsADraftAndThenSubmitted(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, c, p := t.Context(), e.request(ada), e.ws.Person(ada)
	e.activate(c.Number)
	e.system(c.Number, change.Finish{})
	ended := e.posted(c.Number, change.DeliverDirect, "ended/1", ada, `{"message":"ended"}`, "write_review "+value(c.Number, 0))
	must(t, p.Click(ctx, ended, "write_review"))
	if shown := e.view(ada); !strings.Contains(shown, "Post-incident review") || !strings.Contains(shown, "Restart <!channel> & the queue") {
		t.Errorf("the form is not filled in:\n%s", shown)
	}
	must(t, p.Type(ctx, "What would prevent the same situation", "A restart job"))
	must(t, p.ClickInView(ctx, "Save draft"))
	if d := e.change(c.Number).Review.Draft; d.Prevent != "A restart job" || d.What == "" {
		t.Errorf("draft: %+v", d)
	}
	if shown := e.view(ada); !strings.Contains(shown, "Draft saved") || !strings.Contains(shown, "A restart job") {
		t.Errorf("after saving:\n%s", shown)
	}
	must(t, p.CloseView(ctx))
	must(t, p.Click(ctx, ended, "write_review"))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Why is no action needed"], "preventive action") {
		t.Errorf("the form says %v", said)
	}
	must(t, p.Type(ctx, "Preventive action 3", "Add an alert"))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Owner 3"], "who owns") || len(said) != 1 {
		t.Errorf("the form says %v", said)
	}
	must(t, p.ClickInView(ctx, "Save draft"))
	must(t, p.CloseView(ctx))
	must(t, p.Click(ctx, ended, "write_review"))
	if shown := e.view(ada); !strings.Contains(shown, "Preventive action 3 (optional)\n   > Add an alert") {
		t.Errorf("after the draft:\n%s", shown)
	}
	must(t, p.Type(ctx, "Preventive action 3", ""))
	must(t, p.Type(ctx, "Preventive action", "Add a restart job"))
	must(t, p.Select(ctx, "Owner", ben))
	if said := formError(t, p.Submit(ctx)); !strings.Contains(said["Due"], "by when") {
		t.Errorf("the form says %v", said)
	}
	must(t, p.Type(ctx, "Due", "2026-04-01"))
	must(t, p.Submit(ctx))
	r := e.change(c.Number).Review
	if r.Submitted.IsZero() || len(r.Text.Actions) != 1 || r.Text.Actions[0].Owner != ben || r.Text.Actions[0].Due.Format(time.DateOnly) != "2026-04-01" {
		t.Errorf("review: %+v", r)
	}
}

func TestASignerSignsOffAndAReminderIsPutOff(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, c := t.Context(), e.request(ada)
	must(t, e.giveTicket(c.Number))
	e.activate(c.Number)
	e.system(c.Number, change.Finish{})
	reminder := e.posted(c.Number, change.DeliverReminder, "record-0/rung-1/"+ada, ada, `{"obligation":"record"}`, "remind_later 1/0/record/0")
	must(t, e.ws.Person(ada).Click(ctx, reminder, "remind_later"))
	if o := e.current(c.Number).Owes(change.OweRecord, 0); !o.Snoozed.Equal(e.clock.Now().Add(2 * time.Hour)) {
		t.Errorf("put off until %v", o.Snoozed)
	}
	e.toldHolds(ada, "You will be reminded again")
	toBen := e.posted(c.Number, change.DeliverSignOff, "x/"+ben, ben, `{}`, "sign_off "+value(c.Number, 0))
	must(t, e.ws.Person(ben).Click(ctx, toBen, "sign_off"))
	e.toldHolds(ben, "not among those who sign")
	toCTO := e.posted(c.Number, change.DeliverSignOff, "x/"+cto, cto, `{}`, "sign_off "+value(c.Number, 0))
	must(t, e.ws.Person(cto).Click(ctx, toCTO, "sign_off"))
	if o := e.current(c.Number).Owes(change.OweSignOff, 0); o.State != change.Done || o.Proof.By != cto {
		t.Errorf("sign-off: %+v", o)
	}
}

func (e *edge) giveTicket(n change.Number) error {
	_, err := e.app.Workflow.Do(e.t.Context(), n, change.LinkTicket{Ticket: change.TicketRef{ID: "1", Key: "OPS-1", URL: "https://jira.example.com/browse/OPS-1"}, Ours: true}, change.Itself("test"))
	return err
}

func TestOnlyApproversDecideAboutAccessThatWasThereBefore(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, c := t.Context(), e.request(ada)
	e.activate(c.Number)
	_, err := e.pool.Exec(ctx, `UPDATE assignments SET standing = 'found'`)
	must(t, err)
	message := e.posted(c.Number, change.DeliverAudit, "9", "", `{"seq":9}`, "mark_standing "+value(c.Number, 0), "end_access "+value(c.Number, 0))
	must(t, e.ws.Person(ada).Click(ctx, message, "mark_standing"))
	e.toldHolds(ada, "Only the approvers")
	must(t, e.ws.Person(cto).Click(ctx, message, "end_access"))
	e.toldHolds(cto, "being removed")
	if a, err := e.ledger.AssignmentOf(ctx, c.Number); err != nil || a.Standing != ledger.StandingOurs {
		t.Errorf("assignment: %+v, %v", a, err)
	}
	must(t, e.ws.Person(cto).Click(ctx, message, "mark_standing"))
	e.toldHolds(cto, "decided about this access already")
	events, err := e.ledger.Events(ctx, c.Number, 0, 100)
	must(t, err)
	decided := slices.DeleteFunc(events, func(x change.Event) bool {
		return x.Type != change.EventStandingEnded && x.Type != change.EventStandingKept
	})
	if len(decided) != 1 || decided[0].Type != change.EventStandingEnded || decided[0].Actor != cto {
		t.Errorf("written down: %+v", decided)
	}
}

func TestShowTellsWhatIsKnownAndTurnsPages(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx, c, p := t.Context(), e.request(ada), e.ws.Person(ben)
	e.activate(c.Number)
	for range 40 {
		_, err := e.ws.Person(ada).Command(ctx, otherChannel, "/emergency", "note EC-1 "+strings.Repeat("<&> ", 300))
		must(t, err)
	}
	card := e.posted(c.Number, change.DeliverCard, "card", "", `{}`, "show "+value(c.Number, 0))
	must(t, p.Click(ctx, card, "show"))
	shown := e.view(ben)
	for _, want := range []string{"EC-1", "active until", "record due", "Asked by", "@Ada", "Timeline", "Older"} {
		if !strings.Contains(shown, want) {
			t.Errorf("shown without %q:\n%s", want, shown)
		}
	}
	for range 10 {
		if !strings.Contains(e.view(ben), "Older") {
			break
		}
		must(t, p.ClickInView(ctx, "Older"))
	}
	if shown := e.view(ben); !strings.Contains(shown, "requested") || strings.Contains(shown, "Older") {
		t.Errorf("the first page:\n%s", shown)
	}
}

func (e *edge) current(n change.Number) *change.Change {
	e.t.Helper()
	c := e.change(n)
	return &c
}
