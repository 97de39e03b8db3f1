package slackapp_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

const auditor = "U0AUDITOR"

// withAuditor adds somebody who audits.
func withAuditor(o *slack.Options, r *change.Rules) {
	o.Users = append(o.Users, slack.User{ID: auditor, RealName: "The auditor"})
	r.Groups["auditors"] = change.Group{Members: []change.PersonID{auditor}}
	r.Roles.Auditors = []change.GroupID{"auditors"}
}

func setupHome(t *testing.T) *edge {
	t.Helper()
	return setup(t, func(o *slack.Options, a *slackapp.App) { withAuditor(o, &a.Rules) })
}

// home opens somebody's home tab and answers what it shows.
func (e *edge) home(who string) string {
	e.t.Helper()
	must(e.t, e.ws.Person(who).OpenHome(e.t.Context()))
	return e.homeNow(who)
}

// homeNow answers what somebody's home tab shows, without opening it anew.
func (e *edge) homeNow(who string) string {
	e.t.Helper()
	e.app.Wait()
	home, ok := e.ws.Home(who)
	if !ok {
		e.t.Fatalf("%s has no home tab", who)
	}
	return e.ws.RenderView(home)
}

// atHome presses a button of the home tab.
func (e *edge) atHome(who, button string) {
	e.t.Helper()
	must(e.t, e.ws.Person(who).ClickAtHome(e.t.Context(), button))
}

// forgedAtHome sends a press of the request button, altered.
func (e *edge) forgedAtHome(who string, alter func(slack.Payload) slack.Payload) {
	e.t.Helper()
	p, err := e.ws.Person(who).ClickAtHomePayload("Request an emergency change")
	must(e.t, err)
	_, err = e.ws.Deliver(e.t.Context(), slack.KindInteractive, alter(p))
	must(e.t, err)
}

// finish ends a change that ada makes, and its ticket is opened.
func (e *edge) finish(n change.Number) {
	e.t.Helper()
	_, err := e.app.Workflow.Do(e.t.Context(), n, change.Finish{}, change.Actor{ID: ada, Standing: change.Member, Via: "test"})
	must(e.t, err)
	e.system(n, change.LinkTicket{Ticket: change.TicketRef{ID: "101", Key: "OPS-1", URL: "https://jira.example.com/browse/OPS-1"}, Ours: true, Checked: true})
}

func shows(t *testing.T, who, shown string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		without := strings.TrimPrefix(want, "!")
		if strings.Contains(shown, without) == (without != want) {
			t.Errorf("the home tab of %s: want %q; it is\n%s", who, want, shown[:min(len(shown), 4000)])
		}
	}
}

// many makes changes that ada asked for, faster than by the form.
func (e *edge) many(count int) {
	e.t.Helper()
	by := change.Actor{ID: ada, Standing: change.Member, Via: "test", Groups: change.GroupView{
		"everyone": {Known: true, Everyone: true}, "cto": {Known: true, People: []change.PersonID{cto}}, "deputies": {Known: true},
	}}
	for i := range count {
		_, err := e.app.Workflow.Submit(e.t.Context(), change.Request{
			Kind: "production", Reason: "stuck", What: strings.Repeat("<!channel>&", 20) + strconv.Itoa(i), Why: "It is stuck",
			Target: "production", PermissionSet: "admin", Duration: time.Hour, Choice: change.TicketNow,
		}, by)
		must(e.t, err)
	}
}

const noneWaits, noneMine, noneOpen = "Nothing waits for you", "You have not made an emergency change yet", "No emergency change is open"

