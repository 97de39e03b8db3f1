package slackapp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// type_ types a command, and answers what only this person was shown.
func (e *edge) types(who, text string) string {
	e.t.Helper()
	_, err := e.ws.Person(who).Command(e.t.Context(), otherChannel, "/emergency", text)
	must(e.t, err)
	return e.told(who)
}

func TestEveryWordAnswersWhoTypedIt(t *testing.T) {
	t.Parallel()
	e := setup(t)
	c := e.request(ada)
	for _, test := range []struct {
		who, text string
		wants     []string
	}{
		{ada, "help", []string{"release process", "/emergency list", "/emergency extend EC-12 1h"}},
		{ada, "lsit", []string{"There is no lsit", "Did you mean /emergency list"}},
		{ada, "<!channel> & more", []string{"There is no <!channel>"}},
		{ada, "show", []string{"/emergency show EC-12"}},
		{ada, "show EC-x", []string{"not the number of a change", "/emergency show EC-12"}},
		{ada, "note EC-1", []string{"/emergency note EC-12 TEXT"}},
		{ada, "extend EC-1 soon", []string{"“soon” is not a time", "/emergency extend EC-12 1h"}},
		{ada, "show 99", []string{"There is no EC-99"}},
		{ada, "Show EC-1", []string{"EC-1", "Work on production directly", "waiting for approval", "BreakGlassAdmin, 30m"}},
		{ada, "show ec-1", []string{"EC-1"}},
		{ben, "show 1", []string{"EC-1", "@Ada"}},
		{ada, "note 1 <!here> first line", []string{"The note was added to EC-1"}},
		{ben, "note 1 mine", []string{"Only the people of this change"}},
		{ada, "link 1 https://git.example.com/mr/1", []string{"Linked to EC-1"}},
		{ada, "link 1 https://git.example.com/mr/1", []string{"linked to EC-1 already"}},
		{ada, "link 1 XX-1", []string{"not a ticket of OPS", "There is no such incident"}},
		{ada, "link 1 nothing", []string{"not a ticket of OPS", "an incident such as INC-123", "https://"}},
		{ada, "extend 1 1h", []string{"not active yet"}},
		{ada, "finish 1", []string{"not been approved yet"}},
		{ada, "list", []string{"Your changes", "EC-1 – Restart <!channel> & the queue", "Nothing waits for you"}},
		{cto, "list", []string{"Waiting for you", "your approval", "You have no open change"}},
		{ben, "withdraw 1", []string{"Only whoever asked"}},
		{ada, "withdraw 1", []string{"EC-1 was withdrawn"}},
		{ada, "withdraw 1", []string{"withdrawn already"}},
		{"U0GUEST", "list", []string{"full members"}},
		{"U0GUEST", "show 1", []string{"full members"}},
	} {
		said := strings.ReplaceAll(e.types(test.who, test.text), "`", "")
		for _, want := range test.wants {
			if !strings.Contains(said, want) {
				t.Errorf("%s typed %q and was told, without %q:\n%s", test.who, test.text, want, said)
			}
		}
	}
	if got := e.change(c.Number); got.Phase != change.Withdrawn || len(got.Notes) != 1 || got.Notes[0].Text != "<!here> first line" {
		t.Errorf("the change: %s, %+v", got.Phase, got.Notes)
	}
	if said := e.ws.Messages(otherChannel); len(said) != 0 {
		t.Errorf("everybody was told: %+v", said)
	}
}

func TestADurationOfSeveralWordsIsOneDuration(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]struct {
		d   time.Duration
		why string
	}{
		"1h 30m":                     {90 * time.Minute, ""},
		"1h 30m still stuck":         {90 * time.Minute, "still stuck"},
		"1h30m still stuck":          {90 * time.Minute, "still stuck"},
		"1h still stuck, 30m a node": {time.Hour, "still stuck, 30m a node"},
	} {
		t.Run(typed, func(t *testing.T) {
			t.Parallel()
			e := setup(t, withRules(func(r *change.Rules) { r.Access.Durations = append(r.Access.Durations, 90*time.Minute) }))
			n := e.activate(e.request(ada).Number).Number
			e.toldAfter(ada, "extend 1 "+typed, "being asked for "+change.ShortDuration(want.d)+" more")
			c := e.change(n)
			if ask := c.OpenAsk(); ask == nil || ask.Duration != want.d || ask.Why != want.why {
				t.Errorf("asked: %+v, want %s and %q", ask, want.d, want.why)
			}
		})
	}
}

func (e *edge) toldAfter(who, typed string, wants ...string) {
	e.t.Helper()
	e.types(who, typed)
	e.toldHolds(who, wants...)
}

func TestFinishingByCommandEndsTheAccessAndAsksForTheRecord(t *testing.T) {
	t.Parallel()
	e := setup(t)
	c := e.request(ada)
	e.activate(c.Number)
	if said := e.types(ada, "extend 1 1h still stuck"); !strings.Contains(said, "being asked for 1h more") {
		t.Errorf("told: %s", said)
	}
	if a := e.current(1).OpenAsk(); a == nil || a.Why != "still stuck" {
		t.Errorf("asked: %+v", a)
	}
	e.people.silent.Store(true) // less access never waits
	if said := e.types(ada, "finish EC-1"); !strings.Contains(said, "EC-1 has ended") {
		t.Errorf("told: %s", said)
	}
	if !strings.Contains(e.view(ada), "What was done") || e.change(1).Phase != change.Ended {
		t.Errorf("the change is %s, the form:\n%s", e.change(1).Phase, e.view(ada))
	}
}

