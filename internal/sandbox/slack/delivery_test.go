package slack_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// asked answers a bench whose C0PROD holds a card with an Approve button.
func asked(t *testing.T, change func(*slack.Options)) (*bench, slack.Message) {
	t.Helper()
	b := setup(t, change)
	_, _, err := b.api.PostMessageContext(t.Context(), "C0PROD", slackgo.MsgOptionText("ask", false), slackgo.MsgOptionBlocks(card("x", "y", "Approve")...))
	must(t, err)
	return b, b.ws.Messages("C0PROD")[0]
}

func TestForgeriesReachTheApplicationAsForged(t *testing.T) {
	t.Parallel()
	b, m := asked(t, nil)
	ctx := t.Context()
	click, err := b.ws.Person("U0CTO").ClickPayload(m, "Approve")
	must(t, err)
	status := func(p slack.Payload, seals ...slack.Seal) int {
		r, err := b.ws.Deliver(ctx, slack.KindInteractive, p, seals...)
		must(t, err)
		return r.Status
	}
	for name, seals := range map[string][]slack.Seal{
		"unsigned": {slack.Unsigned()}, "another secret": {slack.SignedWith("guess")}, "six minutes old": {slack.SentAt(b.clock.Now().Add(-6 * time.Minute))},
	} {
		if got := status(click, seals...); got != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, got)
		}
	}
	if len(b.app.seen()) != 0 {
		t.Fatal("a forged request was handled")
	}
	if got := status(click.Without("actions.0.block_id")); got != http.StatusInternalServerError {
		t.Errorf("an action without block_id: status %d", got)
	}
	r, err := b.ws.Deliver(ctx, slack.KindInteractive, click.Set("user.team_id", "T0ELSEWHERE").Set("actions.0.value", "EC-99"))
	must(t, err)
	if !bytes.Contains(r.Sent.Body, []byte("T0ELSEWHERE")) || !bytes.Contains(r.Sent.Body, []byte("EC-99")) {
		t.Errorf("sent %s", r.Sent.Body)
	}
	if got := b.ws.Ephemerals("U0CTO"); len(got) != 1 || got[0].Text != "You are not one of us." {
		t.Errorf("somebody of another workspace was told %+v", got)
	}
	again, err := b.ws.Replay(ctx, r.Sent)
	must(t, err)
	if again.Status != http.StatusOK || !slices.Equal(again.Sent.Header["X-Slack-Signature"], r.Sent.Header["X-Slack-Signature"]) {
		t.Errorf("the replay differs: %+v", again)
	}
	if click["user"].(map[string]any)["team_id"] != "T0SANDBOX" {
		t.Error("forging altered the genuine payload")
	}
	slack.RequireNoViolations(t, b.ws)
}

func TestAnOldCopyOfAMessageCanStillBeClicked(t *testing.T) {
	t.Parallel()
	b, m := asked(t, nil)
	b.ws.DeleteMessage("C0PROD", m.TS)
	p, err := b.ws.Person("U0CTO").ClickPayload(m, "EC-1") // by the button's value
	must(t, err)
	if p["container"].(map[string]any)["message_ts"] != m.TS {
		t.Errorf("clicked %v", p["container"])
	}
	if _, err := b.ws.Person("U0CTO").ClickPayload(m, "Deny"); err == nil {
		t.Error("a button was clicked that is not there")
	}
}

func TestSomebodyFromAnotherWorkspaceActsUnderTheirOwnTeam(t *testing.T) {
	t.Parallel()
	b, m := asked(t, nil)
	p, err := b.ws.Person("U0FAR").ClickPayload(m, "Approve")
	must(t, err)
	if p["team"].(map[string]any)["id"] != "T0SANDBOX" || p["user"].(map[string]any)["team_id"] != "T0ELSEWHERE" {
		t.Errorf("team %v, user %v", p["team"], p["user"])
	}
}

