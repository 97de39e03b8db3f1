package slackapp_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

// A look-up that panics must neither end the program nor count as one that has not
// answered: whoever is looked up might be a guest.
func TestALookUpThatPanicsLetsNobodyThroughAndEndsNothing(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"a person", "groups"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			p := e.fill(ada)
			e.people.panics.Store(what)
			if err := p.Submit(t.Context()); err == nil {
				t.Error("the form was taken")
			}
			if n := e.newest(); n != 0 {
				t.Errorf("%s was stored", n)
			}
			e.people.panics.Store("")
			c := e.request(ada)
			m := e.ask(c.Number, cto)
			e.people.panics.Store(what)
			if err := e.ws.Person(cto).Click(t.Context(), m, "approve"); err == nil {
				t.Error("the click was taken")
			}
			if got := e.change(c.Number).Phase; got != change.Requested {
				t.Errorf("the change is %s", got)
			}
			e.people.panics.Store("")
			must(t, e.ws.Person(cto).Click(t.Context(), m, "approve"))
			if got := e.change(c.Number).Phase; got != change.Approved {
				t.Errorf("later, the change is %s", got)
			}
		})
	}
}

func TestALookAtAMergeRequestThatPanicsStoresNothing(t *testing.T) {
	t.Parallel()
	l := withGitLab(t, asItIs)
	l.lab.panics.Store(true)
	if err := l.patch(mr(1) + " " + mr(2)); err == nil {
		t.Error("the form was taken")
	}
	if n := l.newest(); n != 0 {
		t.Errorf("%s was stored", n)
	}
}

// Nobody waits for this one if the decision is refused for another reason.
func TestALookAtAnIncidentThatPanicsIsOneThatSawNothing(t *testing.T) {
	t.Parallel()
	log := &logged{}
	e := setup(t, log.option())
	e.outside.set(func(o *outside) { o.incidents = []change.Incident{liveIncident()} })
	p := e.fill(ada)
	must(t, p.Select(t.Context(), "Active incident", "inc7"))
	must(t, p.Submit(t.Context()))
	m := e.ask(1, cto)
	e.outside.set(func(o *outside) { o.panics = true })
	must(t, e.ws.Person(cto).Click(t.Context(), m, "approve"))
	e.app.Wait()
	if got := e.change(1).Phase; got != change.Approved {
		t.Errorf("the change is %s", got)
	}
	if all := log.String(); !strings.Contains(all, "a look-up of an incident went wrong") || !strings.Contains(all, "edge_world_test.go") {
		t.Errorf("the log does not say where:\n%s", all)
	}
}

// torn is a connection on which everything goes wrong.
type torn struct{}

func (torn) RoundTrip(*http.Request) (*http.Response, error) { panic("a reply went wrong") }

func TestAnAnswerThatPanicsEndsNothing(t *testing.T) {
	t.Parallel()
	log := &logged{}
	e := setup(t, log.option())
	m := e.ask(e.request(ada).Number, cto)
	e.app.HTTP = &http.Client{Transport: torn{}}
	must(t, e.ws.Person(ben).Click(t.Context(), m, "approve"))
	e.app.Wait()
	if !strings.Contains(log.String(), "a reply went wrong") {
		t.Errorf("the log says nothing of it:\n%s", log.String())
	}
}

func TestAnEnvelopeThatPanicsIsNotAcknowledgedAndEndsNothing(t *testing.T) {
	t.Parallel()
	log := &logged{}
	failed := make(chan string, 10)
	e := setup(t, log.option(), overSocket, func(_ *slack.Options, a *slackapp.App) {
		a.Observe = func(door string, status int, _ time.Duration) {
			if status == http.StatusInternalServerError {
				failed <- door
			}
		}
	})
	stop := e.listen()
	c := e.request(ada)
	m := e.ask(c.Number, cto)
	e.people.panics.Store("groups")
	waiting, giveUp := context.WithCancel(t.Context())
	acknowledged := make(chan error, 1)
	go func() { acknowledged <- e.ws.Person(cto).Click(waiting, m, "approve") }()
	if door := <-failed; door != "interactions" {
		t.Errorf("counted at %s", door)
	}
	giveUp()
	if err := <-acknowledged; err == nil {
		t.Error("the click was acknowledged")
	}
	e.people.panics.Store("")
	must(t, e.ws.Person(cto).Click(t.Context(), m, "approve"))
	stop()
	if got := e.change(c.Number).Phase; got != change.Approved {
		t.Errorf("the change is %s", got)
	}
	if all := log.String(); len(failed) != 0 || !strings.Contains(all, "a look-up of groups went wrong") || !strings.Contains(all, "edge_world_test.go") {
		t.Errorf("%d more were counted, and the log says\n%s", len(failed), all)
	}
}

func overSocket(o *slack.Options, a *slackapp.App) { o.SocketMode, a.Config.AppID = true, "" }

// listen takes payloads over Socket Mode, until stop is called.
func (e *edge) listen() (stop func()) {
	e.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.t.Context()))
	done := make(chan error, 1)
	go func() { done <- e.app.RunSocket(ctx, e.app.Slack) }()
	e.t.Cleanup(cancel)
	must(e.t, e.ws.WaitFor(e.t.Context(), func() bool { return e.ws.Sockets() == 1 }))
	return func() {
		cancel()
		must(e.t, <-done)
	}
}
