package slackapp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	slackgo "github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
	"github.com/breakglass-bot/breakglass/internal/slackapp"
)

// lookedUpIn makes a workspace and what looks people up in it.
func lookedUpIn(t *testing.T) (slackapp.Workspace, *slack.Workspace) {
	t.Helper()
	ws := slack.New(slack.Options{
		Now: func() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }, Users: edgeUsers(),
		Usergroups: []slack.Usergroup{{ID: "S0REL", Members: []string{ada, "U0GONE"}}, {ID: "S0EMPTY"}, {ID: "S0OFF", Members: []string{ben}, Disabled: true}},
	})
	server := httptest.NewServer(ws)
	t.Cleanup(server.Close)
	t.Cleanup(ws.Close)
	ws.SetURL(server.URL)
	return slackapp.Workspace{Client: slackapp.NewClient(ws.APIURL(), "xoxb-sandbox", &http.Client{Timeout: 5 * time.Second}), TeamID: "T0SANDBOX"}, ws
}

func TestWhoeverSlackKnowsHasTheirStanding(t *testing.T) {
	t.Parallel()
	w, ws := lookedUpIn(t)
	for id, want := range map[change.PersonID]change.Standing{
		ada: change.Member, "U0GUEST": change.Guest, "U0SINGLE": change.Guest, "U0ROBOT": change.Bot,
		"U0STRANGER": change.Stranger, "U0GONE": change.Deactivated, "U0NOBODY": change.Stranger,
	} {
		if p, err := w.Person(t.Context(), id); err != nil || p.Standing != want || p.ID != id {
			t.Errorf("%s: %+v, %v; want %s", id, p, err, want)
		}
	}
	slack.RequireNoViolations(t, ws)
}

// answering serves one user object to every call, as Slack would.
func answering(t *testing.T, body string) slackapp.Workspace {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return slackapp.Workspace{Client: slackapp.NewClient(server.URL+"/api/", "xoxb-sandbox", &http.Client{Timeout: 5 * time.Second}), TeamID: "T0SANDBOX"}
}

func TestStandingGoesByEveryMarkOfAnAccount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		user string
		want change.Standing
	}{
		"a member":                                {`"team_id":"T0SANDBOX"`, change.Member},
		"of the organisation, and in this team":   {`"team_id":"T0OTHER","enterprise_user":{"enterprise_id":"E0ORG","teams":["T0OTHER","T0SANDBOX"]}`, change.Member},
		"of the organisation, in another team":    {`"team_id":"T0OTHER","enterprise_user":{"enterprise_id":"E0ORG","teams":["T0OTHER"]}`, change.Stranger},
		"a guest of the organisation":             {`"team_id":"T0OTHER","is_restricted":true,"enterprise_user":{"teams":["T0SANDBOX"]}`, change.Guest},
		"of another team":                         {`"team_id":"T0OTHER"`, change.Stranger},
		"of no team":                              {`"name":"ada"`, change.Stranger},
		"a stranger in spite of the team":         {`"team_id":"T0SANDBOX","is_stranger":true`, change.Stranger},
		"a guest":                                 {`"team_id":"T0SANDBOX","is_restricted":true`, change.Guest},
		"a guest in one channel":                  {`"team_id":"T0SANDBOX","is_ultra_restricted":true`, change.Guest},
		"a bot":                                   {`"team_id":"T0SANDBOX","is_bot":true`, change.Bot},
		"an application's user":                   {`"team_id":"T0SANDBOX","is_app_user":true`, change.Bot},
		"a bot that was an administrator":         {`"team_id":"T0SANDBOX","is_bot":true,"is_admin":true`, change.Bot},
		"deactivated":                             {`"team_id":"T0SANDBOX","deleted":true`, change.Deactivated},
		"deactivated, and whatever else":          {`"team_id":"T0OTHER","deleted":true,"is_bot":true,"is_restricted":true`, change.Deactivated},
		"an administrator who is a member anyway": {`"team_id":"T0SANDBOX","is_admin":true,"is_owner":true`, change.Member},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := answering(t, `{"ok":true,"user":{"id":"U0ADA",`+c.user+`}}`).Person(t.Context(), ada)
			if err != nil || p.Standing != c.want {
				t.Errorf("%+v, %v; want %s", p, err, c.want)
			}
		})
	}
	p, err := answering(t, `{"ok":true,"user":{"id":"USLACKBOT","team_id":"T0SANDBOX"}}`).Person(t.Context(), "USLACKBOT")
	if err != nil || p.Standing != change.Bot {
		t.Errorf("Slackbot: %+v, %v", p, err)
	}
}

