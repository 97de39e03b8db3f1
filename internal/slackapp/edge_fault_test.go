package slackapp_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/directory"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

// waysToFail are the ways in which a call of Slack's may go wrong while somebody
// waits for an answer.
func waysToFail() map[string]fault.Fault {
	answer := func(body string) fault.Fault {
		return fault.Fault{Kind: fault.Answer, Status: http.StatusOK, Body: body}
	}
	return map[string]fault.Fault{
		"reply lost":            {Kind: fault.ReplyLost},
		"connection refused":    {Kind: fault.Refused},
		"no answer":             {Kind: fault.Stall},
		"429":                   {Kind: fault.TooMany},
		"429 with Retry-After":  {Kind: fault.TooMany, RetryAfter: 20 * time.Second},
		"500":                   {Kind: fault.Internal},
		"500 though it is done": {Kind: fault.InternalLie},
		"503":                   {Kind: fault.Unavailable},
		"HTML":                  {Kind: fault.HTML},
		"half a body":           {Kind: fault.Truncated},
		"throttled":             answer(`{"ok":false,"error":"ratelimited"}`),
		"internal error":        answer(`{"ok":false,"error":"internal_error"}`),
	}
}

// haste gives up soon on whoever does not answer, while it is on.
type haste struct{ on atomic.Bool }

func (h *haste) RoundTrip(r *http.Request) (*http.Response, error) {
	if !h.on.Load() {
		return http.DefaultTransport.RoundTrip(r)
	}
	ctx, cancel := context.WithCancel(r.Context())
	late := time.AfterFunc(time.Second, cancel)
	defer late.Stop()
	return http.DefaultTransport.RoundTrip(r.WithContext(ctx))
}

// eachWay runs a test once for each way in which these calls fail, with a client
// that repeats nothing. spoil begins it, and heal ends it.
func eachWay(t *testing.T, test func(e *edge, spoil, heal func()), calls ...string) {
	for name, f := range waysToFail() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, h := setup(t), &haste{}
			client := &http.Client{Transport: h}
			e.app.HTTP = client
			e.app.Slack = slackgo.New("xoxb-sandbox", slackgo.OptionAPIURL(e.ws.APIURL()), slackgo.OptionHTTPClient(client))
			e.people.Directory = directory.New(slackapp.Workspace{Client: e.app.Slack, TeamID: "T0SANDBOX"}, nil, e.app.Rules.Groups, e.clock.Now, e.app.Log)
			test(e, func() {
				h.on.Store(f.Kind == fault.Stall)
				for _, call := range calls {
					f.Call = call
					e.ws.Faults.Add(f)
				}
			}, func() {
				h.on.Store(false)
				e.ws.Faults.Clear()
			})
		})
	}
}

// With the patience of production: Slack itself waits for 3 s.
func TestWhoeverTypesTheCommandIsToldInTimeThatTheFormDidNotOpen(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault.Fault{"no answer": {Kind: fault.Stall}, "429 with Retry-After": {Kind: fault.TooMany, RetryAfter: 20 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setup(t)
			e.ws.Faults.Add(f)
			r, err := e.ws.Person(ada).Command(t.Context(), otherChannel, "/emergency", "")
			must(t, err)
			if !strings.Contains(string(r.Body), "could not be opened") {
				t.Errorf("they are told %q", r.Body)
			}
		})
	}
}

func TestWhoeverTypesTheCommandIsToldThatTheFormDidNotOpen(t *testing.T) {
	t.Parallel()
	eachWay(t, func(e *edge, spoil, heal func()) {
		spoil()
		r, err := e.ws.Person(ada).Command(e.t.Context(), otherChannel, "/emergency", "")
		must(e.t, err)
		if !strings.Contains(string(r.Body), "could not be opened") {
			e.t.Errorf("they are told %q", r.Body)
		}
		heal()
		if c := e.request(ada); c.Phase != change.Requested {
			e.t.Errorf("the change is %s", c.Phase)
		}
	}, "views.open")
}

func TestWhoeverClicksIsToldThatTheFormDidNotOpen(t *testing.T) {
	t.Parallel()
	for _, button := range []string{"deny", "show"} {
		t.Run(button, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(e *edge, spoil, heal func()) {
				m := e.ask(e.request(ada).Number, cto)
				spoil()
				must(e.t, e.ws.Person(cto).Click(e.t.Context(), m, button))
				e.toldHolds(cto, "could not be opened")
				heal()
				must(e.t, e.ws.Person(cto).Click(e.t.Context(), m, button))
				e.view(cto)
			}, "views.open")
		})
	}
}

// What Finish does is done, whether the form for the record opens or not.
func TestWhoeverFinishesIsToldThatTheFormForTheRecordDidNotOpen(t *testing.T) {
	t.Parallel()
	eachWay(t, func(e *edge, spoil, _ func()) {
		c := e.request(ada)
		e.activate(c.Number)
		m := e.posted(c.Number, change.DeliverCard, "", "", "{}", "finish "+value(c.Number, 0))
		spoil()
		must(e.t, e.ws.Person(ada).Click(e.t.Context(), m, "finish"))
		e.toldHolds(ada, "has ended", "could not be opened")
		if after := e.change(c.Number); after.Phase != change.Ended {
			e.t.Errorf("the change is %s", after.Phase)
		}
	}, "views.open")
}

