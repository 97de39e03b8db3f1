package slackapp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	// maxBody bounds what Slack sends, in bytes: a view of 250 KB with what was
	// typed into it, percent-encoded.
	maxBody = 2 << 20
	// signatureAge is how far a signature's time may be from ours, either way.
	signatureAge = 5 * time.Minute
	// answerWithin is how long we work on a payload. Slack waits three seconds.
	answerWithin = 2500 * time.Millisecond
)

// door is where a payload came in.
type door string

const (
	doorCommand     door = "commands"
	doorInteraction door = "interactions"
	doorEvent       door = "events"
)

// reply is the answer to a payload. A nil body is an empty one.
type reply struct {
	status int
	body   any
}

func accepted() reply { return reply{status: http.StatusOK} }

// Commands takes slash commands, at POST /slack/commands.
func (a *App) Commands() http.Handler { return a.behind(doorCommand) }

// Interactions takes clicks, forms and searches, at POST /slack/interactions.
func (a *App) Interactions() http.Handler { return a.behind(doorInteraction) }

// Events takes events, at POST /slack/events.
func (a *App) Events() http.Handler { return a.behind(doorEvent) }

func (a *App) behind(d door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, d) })
}

// serve takes a request only when Slack has signed it lately: the raw body is
// verified before anything in it is looked at.
func (a *App) serve(w http.ResponseWriter, r *http.Request, d door) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		a.turnedDown(r.Context(), "a request could not be read", d, slog.Any("error", err))
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	if why := a.forged(r.Header, body); why != "" {
		a.turnedDown(r.Context(), "a request was not signed by Slack", d, slog.String("why", why))
		http.Error(w, "not signed", http.StatusUnauthorized)
		return
	}
	// Slack hanging up undoes nothing: what was begun is finished.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerWithin)
	defer cancel()
	a.answer(ctx, w, a.dispatch(ctx, d, delivered{body: body, form: true, mark: r.Header.Get("X-Slack-Signature")}))
}

