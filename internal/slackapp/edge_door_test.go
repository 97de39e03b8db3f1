package slackapp_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

func TestWhatSlackDidNotSignLatelyIsRefusedAndDoesNothing(t *testing.T) {
	t.Parallel()
	for name, seal := range map[string]func(now time.Time) slack.Seal{
		"another secret": func(time.Time) slack.Seal { return slack.SignedWith("another") },
		"no signature":   func(time.Time) slack.Seal { return slack.Unsigned() },
		"too old":        func(now time.Time) slack.Seal { return slack.SentAt(now.Add(-5*time.Minute - time.Second)) },
		"from ahead":     func(now time.Time) slack.Seal { return slack.SentAt(now.Add(5*time.Minute + time.Second)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			command, err := e.ws.Person(ada).CommandPayload(otherChannel, "/emergency", "")
			must(t, err)
			home, err := e.ws.Person(ada).HomePayload()
			must(t, err)
			for kind, p := range map[slack.Kind]slack.Payload{slack.KindCommand: command, slack.KindEvent: home} {
				r, err := e.ws.Deliver(t.Context(), kind, p, seal(e.clock.Now()))
				must(t, err)
				if r.Status != http.StatusUnauthorized {
					t.Errorf("%s answered %d", kind, r.Status)
				}
			}
			if calls := e.ws.Calls(""); len(calls) != 0 {
				t.Errorf("the application called Slack: %+v", calls)
			}
			if got := e.systemEvents(); len(got) != 0 {
				t.Errorf("written down: %v", got)
			}
		})
	}
}

func TestASignatureOfFourMinutesAgoIsTaken(t *testing.T) {
	t.Parallel()
	e := setup(t)
	command, err := e.ws.Person(ada).CommandPayload(otherChannel, "/emergency", "help")
	must(t, err)
	r, err := e.ws.Deliver(t.Context(), slack.KindCommand, command, slack.SentAt(e.clock.Now().Add(-4*time.Minute)))
	must(t, err)
	if r.Status != 200 || !strings.Contains(string(r.Body), "/emergency list") {
		t.Errorf("answered %d %s", r.Status, r.Body)
	}
}

func TestWhatIsMeantForAnotherWorkspaceOrApplicationIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(slack.Payload) slack.Payload{
		"another workspace":   func(p slack.Payload) slack.Payload { return p.Set("team.id", "T0OTHER") },
		"another application": func(p slack.Payload) slack.Payload { return p.Set("api_app_id", "A0OTHER") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			c := e.request(ada)
			click, err := e.ws.Person(cto).ClickPayload(e.ask(c.Number, cto), "approve")
			must(t, err)
			r, err := e.ws.Deliver(t.Context(), slack.KindInteractive, forge(click))
			must(t, err)
			if r.Status != http.StatusForbidden {
				t.Errorf("answered %d", r.Status)
			}
			if got := e.change(c.Number).Phase; got != change.Requested {
				t.Errorf("the change is %s", got)
			}
			if got := e.systemEvents(); len(got) != 1 || got[0] != change.EventForged {
				t.Errorf("written down: %v", got)
			}
		})
	}
}

func TestACommandOfAnotherWorkspaceOpensNothing(t *testing.T) {
	t.Parallel()
	e := setup(t)
	p, err := e.ws.Person(ada).CommandPayload(otherChannel, "/emergency", "")
	must(t, err)
	r, err := e.ws.Deliver(t.Context(), slack.KindCommand, p.Set("team_id", "T0OTHER"))
	must(t, err)
	if r.Status != http.StatusForbidden || len(e.ws.Calls("views.open")) != 0 {
		t.Errorf("answered %d, and opened %d forms", r.Status, len(e.ws.Calls("views.open")))
	}
}

func TestTheIdenticalRequestSentAgainDoesNothingTwice(t *testing.T) {
	t.Parallel()
	e := setup(t)
	must(t, e.fill(ada).Submit(t.Context()))
	c := e.change(1)
	must(t, e.ws.Person(cto).Click(t.Context(), e.ask(1, cto), "approve"))
	e.app.Wait()
	before, calls := e.change(1), len(e.ws.Calls(""))
	for _, d := range e.ws.Deliveries() {
		if strings.Contains(string(d.Body), "block_suggestion") {
			continue
		}
		r, err := e.ws.Replay(t.Context(), d)
		must(t, err)
		if r.Status != 200 {
			t.Errorf("a replay was answered %d", r.Status)
		}
	}
	e.app.Wait()
	if after := e.change(1); after.Version != before.Version || e.newest() != c.Number {
		t.Errorf("version %d, was %d; newest %s", after.Version, before.Version, e.newest())
	}
	if now := len(e.ws.Calls("")); now != calls {
		t.Errorf("the replays made %d calls: %+v", now-calls, e.ws.Calls("")[calls:])
	}
}

