package slackapp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

// ended takes a change to its end.
func (e *edge) ended(n change.Number) change.Change {
	e.t.Helper()
	e.activate(n)
	return e.system(n, change.EndNow{})
}

// newestPrivate is the newest message that only one person sees.
func (e *edge) newestPrivate(who string) slack.Message {
	e.t.Helper()
	all := e.ws.Ephemerals(who)
	if len(all) == 0 {
		e.t.Fatalf("%s was told nothing", who)
	}
	return all[len(all)-1]
}

func TestAnApproverWaivesFromWhatShowAnswers(t *testing.T) {
	t.Parallel()
	e := setup(t)
	n := e.ended(e.request(ada).Number).Number
	if said := e.types(ada, "show 1"); strings.Contains(said, "[ Waive ]") {
		t.Errorf("whoever asked for the change may waive: %s", said)
	}
	if said := e.types(ben, "show 1"); strings.Contains(said, "[ Waive ]") {
		t.Errorf("anybody may waive: %s", said)
	}
	e.types(cto, "show 1")
	p := e.ws.Person(cto)
	must(t, p.Click(t.Context(), e.newestPrivate(cto), "Waive"))
	e.app.Wait()
	must(t, p.Select(t.Context(), "What is waived", "Post-incident review"))
	must(t, p.Type(t.Context(), "Why?", "A false alarm <!channel>"))
	must(t, p.Submit(t.Context()))
	after := e.change(n)
	if o := after.Owes(change.OweReview, 0); o.State != change.Waived || o.Waiver != "A false alarm <!channel>" || o.Proof.By != cto {
		t.Errorf("the review is %+v", o)
	}
	if said := e.types(ada, "show 1"); !strings.Contains(said, "Waived") || !strings.Contains(said, "A false alarm") {
		t.Errorf("it is not shown: %s", said)
	}
}

func TestAnApproverWaivesFromTheFormThatShowsTheChange(t *testing.T) {
	t.Parallel()
	e := setup(t)
	n := e.ended(e.request(ada).Number).Number
	card := e.posted(n, change.DeliverCard, "card", "", `{}`, "show "+value(n, 0))
	p := e.ws.Person(deputy)
	must(t, p.Click(t.Context(), card, "show"))
	must(t, p.ClickInView(t.Context(), "Waive"))
	must(t, p.Select(t.Context(), "What is waived", "Record"))
	must(t, p.Type(t.Context(), "Why?", "It is written elsewhere"))
	must(t, p.Submit(t.Context()))
	after := e.change(n)
	if o := after.Owes(change.OweRecord, 0); o.State != change.Waived || o.Proof.By != deputy {
		t.Errorf("the record is %+v", o)
	}
	if v, open := e.ws.View(deputy); open {
		t.Errorf("a view from before the waiver stays open:\n%s", e.ws.RenderView(v))
	}
}

func TestAWaiverIsRefusedAtTheButtonWithTheReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		who    string
		before func(e *edge, n change.Number)
		told   string
	}{
		"one's own":       {ada, nil, "only another approver may waive"},
		"no approver":     {ben, nil, "Only the approvers of EC-1 may waive"},
		"nothing is owed": {cto, func(e *edge, n change.Number) { e.waiveAll(n) }, "owes nothing that could be waived"},
		"what one owes":   {cto, func(e *edge, n change.Number) { e.system(n, change.OwnerGone{Person: ada}) }, "is yours, so another approver"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			n := e.ended(e.request(ada).Number).Number
			if c.before != nil {
				c.before(e, n)
			}
			m := e.posted(n, change.DeliverDirect, "breach/1/"+c.who, c.who, `{"message":"breach","obligation":"record"}`, "waive "+strings.TrimPrefix(n.String(), "EC-")+"/0/record/0")
			must(t, e.ws.Person(c.who).Click(t.Context(), m, "waive"))
			e.toldHolds(c.who, c.told)
		})
	}
}

// waiveAll waives everything, by whoever may.
func (e *edge) waiveAll(n change.Number) {
	e.t.Helper()
	c := e.change(n)
	for _, o := range c.Owing() {
		_, err := e.app.Workflow.Do(e.t.Context(), n, change.Waive{Obligation: o.Name, Item: o.Item, Reason: "x"}, change.Actor{
			ID: cto, Standing: change.Member, Via: "test",
			Groups: change.GroupView{"cto": {Known: true, People: []change.PersonID{cto}}, "deputies": {Known: true}},
		})
		must(e.t, err)
	}
}

func TestABreachOffersWhatItIsAbout(t *testing.T) {
	t.Parallel()
	e := setup(t)
	n := e.ended(e.request(ada).Number).Number
	m := e.posted(n, change.DeliverDirect, "breach/1/"+deputy, deputy, `{"message":"breach","obligation":"record"}`, "waive "+strings.TrimPrefix(n.String(), "EC-")+"/0/record/0")
	p := e.ws.Person(deputy)
	must(t, p.Click(t.Context(), m, "waive"))
	must(t, p.Type(t.Context(), "Why?", "It is written elsewhere")) // what is waived is chosen already
	must(t, p.Submit(t.Context()))
	after := e.change(n)
	if o := after.Owes(change.OweRecord, 0); o.State != change.Waived {
		t.Errorf("the record is %+v", o)
	}
}

