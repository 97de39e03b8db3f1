package web_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/web"
)

func TestACommandOpensTheFormOnTheScreenOfWhoeverTypedIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine, others := b.listen(sandbox.Engineer), b.listen(sandbox.CTO)
	b.did("as/"+sandbox.Engineer+"/say", object{"channel": sandbox.OtherChannel, "text": "/emergency"})
	mine.until("slack", `"title":"Emergency change"`)
	others.until("people", `"asked":true`)
	if strings.Contains(others.seen["slack"], "Emergency change") {
		t.Error("the form of somebody is on the screen of somebody else")
	}
}

func TestAFormIsFilledSearchedAndSubmitted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := "as/" + sandbox.Engineer + "/"
	s, cto := b.listen(sandbox.Engineer), b.listen(sandbox.CTO)
	b.did(as+"say", object{"channel": sandbox.Channel, "text": "/emergency"})
	at := func(block, action string) object { return object{"block": block, "action": action} }
	b.did(as+"put", object{"at": at("why", "choice"), "value": object{"selected_option": object{"text": object{"type": "plain_text", "text": "GitHub is down"}, "value": "github"}}})
	b.did(as+"put", object{"at": at("what", "text"), "value": object{"value": "short"}})
	offered, _ := b.did(as+"suggest", object{"at": at("where", "target"), "query": "secu"})["options"].([]any)
	if len(offered) != 1 {
		t.Fatalf("the search offers %v", offered)
	}
	b.did(as+"put", object{"at": at("where", "target"), "value": object{"selected_option": offered[0]}})
	if said := b.did(as+"submit", object{}); said["refused"] != true {
		t.Errorf("a form with an error answers %v", said)
	}
	s.until("slack", `"errors":{"what":"Say a little more`)
	b.did(as+"put", object{"at": at("what", "text"), "value": object{"value": "Restart the queue by hand"}})
	b.did(as+"submit", object{})
	s.until("slack", `"modal":null`)
	cto.until("slack", `"action_id":"approve"`)
}

func TestWhatSlackItselfDemandsStandsAtTheInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := "as/" + sandbox.Engineer + "/"
	s := b.listen(sandbox.Engineer)
	b.did(as+"say", object{"channel": sandbox.Channel, "text": "/emergency"})
	b.did(as+"submit", object{})
	s.until("slack", `"why":"Please complete this required field."`)
	if got := len(b.app.payloads("view_submission")); got != 0 {
		t.Errorf("%d submissions reached the application", got)
	}
}

func TestWritingGoesWhereItWasMeant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := "as/" + sandbox.Engineer + "/say"
	s := b.listen(sandbox.Engineer)
	b.did(as, object{"channel": sandbox.OtherChannel, "text": "hello <b> & all"})
	s.until("slack", `hello \u0026lt;b\u0026gt; \u0026amp; all`)
	ts := b.world.Slack.Messages(sandbox.OtherChannel)[0].TS
	b.did(as, object{"channel": sandbox.OtherChannel, "thread": ts, "text": "in the thread"})
	if got := len(b.world.Slack.Thread(sandbox.OtherChannel, ts)); got != 2 {
		t.Errorf("the thread has %d messages", got)
	}
	b.did(as, object{"channel": "", "text": "to the bot"})
	if got := b.world.Slack.DMs(sandbox.Engineer); len(got) != 1 {
		t.Errorf("the direct messages are %v", got)
	}
	b.did(as, object{"channel": sandbox.OtherChannel, "text": "/emergency nonsense"})
	s.until("slack", `"ephemeral":true`)
	for text, reason := range map[string]string{"/remind me": "not a valid command", "/emergency": "not supported in threads"} {
		status, said := b.post(as, object{"channel": sandbox.OtherChannel, "thread": map[bool]string{true: ts}[text == "/emergency"], "text": text})
		if told, _ := said["error"].(string); status != http.StatusConflict || !strings.Contains(told, reason) {
			t.Errorf("%q: status %d, %v", text, status, said)
		}
	}
}

func TestAPressOfWhatIsGoneSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	status, said := b.post("as/"+sandbox.CTO+"/press", object{"at": object{"channel": sandbox.Channel, "ts": "1.000001", "block": "decide", "action": "approve"}})
	if status != http.StatusConflict || said["error"] != "the message is no longer there" {
		t.Errorf("status %d, %v", status, said)
	}
}

func TestAnApplicationThatIsDownIsSaidToBe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.world.Slack.SetAppURL("http://127.0.0.1:1")
	status, said := b.post("as/"+sandbox.Engineer+"/say", object{"channel": sandbox.Channel, "text": "/emergency"})
	if told, _ := said["error"].(string); status != http.StatusConflict || !strings.HasPrefix(told, "breakglass did not answer") {
		t.Errorf("status %d, %v", status, said)
	}
}

func TestWhatStandsBesideSlackIsShownAndMoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.listen(sandbox.Guest)
	b.did("aws/standing", object{"on": true})
	s.until("aws", `"who":"Engineer","account":"Production","set":"BreakGlassReadOnly","standing":true`)
	b.did("aws/standing", object{"on": false})
	s.until("aws", `"to":"`)
	b.did("incidents", object{"name": "The queue is stuck", "severity": "Major"})
	s.until("incidents", `"reference":"INC-1"`)
	b.did("incidents/status", object{"id": b.world.IncidentIO.Incidents()[0].ID, "status": "Closed"})
	s.until("incidents", `"status":"Closed"`)
	b.did("github", object{"broken": true})
	s.until("github", `"major_outage"`)
	b.did("github", object{"broken": false})
	s.until("github", `{"name":"Actions","condition":"operational"}`)
	before := b.now()
	b.did("clock", object{"minutes": 720})
	if moved := b.now().Sub(before).Hours(); moved < 12 || moved > 12.1 {
		t.Errorf("the clock moved by %.2f hours", moved)
	}
	b.did("restart", object{})
	if got := b.restarts.Load(); got != 1 {
		t.Errorf("%d restarts", got)
	}
}

// A click is judged by the time at which it was made: ten minutes later it would
// be refused as a replay, and its form could not be opened any more.
func TestTheClockWaitsForWhoeverIsClicking(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var moving sync.WaitGroup
	moving.Go(func() {
		for range 30 {
			b.did("clock", object{"minutes": 10})
		}
	})
	for range 30 {
		b.did("as/"+sandbox.Engineer+"/say", object{"channel": sandbox.Channel, "text": "/emergency"})
		b.did("as/"+sandbox.Engineer+"/close", object{})
	}
	moving.Wait()
	if all := b.world.Violations(); len(all) > 0 {
		t.Errorf("the world complains: %v", all)
	}
}

func TestOnlyAnOwnAccountCommentsOnATicket(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := b.world.Jira.AddIssue(jira.Issue{Project: "OPS", Type: "Task", Summary: "EC-1", Creator: sandbox.CTOAccount})
	s := b.listen(sandbox.CTO)
	b.did("jira/comments", object{"key": key, "as": sandbox.CTO, "text": "Approved."})
	s.until("jira", `{"who":"CTO","text":"Approved."`)
	for _, wrong := range []object{{"key": key, "as": sandbox.Engineer, "text": "Approved."}, {"key": "OPS-99", "as": sandbox.CTO, "text": "x"}, {"key": key, "as": sandbox.CTO, "text": " "}} {
		if status, _ := b.post("jira/comments", wrong); status != http.StatusConflict {
			t.Errorf("%v: status %d", wrong, status)
		}
	}
}