func TestASubmissionCanBeDeliveredTwice(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx, ada := t.Context(), b.ws.Person("U0ADA")
	_, err := ada.Command(ctx, "C0PROD", "/emergency", "")
	must(t, err)
	must(t, ada.Type(ctx, "What will you change?", "a queue"))
	p, err := ada.SubmitPayload()
	must(t, err)
	for range 2 {
		r, err := b.ws.Deliver(ctx, slack.KindInteractive, p)
		must(t, err)
		if r.Status != http.StatusOK {
			t.Errorf("status %d", r.Status)
		}
	}
	if n := len(b.ws.Messages("C0PROD")); n != 2 {
		t.Errorf("%d cards from this careless application, want 2", n)
	}
}

func TestBadAnswersAreViolations(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		kind      string // the payload answered badly
		answer    response
		violation string
	}{
		"a click answered 500":          {"block_actions", response{500, ""}, "ack interactive: status 500"},
		"an error for no input":         {"view_submission", response{200, `{"response_action":"errors","errors":{"nowhere":"no"}}`}, "which is no input block"},
		"errors without errors":         {"view_submission", response{200, `{"response_action":"errors"}`}, "errors without errors"},
		"an empty response_action":      {"view_submission", response{200, `{"response_action":""}`}, "unknown response_action"},
		"an answer that is not JSON":    {"view_submission", response{200, `ok`}, "neither empty nor JSON"},
		"an update to an invalid view":  {"view_submission", response{200, `{"response_action":"update","view":{"type":"modal"}}`}, "invalid_arguments"},
		"suggestions without options":   {"block_suggestion", response{200, `{}`}, "neither options nor option_groups"},
		"too long a suggestion":         {"block_suggestion", response{200, `{"options":[{"text":{"type":"plain_text","text":"` + strings.Repeat("x", 76) + `"},"value":"v"}]}`}, "must be less than 76 characters"},
		"an answer that cannot be seen": {"command", response{200, `{"text":"<!here>"}`}, "pings everybody"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			ctx, ada := t.Context(), b.ws.Person("U0ADA")
			bad := func(kind string, _ []byte) *response {
				if kind == c.kind {
					return &c.answer
				}
				return nil
			}
			if c.kind == "command" {
				b.app.override(bad)
			}
			_, err := ada.Command(ctx, "C0PROD", "/emergency", "")
			must(t, err)
			if c.kind != "command" {
				must(t, ada.Select(ctx, "Kind of change", "Manual change"))
				must(t, ada.Select(ctx, "Where", "Production"))
			}
			b.app.override(bad)
			switch c.kind {
			case "block_actions":
				err = ada.Select(ctx, "Kind of change", "Configuration")
			case "block_suggestion":
				_, err = ada.Search(ctx, "Where", "x")
			case "view_submission":
				must(t, ada.Select(ctx, "Why can't the release process be used?", "It is down"))
				must(t, ada.Type(ctx, "What will you change?", "a queue"))
				err = ada.Submit(ctx)
			}
			if c.kind != "command" && err == nil {
				t.Error("the person noticed nothing")
			}
			wantViolations(t, b.ws, c.violation)
		})
	}
}

func TestALateAcknowledgementIsAViolation(t *testing.T) {
	t.Parallel()
	for name, socket := range map[string]bool{"over HTTP": false, "over Socket Mode": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			b := setup(t, func(o *slack.Options) { o.SocketMode, o.AckTimeout = socket, 50*time.Millisecond })
			t.Cleanup(func() { close(release) }) // before the application's server is closed, which waits for it
			b.app.override(func(string, []byte) *response { <-release; return nil })
			if _, err := b.ws.Person("U0ADA").Command(t.Context(), "C0PROD", "/emergency", "help"); err == nil {
				t.Error("the person noticed nothing")
			}
			wantViolations(t, b.ws, "not acknowledged within 50ms")
		})
	}
}