func TestAClickSentAgainToAnotherReplicaDoesNothingTwice(t *testing.T) {
	t.Parallel()
	e := setup(t)
	c := e.request(ada)
	e.activate(c.Number)
	card := e.posted(c.Number, change.DeliverCard, "card", "", `{}`, "finish "+value(c.Number, 0))
	click, err := e.ws.Person(ada).ClickPayload(card, "finish")
	must(t, err)
	for range 2 {
		_, err := e.ws.Deliver(t.Context(), slack.KindInteractive, click)
		must(t, err)
		e.clock.forward(time.Second) // signed anew
	}
	e.app.Wait()
	if said := e.ws.Ephemerals(ada); len(said) != 0 {
		t.Errorf("the second was answered: %+v", said)
	}
	events, err := e.ledger.Events(t.Context(), c.Number, 0, 100)
	must(t, err)
	ended := 0
	for _, event := range events {
		if event.Type == change.EventEnded || event.Type == change.EventRefused {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("%d ends or refusals, want one end", ended)
	}
}

func TestRecordedPayloadsDecode(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("BREAKGLASS_CONTRACTS")
	if folder == "" {
		t.Skip("BREAKGLASS_CONTRACTS names no folder of published contracts")
	}
	files, err := filepath.Glob(filepath.Join(folder, "slack-payloads", "*.json"))
	must(t, err)
	if len(files) == 0 {
		t.Fatal("no recorded payloads")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			must(t, err)
			var p slack.Payload
			must(t, json.Unmarshal(raw, &p))
			team := p["team"].(map[string]any)["id"].(string)
			e := setup(t, func(_ *slack.Options, a *slackapp.App) { a.Config.TeamID, a.Config.AppID = team, "" })
			e.people.silent.Store(true) // nobody in them is of the workspace
			r, err := e.ws.Deliver(t.Context(), slack.KindInteractive, p)
			must(t, err)
			if r.Status != http.StatusOK {
				t.Errorf("answered %d", r.Status)
			}
			e.app.Wait()
			e.ws.TakeViolations() // their triggers and response addresses are not the workspace's own
		})
	}
}

func TestBodiesThatAreTooLongOrNoPayloadAreRefused(t *testing.T) {
	t.Parallel()
	e := setup(t)
	r, err := e.ws.Deliver(t.Context(), slack.KindInteractive, slack.Payload{"type": "block_actions", "pad": strings.Repeat("x", 3<<20)})
	must(t, err)
	if r.Status != http.StatusBadRequest {
		t.Errorf("a long body was answered %d", r.Status)
	}
	r, err = e.ws.Deliver(t.Context(), slack.KindInteractive, slack.Payload{"type": "block_actions"})
	must(t, err)
	if r.Status != http.StatusBadRequest {
		t.Errorf("a payload of nobody was answered %d", r.Status)
	}
}

func TestTheEventsAddressIsProven(t *testing.T) {
	t.Parallel()
	e := setup(t)
	must(t, e.ws.VerifyURL(t.Context()))
}

func TestRepliesGoToSlackOnly(t *testing.T) {
	t.Parallel()
	e := setup(t)
	c := e.request(ada)
	click, err := e.ws.Person(ben).ClickPayload(e.ask(c.Number, ben), "approve")
	must(t, err)
	called := false
	elsewhere := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }), ReadHeaderTimeout: time.Second}
	listener := listen(t)
	go func() { _ = elsewhere.Serve(listener) }()
	t.Cleanup(func() { _ = elsewhere.Shutdown(context.WithoutCancel(t.Context())) })
	u := url.URL{Scheme: "http", Host: listener.Addr().String()}
	_, err = e.ws.Deliver(t.Context(), slack.KindInteractive, click.Set("response_url", u.String()))
	must(t, err)
	e.app.Wait()
	if called {
		t.Error("a reply went elsewhere")
	}
	e.toldHolds(ben, "not among the approvers")
}