func TestMergeRequestsAreShownAndActedOnAsAnybody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.listen(sandbox.Guest)
	on := func(forge, project, as, act, text string) object {
		return object{"forge": forge, "project": project, "number": 1, "as": as, "act": act, "text": text}
	}
	for _, forge := range []string{"GitLab", "GitHub"} {
		project, shown := sandbox.HotPatches, `"reference":"platform/patcher!1"`
		if forge == "GitHub" {
			project, shown = sandbox.Repository, `"reference":"platform/queue#1"`
		}
		state := func(says string) string {
			_, after, _ := strings.Cut(s.seen["forges"], shown)
			after, _, _ = strings.Cut(after, `"reference"`)
			if !strings.Contains(after, says) {
				return after
			}
			return ""
		}
		until := func(says string) {
			t.Helper()
			s.until("forges", shown)
			for range 20 {
				if state(says) == "" {
					return
				}
				delete(s.seen, "forges")
				s.until("forges", shown)
			}
			t.Errorf("%s does not come to say %q: %s", forge, says, state(says))
		}
		b.did("forges", on(forge, project, sandbox.ColleagueLogin, "approve", ""))
		until(`"approved":["colleague"]`)
		b.did("forges", on(forge, project, sandbox.ColleagueLogin, "unapprove", ""))
		until(`"approved":[]`)
		b.did("forges", on(forge, project, sandbox.ColleagueLogin, "label", "urgent"))
		until(`"urgent"]`)
		b.did("forges", on(forge, project, sandbox.ColleagueLogin, "unlabel", "urgent"))
		b.did("forges", on(forge, project, sandbox.ColleagueLogin, "merge", ""))
		until(`"state":"merged"`)
		if got := state(`"urgent"`); got == "" {
			t.Errorf("%s still has the label", forge)
		}
		for _, wrong := range []object{
			on(forge, project, sandbox.ColleagueLogin, "merge", ""), on(forge, project, "nobody", "approve", ""), on(forge, project, sandbox.ColleagueLogin, "unapprove", ""),
			on(forge, "no/where", sandbox.ColleagueLogin, "approve", ""), on(forge, project, sandbox.ColleagueLogin, "label", " "), on(forge, project, sandbox.ColleagueLogin, "dance", ""),
		} {
			if status, _ := b.post("forges", wrong); status != http.StatusConflict {
				t.Errorf("%v: status %d", wrong, status)
			}
		}
	}
	b.did("forges", on("GitLab", sandbox.HotPatches, sandbox.ColleagueLogin, "note", "Reviewed, all well"))
	s.until("forges", "colleague: Reviewed, all well")
}

func TestATroubleIsSwitchedOnAndOffAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, url := range map[string]string{
		"aws-throttles": "AWS", "aws-fails": "AWS", "jira-fails": "Jira", "incidents-fail": "incident.io", "github-silent": "GitHub status",
		"gitlab-fails": "GitLab", "pulls-fail": "GitHub",
	} {
		ask := func() int {
			for _, at := range b.world.Addresses() {
				if at.Name == url {
					resp := b.fetch(http.MethodGet, at.URL+"/")
					must(t, resp.Body.Close())
					return resp.StatusCode
				}
			}
			t.Fatalf("no %s", url)
			return 0
		}
		well := ask()
		b.did("trouble", object{"name": name, "on": true})
		if got := ask(); got != http.StatusInternalServerError && got != http.StatusTooManyRequests && got != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d", name, got)
		}
		b.did("trouble", object{"name": name, "on": false})
		if got := ask(); got != well {
			t.Errorf("after %s: status %d, before %d", name, got, well)
		}
	}
	if status, _ := b.post("trouble", object{"name": "no such", "on": true}); status != http.StatusConflict {
		t.Errorf("an unknown trouble: status %d", status)
	}
}

func TestSlackThrottlesMessagesButStillOpensForms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.did("trouble", object{"name": "slack-throttles", "on": true})
	for method, want := range map[string]int{"chat.postMessage": 429, "chat.update": 429, "auth.test": 200} {
		resp := b.fetch(http.MethodPost, b.world.Slack.APIURL()+method)
		must(t, resp.Body.Close())
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", method, resp.StatusCode, want)
		}
		if want == 429 && resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", method)
		}
	}
}

func TestTheLedgerIsShownAndItsLossSaid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ledger.Store(&web.LedgerView{Whole: true, Said: "1 chain is whole.", Changes: []web.LedgerChange{{Number: "EC-1", Phase: "active"}}})
	s := b.listen(sandbox.CTO)
	s.until("ledger", `"number":"EC-1"`)
	b.ledger.Store(nil)
	b.did("clock", object{"minutes": 10})
	s.until("ledger", "cannot be read")
	if !strings.Contains(s.seen["ledger"], "EC-1") {
		t.Error("what was known of the ledger is gone")
	}
}