func TestAnApplicationThatIsDownIsNoViolation(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.ws.SetAppURL("http://127.0.0.1:1")
	if _, err := b.ws.Person("U0ADA").Command(t.Context(), "C0PROD", "/emergency", ""); err == nil {
		t.Error("nobody answered, and nobody noticed")
	}
	slack.RequireNoViolations(t, b.ws)
}

func TestAnEventIsRepeatedUntilItIsAcknowledged(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	left := 2
	b.app.override(func(string, []byte) *response {
		if left--; left >= 0 {
			return &response{503, ""}
		}
		return nil
	})
	must(t, b.ws.Person("U0ADA").OpenHome(t.Context()))
	sent := b.ws.Deliveries()
	if len(sent) != 3 || sent[2].Header.Get("X-Slack-Retry-Num") != "2" || sent[2].Header.Get("X-Slack-Retry-Reason") != "http_error" {
		t.Fatalf("sent %d times, the last with %v", len(sent), sent[len(sent)-1].Header)
	}
	if !bytes.Equal(sent[0].Body, sent[2].Body) {
		t.Error("a repetition has another event_id")
	}
	slack.RequireNoViolations(t, b.ws)
	left = 100
	if b.ws.Person("U0ADA").OpenHome(t.Context()) == nil {
		t.Error("giving up went unnoticed")
	}
	wantViolations(t, b.ws, "given up after 4 attempts")
	if len(b.ws.Deliveries()) != 7 {
		t.Errorf("%d deliveries", len(b.ws.Deliveries()))
	}
}

func TestTheEventsURLIsVerified(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	must(t, b.ws.VerifyURL(t.Context()))
	b.app.override(func(string, []byte) *response { return &response{200, `{"challenge":"another"}`} })
	if b.ws.VerifyURL(t.Context()) == nil {
		t.Error("a wrong challenge was accepted")
	}
	wantViolations(t, b.ws, "without the challenge")
}

func TestModalsStackUpToThree(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	ctx, ada := t.Context(), b.ws.Person("U0ADA")
	_, err := ada.Command(ctx, "C0PROD", "/emergency", "")
	must(t, err)
	var push []byte
	push, err = json.Marshal(slackgo.NewPushViewSubmissionResponse(ptr(form("C0PROD", false))))
	must(t, err)
	answer := response{200, string(push)}
	b.app.override(func(kind string, _ []byte) *response {
		if kind == "view_submission" {
			return &answer
		}
		return nil
	})
	fill := func() error {
		must(t, ada.Select(ctx, "Why can't the release process be used?", "It is down"))
		must(t, ada.Type(ctx, "What will you change?", "a queue"))
		must(t, ada.Select(ctx, "Kind of change", "Configuration"))
		return ada.Submit(ctx)
	}
	must(t, fill())
	must(t, fill())
	top, _ := b.ws.View("U0ADA")
	if top.PreviousID == "" || top.RootID == top.ID || top.RootID == top.PreviousID {
		t.Errorf("the third modal: id %s, root %s, previous %s", top.ID, top.RootID, top.PreviousID)
	}
	if fill() == nil {
		t.Error("a fourth modal was pushed")
	}
	wantViolations(t, b.ws, "push_limit_reached")
	answer = response{200, `{"response_action":"clear"}`}
	must(t, fill())
	if _, open := b.ws.View("U0ADA"); open {
		t.Error("clear left a modal open")
	}
}

