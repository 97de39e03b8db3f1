package slack_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// clock is a clock that stands still until a test moves it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) Add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// bench is a workspace on a server, and a small application beside it.
type bench struct {
	ws    *slack.Workspace
	clock *clock
	api   *slackgo.Client
	app   *app
}

// app is a small application: /emergency opens a form, its submission posts a
// card and asks U0CTO, who approves with a button.
type app struct {
	api    *slackgo.Client
	now    func() time.Time
	secret string

	mu     sync.Mutex
	kinds  []string                                // payload types seen, in order
	answer func(kind string, raw []byte) *response // overrides, for one test
}

type response struct {
	status int
	body   string
}

func setup(t *testing.T, change func(*slack.Options)) *bench {
	t.Helper()
	c := &clock{at: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)}
	o := slack.Options{
		Now: c.Now,
		Users: []slack.User{
			{ID: "U0ADA", Name: "ada", RealName: "Ada", Email: "ada@example.com", TZ: "Europe/Vienna"},
			{ID: "U0CTO", Name: "cto", RealName: "The CTO", Email: "cto@example.com", TZ: "America/New_York"},
			{ID: "U0GUEST", Name: "guest", RealName: "A guest", UltraRestricted: true},
			{ID: "U0FAR", Name: "far", RealName: "Far away", TeamID: "T0ELSEWHERE", Stranger: true},
			{ID: "U0GONE", Name: "gone", RealName: "Gone", Deactivated: true},
		},
		Usergroups: []slack.Usergroup{{ID: "S0CTO", Handle: "cto", Name: "CTO", Members: []string{"U0CTO"}}},
		Channels: []slack.Channel{
			{ID: "C0PROD", Name: "production"},
			{ID: "C0OTHER", Name: "other", BotNotMember: true},
			{ID: "C0SECRET", Name: "secret", Private: true, BotNotMember: true},
			{ID: "C0OLD", Name: "old", Archived: true},
		},
		AckTimeout: 2 * time.Second,
	}
	if change != nil {
		change(&o)
	}
	ws := slack.New(o)
	server := httptest.NewServer(ws)
	t.Cleanup(server.Close)
	t.Cleanup(ws.Close)
	ws.SetURL(server.URL)
	api := slackgo.New("xoxb-sandbox", slackgo.OptionAPIURL(ws.APIURL()), slackgo.OptionAppLevelToken("xapp-sandbox"),
		slackgo.OptionHTTPClient(&http.Client{Timeout: 10 * time.Second}))
	a := &app{api: api, now: c.Now, secret: "signing-secret"}
	if o.SocketMode {
		a.connect(t, ws)
	} else {
		appServer := httptest.NewServer(a)
		t.Cleanup(appServer.Close)
		ws.SetAppURL(appServer.URL)
	}
	return &bench{ws: ws, clock: c, api: api, app: a}
}

// serve puts another workspace on a server of its own.
func serve(t *testing.T, b *bench, ws *slack.Workspace) *bench {
	t.Helper()
	server := httptest.NewServer(ws)
	t.Cleanup(server.Close)
	t.Cleanup(ws.Close)
	ws.SetURL(server.URL)
	return &bench{ws: ws, clock: b.clock, api: b.api, app: b.app}
}

func (a *app) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string{}, a.kinds...)
}

func (a *app) override(f func(kind string, raw []byte) *response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = f
}

// ServeHTTP verifies the signature and hands the payload on.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !a.verified(r, body) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	raw := body
	if r.URL.Path != "/slack/events" {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		raw = []byte(form.Get("payload"))
		if r.URL.Path == "/slack/commands" {
			flat := map[string]string{"type": "command"}
			for k := range form {
				flat[k] = form.Get(k)
			}
			raw, _ = json.Marshal(flat)
		}
	}
	answer := a.handle(r.Context(), raw)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

func (a *app) verified(r *http.Request, body []byte) bool {
	stamp := r.Header.Get("X-Slack-Request-Timestamp")
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || a.now().Sub(time.Unix(n, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, []byte(a.secret))
	_, _ = fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return hmac.Equal([]byte(r.Header.Get("X-Slack-Signature")), []byte("v0="+hex.EncodeToString(mac.Sum(nil))))
}

// connect runs the application over Socket Mode.
func (a *app) connect(t *testing.T, ws *slack.Workspace) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	client := socketmode.New(a.api)
	done := make(chan struct{})
	go func() { defer close(done); _ = client.RunContext(ctx) }()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-client.Events:
				if e.Request != nil && e.Request.EnvelopeID != "" {
					go a.acknowledge(ctx, client, e)
				}
			}
		}
	}()
	t.Cleanup(func() { cancel(); ws.Close(); <-done })
	if err := ws.WaitFor(t.Context(), func() bool { return ws.Sockets() > 0 }); err != nil {
		t.Fatal(err)
	}
}