func TestAPersonIsKnownByTheNameTheyChose(t *testing.T) {
	t.Parallel()
	for want, user := range map[string]string{
		"chosen":  `"name":"handle","real_name":"real","profile":{"display_name":"chosen","real_name":"profile"}`,
		"real":    `"name":"handle","real_name":"real","profile":{"real_name":"profile"}`,
		"profile": `"name":"handle","profile":{"real_name":"profile"}`,
		"handle":  `"name":"handle"`,
		"":        `"deleted":false`,
	} {
		p, err := answering(t, `{"ok":true,"user":{"id":"U0ADA","tz":"Europe/Paris","team_id":"T0SANDBOX",`+user+`}}`).Person(t.Context(), ada)
		if err != nil || p.Name != want || p.TimeZone != "Europe/Paris" || p.TeamID != "T0SANDBOX" {
			t.Errorf("%+v, %v; want %q", p, err, want)
		}
	}
}

func TestTheMembersOfAUserGroup(t *testing.T) {
	t.Parallel()
	w, ws := lookedUpIn(t)
	for id, want := range map[string][]change.PersonID{"S0REL": {ada, "U0GONE"}, "S0EMPTY": {}, "S0OFF": nil, "S0UNKNOWN": nil} {
		got, err := w.UsergroupMembers(t.Context(), id)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", id, err, diff)
		}
	}
	slack.RequireNoViolations(t, ws)
}

// An answer that is none is never taken for a stranger, nor for an empty group.
func TestWhereSlackDoesNotAnswerNobodyIsJudged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault fault.Fault
		want  change.Outcome
	}{
		"too many calls":            {fault.Fault{Kind: fault.TooMany, RetryAfter: 30 * time.Second}, change.NotNow},
		"unavailable":               {fault.Fault{Kind: fault.Unavailable}, change.Unknown},
		"an error of Slack's":       {fault.Fault{Kind: fault.Internal}, change.Unknown},
		"a page instead of JSON":    {fault.Fault{Kind: fault.HTML}, change.Unknown},
		"half an answer":            {fault.Fault{Kind: fault.Truncated}, change.Unknown},
		"a connection that breaks":  {fault.Fault{Kind: fault.Refused}, change.Unknown},
		"a reply that was not read": {fault.Fault{Kind: fault.ReplyLost}, change.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ws := lookedUpIn(t)
			// The program's client would first wait as long as Slack asks.
			w.Client = slackgo.New("xoxb-sandbox", slackgo.OptionAPIURL(ws.APIURL()), slackgo.OptionHTTPClient(&http.Client{Timeout: 5 * time.Second}))
			ws.Faults.Add(c.fault)
			p, personErr := w.Person(t.Context(), ada)
			members, groupErr := w.UsergroupMembers(t.Context(), "S0REL")
			if p.Standing != "" || members != nil {
				t.Errorf("judged: %+v, %v", p, members)
			}
			for _, err := range []error{personErr, groupErr} {
				outside, ok := errors.AsType[*change.OutsideError](err)
				if !ok || outside.Outcome != c.want || outside.System != change.SystemSlack || outside.Say == "" {
					t.Errorf("got %v; want %s", err, c.want)
				} else if outside.RetryAfter != c.fault.RetryAfter {
					t.Errorf("to be asked again after %s", outside.RetryAfter)
				}
			}
		})
	}
}

func TestARefusalOfSlackJudgesNobody(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"invalid_auth", "missing_scope", "ratelimited", "internal_error", "something_new"} {
		w := answering(t, `{"ok":false,"error":"`+code+`"}`)
		if p, err := w.Person(t.Context(), ada); err == nil {
			t.Errorf("%s: %+v", code, p)
		}
		if members, err := w.UsergroupMembers(t.Context(), "S0REL"); err == nil {
			t.Errorf("%s: %v", code, members)
		}
	}
}