func TestTheHomeTabOfEachPersonShowsWhatIsTheirs(t *testing.T) {
	t.Parallel()
	for count, people := range map[int]map[string][]string{
		0: {
			ada:     {"Request an emergency change", noneWaits, noneMine, "!Everything open"},
			cto:     {noneWaits, noneMine, "Everything open", noneOpen},
			auditor: {noneWaits, noneMine, "Everything open", noneOpen},
		},
		1: {
			ada:     {noneWaits, "Your changes", "EC-1", "waiting for approval", "!Everything open", "!Show more"},
			ben:     {noneWaits, noneMine, "!EC-1", "!Everything open"},
			cto:     {"EC-1", "your approval", "stand on the message that asked you", noneMine, "Everything open"},
			deputy:  {"Everything open", "EC-1"},
			auditor: {noneWaits, noneMine, "Everything open", "EC-1"},
		},
		120: {
			ada:     {noneWaits, "EC-120", "EC-111", "!EC-110", "1 to 10 of 120", "Show more", "!Previous"},
			ben:     {noneWaits, noneMine, "!EC-", "!Everything open"},
			cto:     {"your approval", "EC-1 ", "1 to 10 of 120", "Everything open", "EC-120"},
			auditor: {noneWaits, "Everything open", "EC-120", "EC-111", "!EC-110", "1 to 10 of 120"},
		},
	} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()
			e := setupHome(t)
			e.many(count)
			for who, wants := range people {
				shows(t, who, e.home(who), wants...)
			}
			if count < 120 {
				return
			}
			for _, who := range []string{ada, cto} {
				if said := e.types(who, "list"); !strings.Contains(said, "and 100 more") {
					t.Errorf("the list of %s: %s", who, said[:min(len(said), 500)])
				}
			}
		})
	}
}

func TestEveryPageOfALongListCanBeTurnedTo(t *testing.T) {
	t.Parallel()
	e := setupHome(t)
	e.many(25)
	shows(t, cto, e.home(cto), "1 to 10 of 25")
	e.atHome(cto, "open/1")
	shows(t, cto, e.homeNow(cto), "11 to 20 of 25", "1 to 10 of 25", "EC-15", "EC-6 ")
	e.atHome(cto, "waiting/1")
	shows(t, cto, e.homeNow(cto), "!1 to 10 of 25", "11 to 20 of 25") // the other list stays where it was
	e.atHome(cto, "open/2")
	shows(t, cto, e.homeNow(cto), "21 to 25 of 25", "11 to 20 of 25")
	e.atHome(cto, "open/1")
	shows(t, cto, e.homeNow(cto), "!1 to 10 of 25")
	e.atHome(cto, "waiting/0")
	shows(t, cto, e.homeNow(cto), "1 to 10 of 25", "11 to 20 of 25")
	shows(t, ada, e.home(ada), "EC-25", "EC-16", "!EC-15")
	e.atHome(ada, "Show more")
	shows(t, ada, e.homeNow(ada), "EC-15", "EC-6", "!EC-5 ", "Previous")
	e.atHome(ada, "Show more")
	shows(t, ada, e.homeNow(ada), "EC-5 ", "EC-1 ", "!Show more")
	e.atHome(ada, "Previous")
	shows(t, ada, e.homeNow(ada), "EC-15", "Show more")
	shows(t, ada, e.home(ada), "EC-25") // opened anew it begins at the beginning
}

func TestAPageThatDoesNotExistIsTheLastOne(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]func(slack.Payload) slack.Payload{
		"a page far away": func(p slack.Payload) slack.Payload { return p.Set("actions.0.value", "mine/99999") },
		"pages that somebody else would have": func(p slack.Payload) slack.Payload {
			return p.Set("actions.0.value", "mine/7").Set("view.private_metadata", "99999/99999/99999")
		},
		"pages that are none": func(p slack.Payload) slack.Payload {
			return p.Set("actions.0.value", "mine/7").Set("view.private_metadata", "-1/x/9999999999999999999999")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setupHome(t)
			e.many(11)
			e.home(ada)
			e.forgedAtHome(ada, func(p slack.Payload) slack.Payload { return alter(p.Set("actions.0.action_id", "home_on")) })
			shows(t, ada, e.homeNow(ada), "11 to 11 of 11", "EC-1 ", "!Everything open", noneWaits)
		})
	}
}

