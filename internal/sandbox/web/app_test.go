package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// app is a small application behind the stand-in for Slack: it opens a form with
// every input, posts a card with every block, asks the CTO, and notes what it is
// told. It speaks Slack's plain wire format, since only the page is on trial.
type app struct {
	t     *testing.T
	world *sandbox.World

	asked atomic.Int32 // commands that are being answered

	mu   sync.Mutex
	told []json.RawMessage // interactive payloads, in order
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Errorf("the app cannot read a delivery: %v", err)
		return
	}
	if r.URL.Path == "/slack/events" {
		a.event(w, raw)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	if err := r.ParseForm(); err != nil {
		a.t.Errorf("the app cannot read a form: %v", err)
		return
	}
	if r.URL.Path == "/slack/commands" {
		a.asked.Add(1)
		defer a.asked.Add(-1)
		a.command(w, r)
		return
	}
	a.interaction(w, []byte(r.Form.Get("payload")))
}

func (a *app) command(w http.ResponseWriter, r *http.Request) {
	switch text := r.Form.Get("text"); text {
	case "":
		a.call("views.open", map[string]any{"trigger_id": r.Form.Get("trigger_id"), "view": decoded(a.t, requestForm)})
	case "inputs":
		a.call("views.open", map[string]any{"trigger_id": r.Form.Get("trigger_id"), "view": decoded(a.t, everyInput)})
	case "blocks":
		a.call("chat.postMessage", map[string]any{"channel": r.Form.Get("channel_id"), "text": "Every block", "blocks": decoded(a.t, everyBlock)})
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"response_type":"ephemeral","text":"There is no *%s*. Try /emergency help."}`, text)
	}
}

func (a *app) event(w http.ResponseWriter, raw []byte) {
	var in struct{ Event struct{ Type, User string } }
	if err := json.Unmarshal(raw, &in); err != nil {
		a.t.Errorf("the app cannot read an event: %v", err)
	}
	if in.Event.Type == "app_home_opened" {
		a.call("views.publish", map[string]any{"user_id": in.Event.User, "view": decoded(a.t, home)})
	}
	w.WriteHeader(http.StatusOK)
}

// interaction answers a click, a search or a form.
func (a *app) interaction(w http.ResponseWriter, raw []byte) {
	a.mu.Lock()
	a.told = append(a.told, raw)
	a.mu.Unlock()
	var in struct {
		Type    string
		Value   string
		User    struct{ ID string }
		Channel struct{ ID string }
		Message struct{ TS string }
		Actions []struct {
			ActionID string `json:"action_id"`
		}
		View struct {
			CallbackID string `json:"callback_id"`
			State      struct {
				Values map[string]map[string]struct{ Value string }
			}
		}
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		a.t.Errorf("the app cannot read a payload: %v", err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch in.Type {
	case "block_suggestion":
		options := []any{}
		for _, name := range []string{"Production", "Production (read only)", "Security"} {
			if strings.Contains(strings.ToLower(name), strings.ToLower(in.Value)) {
				options = append(options, map[string]any{"text": map[string]any{"type": "plain_text", "text": name}, "value": name})
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"options": options})
	case "view_submission":
		if in.View.CallbackID == "request" && len(in.View.State.Values["what"]["text"].Value) < 10 {
			_, _ = io.WriteString(w, `{"response_action":"errors","errors":{"what":"Say a little more: at least ten letters, so that an approver can decide."}}`)
			return
		}
		if in.View.CallbackID == "request" {
			a.call("chat.postMessage", map[string]any{"channel": sandbox.Channel, "text": "EC-1 was requested", "blocks": decoded(a.t, card)})
			a.call("chat.postMessage", map[string]any{"channel": sandbox.CTO, "text": "EC-1: Engineer asks for BreakGlassAdmin", "blocks": decoded(a.t, question)})
		}
	case "block_actions":
		if len(in.Actions) == 1 && in.Actions[0].ActionID == "approve" {
			a.call("chat.update", map[string]any{"channel": in.Channel.ID, "ts": in.Message.TS, "text": "EC-1 approved", "blocks": decoded(a.t,
				`[{"type":"section","text":{"type":"mrkdwn","text":"You approved *EC-1*."}}]`)})
			a.world.AWS.Plant(sandbox.AdminOf(sandbox.Engineer))
		}
	}
}

// call speaks to Slack's Web API as the bot.
func (a *app) call(method string, body map[string]any) {
	if body["channel"] == sandbox.CTO {
		body["channel"] = a.dm(sandbox.CTO)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		a.t.Errorf("%s: %v", method, err)
		return
	}
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.world.Slack.APIURL()+method, bytes.NewReader(raw))
	if err != nil {
		a.t.Errorf("%s: %v", method, err)
		return
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer xoxb-sandbox")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Errorf("%s: %v", method, err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	var said struct {
		OK       bool
		Error    string
		Metadata any `json:"response_metadata"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil || !said.OK {
		a.t.Errorf("%s: %s %v %v", method, said.Error, said.Metadata, err)
	}
}

func (a *app) dm(user string) string {
	channel, err := a.world.Slack.Person(user).OpenDM()
	if err != nil {
		a.t.Errorf("open direct messages: %v", err)
	}
	return channel
}

// payloads answers what the app was told of one type, such as view_submission.
func (a *app) payloads(kind string) []map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []map[string]any
	for _, raw := range a.told {
		var p map[string]any
		if err := json.Unmarshal(raw, &p); err != nil {
			a.t.Errorf("payload: %v", err)
		}
		if p["type"] == kind {
			all = append(all, p)
		}
	}
	return all
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Errorf("%v in %s", err, text)
	}
	return v
}