// TestPayloadsHaveTheShapeOfRecordedOnes compares the members of our payloads
// with those of payloads that Slack sent.
func TestPayloadsHaveTheShapeOfRecordedOnes(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("BREAKGLASS_CONTRACTS")
	if dir == "" {
		t.Skip("BREAKGLASS_CONTRACTS is not set")
	}
	ours := genuine(t)
	if found, err := filepath.Glob(filepath.Join(dir, "*.json")); err != nil || len(found) == 0 {
		dir = filepath.Join(dir, "slack-payloads")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	must(t, err)
	compared := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		must(t, err)
		var recorded map[string]any
		must(t, json.Unmarshal(raw, &recorded))
		var ic slackgo.InteractionCallback
		must(t, json.Unmarshal(raw, &ic))
		key := recorded["type"].(string)
		if c, ok := recorded["container"].(map[string]any); ok {
			key += " " + c["type"].(string)
		}
		for _, mine := range ours[key] {
			compared++
			missing(t, filepath.Base(file), "", recorded, mine)
		}
	}
	if compared < 5 {
		t.Errorf("only %d payloads compared", compared)
	}
}

// unlike are members that only other kinds of installation send.
var unlike = []string{"function_data", "bot_access_token", "interactivity", "enterprise_id", "enterprise_name", "dispatch_action_config", "style"}

func missing(t *testing.T, file, path string, recorded, mine map[string]any) {
	t.Helper()
	for k, v := range recorded {
		if slices.Contains(unlike, k) || path == ".view.state" {
			continue
		}
		have, present := mine[k]
		if !present && k != "message" && (k != "trigger_id" || !strings.Contains(file, "Remote")) {
			t.Errorf("%s: our payload has no %s.%s", file, path, k)
			continue
		}
		theirs, isObject := v.(map[string]any)
		if o, ok := have.(map[string]any); isObject && ok && k != "values" {
			missing(t, file, path+"."+k, theirs, o)
		}
		if l, ok := v.([]any); ok && k == "actions" {
			missing(t, file, path+".actions", l[0].(map[string]any), have.([]any)[0].(map[string]any))
		}
	}
}

// genuine answers payloads of ours by kind, each decoded by slack-go as well.
func genuine(t *testing.T) map[string][]map[string]any {
	t.Helper()
	b, m := asked(t, nil)
	ctx, ada := t.Context(), b.ws.Person("U0ADA")
	_, err := ada.Command(ctx, "C0PROD", "/emergency", "")
	must(t, err)
	must(t, ada.Select(ctx, "Kind of change", "Manual change"))
	must(t, ada.Select(ctx, "Where", "Production"))
	must(t, ada.Select(ctx, "Why can't the release process be used?", "It is down"))
	must(t, ada.Type(ctx, "What will you change?", "a queue"))
	must(t, ada.Submit(ctx))
	_, err = ada.Command(ctx, "C0PROD", "/emergency", "")
	must(t, err)
	must(t, ada.CloseView(ctx))
	must(t, ada.OpenHome(ctx))
	must(t, ada.ClickAtHome(ctx, "Request"))
	must(t, ada.Click(ctx, m, "Approve"))
	_, _, err = b.api.PostMessageContext(ctx, "C0PROD", slackgo.MsgOptionText("where?", false), slackgo.MsgOptionBlocks(
		slackgo.NewActionBlock("", slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeExternal, plain("Where"), "where"))))
	must(t, err)
	said := b.ws.Messages("C0PROD")
	must(t, ada.SelectIn(ctx, said[len(said)-1], "Where", "Production"))
	out := map[string][]map[string]any{}
	for _, d := range b.ws.Deliveries() {
		if d.Kind == slack.KindCommand || d.Kind == slack.KindEvent {
			continue
		}
		raw, err := json.Marshal(d.Payload)
		must(t, err)
		var ic slackgo.InteractionCallback
		must(t, json.Unmarshal(raw, &ic))
		var p map[string]any
		must(t, json.Unmarshal(raw, &p))
		key := string(ic.Type)
		if c, ok := p["container"].(map[string]any); ok {
			key += " " + c["type"].(string)
		}
		if a, ok := p["actions"].([]any); ok && a[0].(map[string]any)["type"] != "button" {
			continue // the recorded actions are buttons
		}
		out[key] = append(out[key], p)
	}
	return out
}

func ptr[T any](v T) *T { return &v }