func TestAButtonAtHomeIsAKeyAndNothingMore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		who, action, value string
		told               string // empty: forged
	}{
		"approving at home":          {who: cto, action: "approve", value: "1/1//0"},
		"ending access at home":      {who: cto, action: "end_now", value: "1/0//0"},
		"no button of ours":          {who: ada, action: "drop", value: "1/0//0"},
		"a key that is none":         {who: ada, action: "show", value: "1; DROP TABLE changes"},
		"a list that is none":        {who: ada, action: "home_on", value: "secrets/1"},
		"a page that is none":        {who: ada, action: "home_on", value: "mine/-1"},
		"somebody else's sign-off":   {who: ben, action: "sign_off", value: "1/0//0", told: "not among those who sign"},
		"one's own sign-off":         {who: ada, action: "sign_off", value: "1/0//0", told: "somebody else signs it off"},
		"a change that is none":      {who: ada, action: "show", value: "99/0//0", told: "There is no EC-99"},
		"a confidential change":      {who: ben, action: "show", value: "2/0//0", told: "confidential"},
		"the form of a confidential": {who: ben, action: "write_record", value: "2/0//0", told: "confidential"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := setupHome(t)
			e.finish(e.activate(e.request(ada).Number).Number)
			e.confidential(e.request(ada).Number)
			before, secret := e.change(1), e.change(2)
			e.home(test.who)
			e.forgedAtHome(test.who, func(p slack.Payload) slack.Payload {
				return p.Set("actions.0.action_id", test.action).Set("actions.0.value", test.value)
			})
			e.app.Wait()
			if after := e.change(1); after.Version != before.Version || e.change(2).Version != secret.Version {
				t.Error("something was changed")
			}
			events := e.systemEvents()
			if test.told == "" {
				if len(events) != 1 || events[0] != change.EventForged {
					t.Errorf("written down: %v", events)
				}
				return
			}
			if shown := e.view(test.who); !strings.Contains(shown, test.told) || strings.Contains(shown, "queue") && test.value == "2/0//0" {
				t.Errorf("told:\n%s", shown)
			}
		})
	}
}

func TestSomebodyOfAnotherWorkspaceCanDoNothingAtHome(t *testing.T) {
	t.Parallel()
	e := setupHome(t)
	e.request(ada)
	e.home(ada)
	e.forgedAtHome(ada, func(p slack.Payload) slack.Payload {
		return p.Set("user.team_id", "T0OTHER").Set("actions.0.action_id", "show").Set("actions.0.value", "1/0//0")
	})
	e.app.Wait()
	if shown := e.view(ada); strings.Contains(shown, "EC-1") || !strings.Contains(shown, "full members") {
		t.Errorf("shown:\n%s", shown)
	}
	if got := e.systemEvents(); len(got) != 1 || got[0] != change.EventTurnedAway {
		t.Errorf("written down: %v", got)
	}
}

// confidential makes a change confidential.
func (e *edge) confidential(n change.Number) {
	e.t.Helper()
	_, err := e.pool.Exec(e.t.Context(), `UPDATE changes SET document = jsonb_set(document, '{confidential}', 'true') WHERE number = $1`, int64(n))
	must(e.t, err)
}

func TestAConfidentialChangeIsANumberAtHomeForWhoeverIsNotCleared(t *testing.T) {
	t.Parallel()
	e := setup(t, func(o *slack.Options, a *slackapp.App) {
		withAuditor(o, &a.Rules)
		a.Rules.Kinds[1].Approvals[0].From = []change.GroupID{"others"} // ben approves another kind
		a.Rules.Groups["others"] = change.Group{Members: []change.PersonID{ben}}
	})
	e.confidential(e.request(ada).Number)
	for who, wants := range map[string][]string{
		ada:     {"EC-1", "queue", "!Everything open"},
		cto:     {"EC-1", "queue", "your approval"},
		auditor: {"Everything open", "EC-1", "queue"},
		ben:     {"Everything open", "EC-1", "confidential", "!queue", "!Ada", "!U0ADA", "!stuck", "!waiting for approval", "![Show]", noneWaits},
	} {
		shows(t, who, e.home(who), wants...)
	}
}

func TestWhatIsOwedIsDoneAtHome(t *testing.T) {
	t.Parallel()
	e := setupHome(t)
	ctx := t.Context()
	n := e.request(ada).Number
	e.activate(n)
	shows(t, ada, e.home(ada), "record due", "!Write record") // too early
	e.finish(n)
	shows(t, ada, e.home(ada), "record due", "Write record", "Write review", "Still owed:")
	shows(t, cto, e.home(cto), "sign-off due", "Sign off", "OPS-1")

	e.atHome(ada, "Write record")
	must(t, e.ws.Person(ada).Submit(ctx))
	if c := e.change(n); c.Record.Revision != 1 {
		t.Errorf("the record has revision %d", c.Record.Revision)
	}
	shows(t, ada, e.homeNow(ada), "!Write record", "Write review")

	e.atHome(cto, "Sign off")
	shows(t, cto, e.homeNow(cto), noneWaits, "Everything open", "EC-1")
	c := e.change(n)
	if o := c.Owes(change.OweSignOff, 0); o.State != change.Done || o.Proof.By != cto {
		t.Errorf("the sign-off: %+v", o)
	}

	e.atHome(ada, "Write review")
	if shown := e.view(ada); !strings.Contains(shown, "What happened") {
		t.Errorf("the form:\n%s", shown)
	}
}