func TestTheReviewAsksForTheRootCauseWhereItsKindDoes(t *testing.T) {
	t.Parallel()
	e := setup(t, withRules(func(r *change.Rules) { r.Kinds[0].RootCause = true }))
	n := e.ended(e.request(ada).Number).Number
	ask := func() slack.Person {
		m := e.posted(n, change.DeliverDirect, "ended/1/"+ada, ada, `{"message":"ended"}`, "write_review "+value(n, 0))
		p := e.ws.Person(ada)
		must(t, p.Click(t.Context(), m, "write_review"))
		return p
	}
	p := ask()
	must(t, p.Type(t.Context(), "Root-cause analysis", "A node was lo"))
	must(t, p.ClickInView(t.Context(), "Save draft"))
	must(t, p.CloseView(t.Context()))
	p = ask()
	if v := e.view(ada); !strings.Contains(v, "A node was lo") {
		t.Errorf("the draft is lost: %s", v)
	}
	must(t, p.Clear(t.Context(), "Root-cause analysis"))
	must(t, p.Type(t.Context(), "What would prevent the same situation", "A spare"))
	must(t, p.Type(t.Context(), "Why is no action needed", "Bought"))
	if refused := formError(t, p.Submit(t.Context())); refused["Root-cause analysis"] == "" {
		t.Errorf("refused at %v", refused)
	}
	must(t, p.Type(t.Context(), "Root-cause analysis", "A node was lost"))
	must(t, p.Submit(t.Context()))
	if got := e.change(n).Review.Text.RootCause; got != "A node was lost" {
		t.Errorf("the root cause is %q", got)
	}
}

// Whatever somebody outside presses, they learn the number and no more: neither
// what it is nor where it stands.
func TestAPressOutsideAConfidentialChangeTellsNothing(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"requested", "ended"} {
		e := setup(t)
		n := e.request(ada).Number
		e.confidential(n)
		if stage == "ended" {
			e.ended(n)
		}
		actions := []string{
			"withdraw", "finish", "extend", "add_note", "end_now", "link_record", "show", "write_record", "write_review", "ask_again", "waive",
			"approve", "deny", "sign_off", "mark_standing", "end_access", "remind_later", "change_duration",
		}
		for _, action := range actions {
			kind := change.DeliverDirect
			switch action {
			case "approve", "deny", "change_duration":
				kind = change.DeliverAsk
			case "remind_later":
				kind = change.DeliverReminder
			}
			m := e.posted(n, kind, action, ben, `{"ask":1}`, action+" "+value(n, 1))
			must(t, e.ws.Person(ben).Click(t.Context(), m, action))
			if said := e.told(ben); !strings.Contains(said, "EC-1 is confidential; only its own people see it.") {
				t.Errorf("%s, %s: %s", stage, action, said)
			}
			if _, open := e.ws.View(ben); open {
				t.Errorf("%s, %s: a form opened", stage, action)
			}
		}
		for _, text := range []string{"show 1", "note 1 x", "link 1 https://example.com", "extend 1 1h", "finish 1", "withdraw 1"} {
			if said := e.types(ben, text); !strings.Contains(said, "EC-1 is confidential; only its own people see it.") {
				t.Errorf("%s, %s: %s", stage, text, said)
			}
		}
		if said := e.types(ben, "list"); strings.Contains(said, "EC-1") {
			t.Errorf("the list of somebody outside names it: %s", said)
		}
	}
}

func TestNotificationsArePausedByHandOrBySchedule(t *testing.T) {
	t.Parallel()
	e := setup(t)
	w := slackapp.Workspace{Client: e.app.Slack, TeamID: "T0SANDBOX"}
	now := e.clock.Now()
	until := func() time.Time {
		t.Helper()
		at, err := w.PausedUntil(t.Context(), cto, now)
		must(t, err)
		return at
	}
	if at := until(); !at.IsZero() {
		t.Errorf("paused until %s", at)
	}
	e.ws.SetDoNotDisturb(cto, now.Add(time.Hour), now.Add(9*time.Hour)) // tonight
	if at := until(); !at.IsZero() {
		t.Errorf("paused until %s, though the night has not begun", at)
	}
	e.ws.SetDoNotDisturb(cto, now.Add(-time.Hour), now.Add(7*time.Hour))
	if at := until(); !at.Equal(now.Add(7 * time.Hour)) {
		t.Errorf("paused until %s", at)
	}
	e.ws.Snooze(cto, now.Add(8*time.Hour))
	if at := until(); !at.Equal(now.Add(8 * time.Hour)) {
		t.Errorf("paused until %s", at)
	}
	e.ws.SetDoNotDisturb(cto, time.Time{}, time.Time{})
	e.ws.Snooze(cto, now.Add(-time.Second))
	if at := until(); !at.IsZero() {
		t.Errorf("paused until %s", at)
	}
	if _, err := w.PausedUntil(t.Context(), "U0NOBODY", now); err == nil {
		t.Error("nobody's notifications are known")
	}
}