func (a *App) answer(ctx context.Context, w http.ResponseWriter, r reply) {
	if r.body == nil {
		w.WriteHeader(r.status)
		return
	}
	raw, err := json.Marshal(r.body)
	if err != nil {
		a.Log.ErrorContext(ctx, "an answer could not be encoded", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(r.status)
	if _, err := w.Write(raw); err != nil {
		a.Log.WarnContext(ctx, "an answer could not be sent", "error", err)
	}
}

// forged says why a request was not signed by Slack in the last minutes; empty
// when it was.
func (a *App) forged(h http.Header, body []byte) string {
	if a.Config.SigningSecret == "" {
		return "no signing secret is configured"
	}
	stamp := h.Get("X-Slack-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return "no timestamp"
	}
	if age := a.Now().Sub(time.Unix(seconds, 0)); age > signatureAge || age < -signatureAge {
		return "the timestamp is too far from now"
	}
	mac := hmac.New(sha256.New, []byte(a.Config.SigningSecret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	if !hmac.Equal([]byte("v0="+hex.EncodeToString(mac.Sum(nil))), []byte(h.Get("X-Slack-Signature"))) {
		return "the signature does not fit"
	}
	return ""
}

// delivered is a payload as it came in.
type delivered struct {
	body []byte
	form bool   // it is wrapped in a form, as over HTTP
	mark string // the same for the identical delivery: its signature, or its envelope
}

// repeated tells whether the identical delivery was taken before. It is answered
// as taken, and nothing is done again.
func (a *App) repeated(ctx context.Context, d door, p delivered) bool {
	if a.replays.first(p.mark, a.Now()) {
		return false
	}
	a.Log.WarnContext(ctx, "a payload came a second time", "door", string(d))
	return true
}

// dispatch finds what a payload is for.
func (a *App) dispatch(ctx context.Context, d door, p delivered) reply {
	a.attention.begin()
	defer a.attention.end()
	switch d {
	case doorCommand:
		return a.takeCommand(ctx, p)
	case doorInteraction:
		return a.takeInteraction(ctx, p)
	case doorEvent:
		return a.takeEvent(ctx, p)
	}
	return reply{status: http.StatusNotFound}
}

func (a *App) takeCommand(ctx context.Context, p delivered) reply {
	var c command
	if p.form {
		values, err := url.ParseQuery(string(p.body))
		if err != nil {
			return a.unreadable(ctx, doorCommand, err)
		}
		c = commandOf(values)
	} else if err := json.Unmarshal(p.body, &c); err != nil {
		return a.unreadable(ctx, doorCommand, err)
	}
	if !a.ours(c.AppID, c.TeamID) {
		return a.elsewhere(ctx, doorCommand, change.PersonID(c.UserID), c.TeamID, c.AppID)
	}
	if a.repeated(ctx, doorCommand, p) {
		return accepted()
	}
	return a.command(ctx, c)
}

func (a *App) takeInteraction(ctx context.Context, p delivered) reply {
	body := p.body
	if p.form {
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return a.unreadable(ctx, doorInteraction, err)
		}
		body = []byte(values.Get("payload"))
	}
	i, err := interactionOf(body)
	if err != nil {
		return a.unreadable(ctx, doorInteraction, err)
	}
	if !a.ours(i.AppID, i.workspace()) {
		return a.elsewhere(ctx, doorInteraction, i.person(), i.workspace(), i.AppID)
	}
	// A search changes nothing, and the same one may be sent twice in a second.
	if i.Type != typeSearch && a.repeated(ctx, doorInteraction, p) {
		return accepted()
	}
	return a.interact(ctx, &i)
}

func (a *App) takeEvent(ctx context.Context, p delivered) reply {
	var e outerEvent
	if err := json.Unmarshal(p.body, &e); err != nil {
		return a.unreadable(ctx, doorEvent, err)
	}
	if e.Type == "url_verification" {
		return reply{http.StatusOK, map[string]string{"challenge": e.Challenge}}
	}
	if !a.ours(e.AppID, e.TeamID) {
		return a.elsewhere(ctx, doorEvent, change.PersonID(e.Event.User), e.TeamID, e.AppID)
	}
	if a.repeated(ctx, doorEvent, p) {
		return accepted()
	}
	return a.event(ctx, e)
}

// ours tells whether a payload is for this application in this workspace.
func (a *App) ours(appID, teamID string) bool {
	want := a.Config.AppID
	if want == "" {
		want = a.socket.appID()
	}
	return teamID == a.Config.TeamID && (want == "" || appID == want)
}

// elsewhere refuses what another workspace or application was meant to get. It
// carried a valid signature, so it is kept.
func (a *App) elsewhere(ctx context.Context, d door, who change.PersonID, team, app string) reply {
	a.Log.WarnContext(ctx, "a payload of another workspace or application", "door", string(d), "team", team, "app", app)
	a.keep(ctx, change.EventForged, who, change.Facts{"why": "another workspace or application", "team": team, "app": app})
	return reply{status: http.StatusForbidden}
}

func (a *App) unreadable(ctx context.Context, d door, err error) reply {
	a.Log.WarnContext(ctx, "a payload could not be understood", "door", string(d), "error", err)
	return reply{status: http.StatusBadRequest}
}

// keep writes down what belongs to no change. Whoever is answered is answered
// even when that fails.
func (a *App) keep(ctx context.Context, kind change.EventType, who change.PersonID, facts change.Facts) {
	if err := a.Workflow.Refused(ctx, kind, who, via, facts); err != nil {
		a.Log.ErrorContext(ctx, "an event could not be written down", "type", string(kind), "error", err)
	}
}

// via is how everything that comes in here came.
const via = "slack"

// replays remembers the signatures of the last minutes, so that an identical
// request does nothing twice here. What alters a change is guarded by the
// ledger besides, for all replicas.
type replays struct {
	mu        sync.Mutex
	now, last map[string]bool
	turned    time.Time
}

func (r *replays) first(signature string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil || now.Sub(r.turned) > 2*signatureAge {
		r.last, r.now, r.turned = r.now, map[string]bool{}, now
	}
	if r.now[signature] || r.last[signature] {
		return false
	}
	r.now[signature] = true
	return true
}