func TestTheHomeTabComesUpToDateWhenARequestIsMadeFromIt(t *testing.T) {
	t.Parallel()
	e := setupHome(t)
	shows(t, ada, e.home(ada), noneMine)
	e.atHome(ada, "Request an emergency change")
	if shown := e.view(ada); !strings.Contains(shown, "Why can't the release process be used?") {
		t.Errorf("the form:\n%s", shown)
	}
	e.request(ada)
	shows(t, ada, e.homeNow(ada), "EC-1", "waiting for approval")
	e.atHome(ada, "Show")
	if shown := e.view(ada); !strings.Contains(shown, "EC-1") {
		t.Errorf("shown:\n%s", shown)
	}
}

func TestTheHomeTabSaysWhenGroupsDoNotAnswer(t *testing.T) {
	t.Parallel()
	e := setupHome(t)
	e.request(ada)
	e.people.silentGroups.Store(true)
	shows(t, cto, e.home(cto), "could not be looked up just now", "!Everything open", "!EC-1")
}

func TestAGuestsHomeTabIsEmpty(t *testing.T) {
	t.Parallel()
	e := setupHome(t)
	e.request(ada)
	shows(t, "a guest", e.home("U0GUEST"), "full members", "!EC-1", "!Everything open")
}

// A form needs a trigger that is used up or too old by then, the home tab none.
func TestTheHomeTabSaysThatAFormDidNotOpen(t *testing.T) {
	t.Parallel()
	e := setupHome(t)
	n := e.request(ada).Number
	e.activate(n)
	e.finish(n)
	e.home(ada)
	for button, says := range map[string]string{
		"Request an emergency change": "Press Request an emergency change again, or type `/emergency`",
		"show in mine-1":              "could not be opened just now",
		"Write record":                "could not be opened just now",
		"Write review":                "could not be opened just now",
	} {
		e.ws.Faults.Add(fault.Fault{Kind: fault.Answer, Status: http.StatusOK, Body: `{"ok":false,"error":"expired_trigger_id"}`, Call: "views.open", Times: 1})
		press := func() {
			if action, block, one := strings.Cut(button, " in "); one { // there are two of that name
				must(t, e.ws.Person(ada).Press(t.Context(), slack.Element{Home: true, Block: block, Action: action}))
				return
			}
			e.atHome(ada, button)
		}
		press()
		shows(t, ada, e.homeNow(ada), says, "EC-1", "Write record", "Request an emergency change")
		press()
		e.view(ada)
		must(t, e.ws.Person(ada).CloseView(t.Context()))
		shows(t, ada, e.home(ada), "!"+says, "EC-1")
	}
}

func TestTheHomeTabSaysWhyNothingWasDoneWhereNoFormCanSayIt(t *testing.T) {
	t.Parallel()
	e := setupHome(t)
	n := e.request(ada).Number
	e.activate(n)
	e.finish(n)
	e.home(cto)
	home, _ := e.ws.Home(cto)
	e.atHome(cto, "Sign off")
	shows(t, cto, e.homeNow(cto), noneWaits)
	late, err := e.ws.Person(cto).ClickAtHomePayload("Request an emergency change")
	must(t, err)
	late = late.Set("actions.0.action_id", "sign_off").Set("actions.0.value", value(n, 0)).Set("view.private_metadata", home.PrivateMetadata)
	e.ws.Faults.Add(fault.Fault{Kind: fault.Refused, Call: "views.open", Times: 1})
	_, err = e.ws.Deliver(t.Context(), slack.KindInteractive, late)
	must(t, err)
	shows(t, cto, e.homeNow(cto), "has been signed off", "Everything open")
}