func (a *app) acknowledge(ctx context.Context, client *socketmode.Client, e socketmode.Event) {
	raw := e.Request.Payload
	if e.Type == socketmode.EventTypeSlashCommand {
		raw = append([]byte(`{"type":"command",`), raw[1:]...)
	}
	answer := a.handle(ctx, raw)
	if answer.status == http.StatusOK {
		var payload any
		if answer.body != "" {
			payload = json.RawMessage(answer.body)
		}
		_ = client.AckCtx(ctx, e.Request.EnvelopeID, payload)
	}
}

func (a *app) handle(ctx context.Context, raw []byte) response {
	var head struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(raw, &head)
	a.mu.Lock()
	a.kinds = append(a.kinds, head.Type)
	override := a.answer
	a.mu.Unlock()
	if override != nil {
		if r := override(head.Type, raw); r != nil {
			return *r
		}
	}
	var body string
	var err error
	switch head.Type {
	case "command":
		body, err = a.command(ctx, raw)
	case "block_actions", "view_submission", "block_suggestion", "view_closed":
		var ic slackgo.InteractionCallback
		if err = json.Unmarshal(raw, &ic); err == nil {
			body, err = a.interaction(ctx, ic)
		}
	case "url_verification", "event_callback":
		body, err = a.event(ctx, raw)
	}
	if err != nil {
		return response{http.StatusInternalServerError, err.Error()}
	}
	return response{http.StatusOK, body}
}

func (a *app) command(ctx context.Context, raw []byte) (string, error) {
	var c slackgo.SlashCommand
	if err := json.Unmarshal(raw, &c); err != nil {
		return "", err
	}
	if c.Text == "help" {
		return `{"response_type":"ephemeral","text":"Only when the release process is down."}`, nil
	}
	_, err := a.api.OpenViewContext(ctx, c.TriggerID, form(c.ChannelID, false))
	return "", err
}

func plain(s string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(slackgo.PlainTextType, s, false, false)
}

func option(value, text string) *slackgo.OptionBlockObject {
	return slackgo.NewOptionBlockObject(value, plain(text), nil)
}

// form is the request form; asking for the place once the kind needs access.
func form(channel string, access bool) slackgo.ModalViewRequest {
	reason := slackgo.NewInputBlock("reason", plain("Why can't the release process be used?"), nil,
		slackgo.NewRadioButtonsBlockElement("reason", option("down", "It is down"), option("slow", "It is too slow")))
	kind := slackgo.NewInputBlock("kind", plain("Kind of change"), nil,
		slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeStatic, plain("Choose"), "kind", option("manual", "Manual change"), option("config", "Configuration")))
	kind.DispatchAction = true
	what := slackgo.NewInputBlock("what", plain("What will you change?"), nil,
		&slackgo.PlainTextInputBlockElement{Type: slackgo.METPlainTextInput, ActionID: "what", Multiline: true, MaxLength: 100, MinLength: 3})
	blocks := []slackgo.Block{
		slackgo.NewSectionBlock(slackgo.NewTextBlockObject(slackgo.MarkdownType, "The default is to *wait it out*.", false, false), nil, nil),
		reason, kind, what,
	}
	if access {
		where := slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeExternal, plain("Search"), "where")
		zero := 0
		where.MinQueryLength = &zero
		call := slackgo.NewInputBlock("call", plain("Who is on the call with you?"), nil,
			slackgo.NewOptionsMultiSelectBlockElement(slackgo.MultiOptTypeUser, plain("People"), "call"))
		call.Optional = true
		when := slackgo.NewInputBlock("when", plain("When was the change made?"), nil, slackgo.NewDateTimePickerBlockElement("when"))
		when.Optional = true
		blocks = append(blocks, slackgo.NewInputBlock("where", plain("Where"), nil, where), call, when)
	}
	return slackgo.ModalViewRequest{
		Type: slackgo.VTModal, Title: plain("Emergency change"), Submit: plain("Request"), Close: plain("Cancel"),
		CallbackID: "request", PrivateMetadata: channel, NotifyOnClose: true, Blocks: slackgo.Blocks{BlockSet: blocks},
	}
}