func TestARefusalReachesWhoeverClickedByTheOtherWay(t *testing.T) {
	t.Parallel()
	eachWay(t, func(e *edge, spoil, _ func()) {
		c := e.request(ada)
		m := e.ask(c.Number, cto)
		card := e.posted(c.Number, change.DeliverAsk, "1/group", "", `{"ask":1}`, "approve "+value(c.Number, 1))
		spoil()
		must(e.t, e.ws.Person(ben).Click(e.t.Context(), card, "approve"))
		e.told(ben)
		must(e.t, e.ws.Person(cto).Click(e.t.Context(), m, "approve"))
		if after := e.change(c.Number); after.Phase != change.Approved {
			e.t.Errorf("the change is %s", after.Phase)
		}
	}, "response_url")
}

// With the patience of production: the first way has used its time up.
func TestARefusalReachesWhoeverClickedThoughTheFirstWayStalls(t *testing.T) {
	t.Parallel()
	e := setup(t)
	card := e.posted(e.request(ada).Number, change.DeliverAsk, "1/group", "", `{"ask":1}`, "approve "+value(1, 1))
	e.ws.Faults.Add(fault.Fault{Kind: fault.Stall, Call: "response_url"})
	must(t, e.ws.Person(ben).Click(t.Context(), card, "approve"))
	e.told(ben)
}

// Nobody can be told, and what was clicked counts all the same.
func TestAnApprovalCountsThoughNobodyCanBeAnswered(t *testing.T) {
	t.Parallel()
	eachWay(t, func(e *edge, spoil, _ func()) {
		c := e.request(ada)
		m := e.ask(c.Number, cto)
		spoil()
		must(e.t, e.ws.Person(cto).Click(e.t.Context(), m, "approve"))
		e.app.Wait()
		if after := e.change(c.Number); after.Phase != change.Approved {
			e.t.Errorf("the change is %s", after.Phase)
		}
	}, "response_url", "chat.postEphemeral", "views.open", "views.publish")
}

func TestNothingIsDecidedWhileSlackDoesNotTellWhoSomebodyIs(t *testing.T) {
	t.Parallel()
	eachWay(t, func(e *edge, spoil, heal func()) {
		c := e.request(ada)
		m := e.ask(c.Number, cto)
		e.clock.forward(10 * time.Minute) // what was looked up before is no news any more
		spoil()
		must(e.t, e.ws.Person(cto).Click(e.t.Context(), m, "approve"))
		e.told(cto)
		if after := e.change(c.Number); after.Phase != change.Requested {
			e.t.Errorf("the change is %s", after.Phase)
		}
		heal()
		must(e.t, e.ws.Person(cto).Click(e.t.Context(), m, "approve"))
		if after := e.change(c.Number); after.Phase != change.Approved {
			e.t.Errorf("the change is %s", after.Phase)
		}
	}, "users.info")
}

// A form that could not be shown anew is shown with the next choice, and what was
// typed before is there still.
func TestAFormThatCouldNotBeUpdatedIsUpdatedWithTheNextChoice(t *testing.T) {
	t.Parallel()
	eachWay(t, func(e *edge, spoil, heal func()) {
		ctx, p := e.t.Context(), e.fill(ada)
		spoil()
		must(e.t, p.Select(ctx, "Kind of change", "Hot patch"))
		heal()
		must(e.t, p.Select(ctx, "Kind of change", "Work on production directly"))
		must(e.t, p.Select(ctx, "Where", "Production")) // a form that was updated all the same has forgotten it
		must(e.t, p.Select(ctx, "Permission set", "BreakGlassAdmin"))
		if shown := e.view(ada); !strings.Contains(shown, "Orders are stuck") || !strings.Contains(shown, "BreakGlassAdmin") {
			e.t.Errorf("the form shows:\n%s", shown)
		}
		must(e.t, p.Submit(ctx))
		if c := e.change(e.newest()); c.Phase != change.Requested || c.Reason != "stuck" {
			e.t.Errorf("the change is %s, for %q", c.Phase, c.Reason)
		}
	}, "views.update")
}

func TestAHomeTabThatCouldNotBePublishedIsPublishedWhenItIsOpenedAgain(t *testing.T) {
	t.Parallel()
	eachWay(t, func(e *edge, spoil, heal func()) {
		n := e.request(ada).Number.String()
		spoil()
		must(e.t, e.ws.Person(ada).OpenHome(e.t.Context()))
		e.app.Wait()
		heal()
		if shown := e.home(ada); !strings.Contains(shown, n) {
			e.t.Errorf("the home tab shows:\n%s", shown)
		}
	}, "views.publish")
}