func TestFinishingSpeaksOfAccessOnlyWhereThereIsSome(t *testing.T) {
	t.Parallel()
	e := setup(t, withRules(func(r *change.Rules) {
		for i := range r.Kinds {
			r.Kinds[i].Access = change.NeedOptional
		}
	}))
	ctx, p := t.Context(), e.fill(ada)
	must(t, p.Clear(ctx, "Where"))
	must(t, p.Submit(ctx))
	must(t, e.ws.Person(cto).Click(ctx, e.askCTO(1), "approve"))
	if said := e.types(ada, "finish EC-1"); !strings.Contains(said, "EC-1 has ended. The record and the review are owed now.") {
		t.Errorf("told: %s", said)
	}
	if said := e.types(ada, "show EC-1"); !strings.Contains(said, "owed (record)") || !strings.Contains(said, "owed (review)") {
		t.Errorf("the timeline does not say what became owed: %s", said)
	}
}

func TestAWordThatNeedsTheDatabaseSaysSoWhenItIsDown(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=1")
	must(t, err)
	t.Cleanup(pool.Close)
	e := setupOn(t, pool)
	for _, text := range []string{"list", "show 1", "finish 1", "note 1 x"} {
		if said := e.types(ada, text); !strings.Contains(said, "could not be saved just now, so nothing was changed") || strings.Contains(said, "127.0.0.1") {
			t.Errorf("%s: %s", text, said)
		}
	}
	must(t, e.ws.Person(ada).OpenHome(t.Context()))
	home, ok := e.ws.Home(ada)
	if shown := e.ws.RenderView(home); !ok || !strings.Contains(shown, "Request an emergency change") || !strings.Contains(shown, "could not be read just now") {
		t.Errorf("the home tab:\n%s", shown)
	}
}

func TestAnInternalErrorIsNamedByAReferenceAndLeaksNothing(t *testing.T) {
	t.Parallel()
	e := setup(t)
	e.request(ada)
	_, err := e.pool.Exec(t.Context(), `ALTER TABLE events RENAME TO secret_events`)
	must(t, err)
	said := e.types(ada, "show 1")
	if !strings.Contains(said, "internal error") || strings.Contains(said, "relation") || strings.Contains(said, "events") {
		t.Errorf("told: %s", said)
	}
}

func TestAMentionIsAnsweredOnceInItsThread(t *testing.T) {
	t.Parallel()
	e := setup(t)
	ctx := t.Context()
	must(t, e.ws.Person(ada).Mention(ctx, channel, "what can you do?"))
	mention := e.ws.Messages(channel)[0]
	thread := e.ws.Thread(channel, mention.TS)
	if len(thread) != 2 || !strings.Contains(e.ws.RenderMessage(ada, thread[1]), "/emergency help") {
		t.Fatalf("the thread: %+v", thread)
	}
	var event slack.Delivery
	for _, d := range e.ws.Deliveries() {
		if d.Kind == slack.KindEvent {
			event = d
		}
	}
	e.clock.forward(time.Second)
	r, err := e.ws.Replay(ctx, event)
	must(t, err)
	if r.Status != 200 || len(e.ws.Thread(channel, mention.TS)) != 2 {
		t.Errorf("Slack's retry was answered %d, and the thread has %d messages", r.Status, len(e.ws.Thread(channel, mention.TS)))
	}
}

func TestAConfidentialChangeIsShownToItsPeopleOnly(t *testing.T) {
	t.Parallel()
	e := setup(t)
	e.request(ada)
	_, err := e.pool.Exec(t.Context(), `UPDATE changes SET document = jsonb_set(document, '{confidential}', 'true')`)
	must(t, err)
	if said := e.types(ben, "show 1"); !strings.Contains(said, "confidential") || strings.Contains(said, "queue") {
		t.Errorf("another was told: %s", said)
	}
	for _, who := range []string{ada, cto, deputy} {
		if said := e.types(who, "show 1"); !strings.Contains(said, "queue") {
			t.Errorf("%s was told: %s", who, said)
		}
	}
}

func TestThisChannelsIncidentIsChosenOnlyWhenItIsKnownWithoutALookUp(t *testing.T) {
	t.Parallel()
	e := setup(t)
	e.outside.set(func(o *outside) { o.incidents = []change.Incident{liveIncident()} })
	ctx, p := t.Context(), e.fill(ada)
	if shown := e.view(ada); strings.Contains(shown, "INC-7") {
		t.Errorf("looked up:\n%s", shown)
	}
	offered, err := p.Search(ctx, "Active incident", "")
	must(t, err)
	if len(offered) != 3 || offered[0] != "No incident" {
		t.Errorf("offered: %q", offered)
	}
	if _, err := p.Search(ctx, "Active incident", "inc"); err != nil || e.outside.listed != 1 {
		t.Errorf("listed %d times: %v", e.outside.listed, err)
	}
	must(t, p.CloseView(ctx))
	e.clock.forward(time.Second)
	p = e.fill(ada)
	if shown := e.view(ada); !strings.Contains(shown, "INC-7") || strings.Contains(shown, "Open it now") {
		t.Errorf("not chosen:\n%s", shown)
	}
	must(t, p.Submit(ctx))
	if c := e.change(1); c.Incident == nil || c.Incident.Now.ID != "inc7" || c.Record.Choice != "" {
		t.Errorf("stored: %+v", c.Incident)
	}
	e.clock.forward(20 * time.Second)
	if _, err := e.ws.Person(ada).Command(ctx, otherChannel, "/emergency", ""); err != nil {
		t.Fatal(err)
	}
	must(t, e.ws.Person(ada).CloseView(ctx))
	e.fill(ada)
	if shown := e.view(ada); strings.Contains(shown, "INC-7") {
		t.Errorf("chosen from an old list:\n%s", shown)
	}
}