func (a *app) interaction(ctx context.Context, ic slackgo.InteractionCallback) (string, error) {
	switch ic.Type {
	case slackgo.InteractionTypeBlockSuggestion:
		return `{"options":[{"text":{"type":"plain_text","text":"Production"},"value":"prod"},{"text":{"type":"plain_text","text":"Staging"},"value":"stage"}]}`, nil
	case slackgo.InteractionTypeViewSubmission:
		return a.submission(ctx, ic)
	case slackgo.InteractionTypeBlockActions:
		if len(ic.ActionCallback.BlockActions) == 0 {
			return "", fmt.Errorf("no action")
		}
		return "", a.action(ctx, ic, ic.ActionCallback.BlockActions[0])
	default:
		return "", nil
	}
}

func (a *app) submission(ctx context.Context, ic slackgo.InteractionCallback) (string, error) {
	values := ic.View.State.Values
	what := values["what"]["what"].Value
	if strings.Contains(what, "everything") {
		return `{"response_action":"errors","errors":{"what":"Name one thing."}}`, nil
	}
	meta := slackgo.SlackMetadata{EventType: "change", EventPayload: map[string]any{"nonce": "n1"}}
	_, ts, err := a.api.PostMessageContext(ctx, ic.View.PrivateMetadata, slackgo.MsgOptionText("EC-1 requested", false),
		slackgo.MsgOptionBlocks(card(what, "Requested", "Withdraw")...), slackgo.MsgOptionMetadata(meta))
	if err != nil {
		return "", err
	}
	_, _, err = a.api.PostMessageContext(ctx, "U0CTO", slackgo.MsgOptionText("Ada asks for EC-1", false),
		slackgo.MsgOptionBlocks(card(what, "Requested at <!date^"+strconv.FormatInt(a.now().Unix(), 10)+"^{date_short_pretty} {time}|then>", "Approve")...),
		slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: "ask", EventPayload: map[string]any{"card": ts}}))
	return "", err
}

func card(what, state, button string) []slackgo.Block {
	b := slackgo.NewButtonBlockElement("decide", "EC-1", plain(button))
	return []slackgo.Block{
		slackgo.NewHeaderBlock(plain("EC-1")),
		slackgo.NewSectionBlock(plain(what), nil, nil),
		slackgo.NewContextBlock("", slackgo.NewTextBlockObject(slackgo.MarkdownType, state, false, false)),
		slackgo.NewActionBlock("buttons", b),
	}
}

func (a *app) action(ctx context.Context, ic slackgo.InteractionCallback, act *slackgo.BlockAction) error {
	switch act.ActionID {
	case "kind":
		_, err := a.api.UpdateViewContext(ctx, form(ic.View.PrivateMetadata, act.SelectedOption.Value == "manual"), "", ic.View.Hash, ic.View.ID)
		return err
	case "decide":
		if ic.Container.Type == "view" {
			return nil
		}
		if ic.User.TeamID != ic.Team.ID {
			_, _, err := a.api.PostMessageContext(ctx, ic.Channel.ID, slackgo.MsgOptionResponseURL(ic.ResponseURL, "ephemeral"), slackgo.MsgOptionText("You are not one of us.", false))
			return err
		}
		_, _, _, err := a.api.UpdateMessageContext(ctx, ic.Channel.ID, ic.Container.MessageTs, slackgo.MsgOptionText("EC-1 approved", false),
			slackgo.MsgOptionBlocks(slackgo.NewSectionBlock(slackgo.NewTextBlockObject(slackgo.MarkdownType, "Approved by <@"+ic.User.ID+">", false, false), nil, nil)))
		return err
	}
	return nil
}

func (a *app) event(ctx context.Context, raw []byte) (string, error) {
	var e struct {
		Challenge string
		Event     struct{ Type, User string }
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return "", err
	}
	if e.Challenge != "" {
		return `{"challenge":"` + e.Challenge + `"}`, nil
	}
	if e.Event.Type != "app_home_opened" {
		return "", nil
	}
	home := slackgo.HomeTabViewRequest{Type: slackgo.VTHomeTab, Blocks: slackgo.Blocks{BlockSet: card("Waiting for you", "nothing", "Request")}}
	_, err := a.api.PublishViewContext(ctx, slackgo.PublishViewContextRequest{UserID: e.Event.User, View: home})
	return "", err
}