func TestSocketModeCarriesTheSameAndAcknowledgesAfterTheCommit(t *testing.T) {
	t.Parallel()
	e := setup(t, overSocket)
	if err := e.app.Ready(); err != nil {
		t.Errorf("over HTTP: %v", err)
	}
	e.app.ExpectSocket()
	if err := e.app.Ready(); err == nil {
		t.Error("ready before there is a connection")
	}
	stop := e.listen()
	c := e.request(ada)
	if c.Phase != change.Requested || c.Access.Target != "production" {
		t.Errorf("stored: %+v", c)
	}
	if err := e.app.Ready(); err != nil {
		t.Errorf("connected, and yet: %v", err)
	}
	must(t, e.ws.Person(cto).Click(t.Context(), e.ask(c.Number, cto), "approve"))
	if got := e.change(c.Number).Phase; got != change.Approved {
		t.Errorf("acknowledged, and the change is %s", got)
	}
	stop()
	if e.app.Ready() == nil {
		t.Error("not connected any more, and yet ready")
	}
}

// Slack drops an acknowledgement of 20 KB, and tells whoever typed that it failed.
func TestALongAnswerToACommandArrivesOverSocketMode(t *testing.T) {
	t.Parallel()
	e := setup(t, overSocket)
	stop := e.listen()
	n := e.request(ada).Number
	for i := range 40 {
		e.addNote(n, strings.Repeat("&", 200)+strconv.Itoa(i))
	}
	for _, fault := range []string{"", "response_url"} {
		before := len(e.ws.Ephemerals(ada))
		if fault != "" {
			e.ws.Faults.Add(refusedOnce(fault))
		}
		r, err := e.ws.Person(ada).Command(t.Context(), otherChannel, "/emergency", "show "+n.String())
		must(t, err)
		if len(r.Body) != 0 {
			t.Errorf("acknowledged with %d bytes", len(r.Body))
		}
		e.toldHolds(ada, n.String(), "Timeline")
		if told := len(e.ws.Ephemerals(ada)) - before; told != 1 {
			t.Errorf("answered %d times", told)
		}
	}
	r, err := e.ws.Person(ada).Command(t.Context(), otherChannel, "/emergency", "help")
	must(t, err)
	if !strings.Contains(string(r.Body), "Emergency changes") {
		t.Errorf("a short answer comes at once; it is %q", r.Body)
	}
	stop()
}

func (e *edge) addNote(n change.Number, text string) {
	e.t.Helper()
	_, err := e.app.Workflow.Do(e.t.Context(), n, change.AddNote{Text: text}, change.Actor{ID: ada, Standing: change.Member, Via: "test"})
	must(e.t, err)
}

func refusedOnce(call string) fault.Fault {
	return fault.Fault{Kind: fault.Refused, Call: call, Times: 1}
}

// A form that was submitted before it could be rebuilt is put back whole, also one that
// Socket Mode does not carry as an answer.
func TestALongFormArrivesInPlaceOfTheSubmittedOneOverSocketMode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reasons int
		errors  bool // the answer says that something is missing
	}{"short": {1, false}, "long": {98, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t, overSocket, func(_ *slack.Options, a *slackapp.App) {
				for i := range c.reasons {
					id := change.ReasonID("reason-" + strings.Repeat("x", 60) + strconv.Itoa(i))
					a.Rules.Reasons = append(a.Rules.Reasons, change.Reason{ID: id, Label: strings.Repeat("é", 70) + strconv.Itoa(i)})
				}
			})
			stop := e.listen()
			p := e.ws.Person(ada)
			_, err := p.Command(t.Context(), otherChannel, "/emergency", "")
			must(t, err)
			must(t, p.Type(t.Context(), "What will you change?", "Restart the queue"))
			must(t, p.Type(t.Context(), "Why is it needed now?", "Orders are stuck"))
			must(t, p.Select(t.Context(), "Why can't the release process be used?", "The platform cannot recover"))
			e.app.Wait()
			e.ws.Faults.Add(fault.Fault{Kind: fault.Refused, Call: "views.update"})
			must(t, p.Select(t.Context(), "Kind of change", "Work on production directly"))
			e.app.Wait()
			e.ws.Faults.Clear()
			err = p.Submit(t.Context())
			said, refused := errors.AsType[*slack.FormError](err)
			if refused != c.errors || (err != nil && !refused) {
				t.Fatalf("submitted: %v", err)
			}
			if refused && !strings.Contains(said.Error(), "fill in the rest as well") {
				t.Errorf("it says %v", said)
			}
			e.app.Wait()
			must(t, p.Select(t.Context(), "Where", "Production"))
			must(t, p.Select(t.Context(), "Permission set", "BreakGlassAdmin"))
			must(t, p.Submit(t.Context()))
			if got := e.change(e.newest()); got.What != "Restart the queue" || got.Access.Target != "production" {
				t.Errorf("stored: %+v", got)
			}
			stop()
		})
	}
}
