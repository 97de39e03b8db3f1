package slack

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds what the application may send in one call, in bytes.
const maxBody = 2 << 20

// args are the arguments of a call, whether they came as a form or as JSON.
type args map[string]any

func (a args) str(key string) string {
	switch v := a[key].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func (a args) flag(key string) bool {
	switch v := a[key].(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1"
	}
	return false
}

func (a args) number(key string, otherwise int) int {
	if n, err := strconv.Atoi(a.str(key)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// value answers a structured argument, which a form carries as JSON text. ok is
// false when it is not JSON; an absent one is nil and ok.
func (a args) value(key string) (v any, ok bool) {
	s, isText := a[key].(string)
	if !isText {
		return a[key], true
	}
	if s == "" {
		return nil, true
	}
	return v, json.Unmarshal([]byte(s), &v) == nil
}

// answer is what a method says: "ok" with its members, or an error.
type answer struct {
	fields   map[string]any
	err      string
	fault    string // why it is the application's own fault; empty when it is not
	messages []string
	errors   any
}

func good(fields map[string]any) answer { return answer{fields: fields} }

// refuse is an error that may happen to a well-behaved application.
func refuse(code string) answer { return answer{err: code} }

// blame is an error that a well-behaved application never sees.
func blame(code, why string) answer { return answer{err: code, fault: why} }

func (c *checker) blame(code string) answer {
	m := c.messages()
	return answer{err: code, fault: strings.Join(m, "; "), messages: m, errors: m}
}

// method is a Web API method: the scopes it needs, how often it may be called in
// a minute, and what it does. do runs with mu held.
type method struct {
	scope  string
	tier   int
	do     func(w *Workspace, a args) answer
	appTok bool // wants the app-level token
}

func methods() map[string]method {
	return map[string]method{
		"auth.test":             {tier: 600, do: (*Workspace).authTest},
		"apps.connections.open": {tier: 100, do: (*Workspace).connectionsOpen, appTok: true},
		"users.info":            {scope: "users:read", tier: 100, do: (*Workspace).usersInfo},
		"users.list":            {scope: "users:read", tier: 20, do: (*Workspace).usersList},
		"usergroups.list":       {scope: "usergroups:read", tier: 20, do: (*Workspace).usergroupsList},
		"usergroups.users.list": {scope: "usergroups:read", tier: 20, do: (*Workspace).usergroupsUsersList},
		"dnd.info":              {scope: "dnd:read", tier: 50, do: (*Workspace).dndInfo},
		"conversations.open":    {scope: "im:write", tier: 50, do: (*Workspace).conversationsOpen},
		"conversations.info":    {tier: 50, do: (*Workspace).conversationsInfo},
		"conversations.history": {tier: 50, do: (*Workspace).conversationsHistory},
		"conversations.replies": {tier: 50, do: (*Workspace).conversationsReplies},
		"chat.postMessage":      {scope: "chat:write", do: (*Workspace).chatPostMessage},
		"chat.update":           {scope: "chat:write", tier: 50, do: (*Workspace).chatUpdate},
		"chat.delete":           {scope: "chat:write", tier: 50, do: (*Workspace).chatDelete},
		"chat.postEphemeral":    {scope: "chat:write", tier: 100, do: (*Workspace).chatPostEphemeral},
		"chat.getPermalink":     {tier: 600, do: (*Workspace).chatGetPermalink},
		"views.open":            {tier: 100, do: (*Workspace).viewsOpen},
		"views.push":            {tier: 100, do: (*Workspace).viewsPush},
		"views.update":          {tier: 100, do: (*Workspace).viewsUpdate},
		"views.publish":         {tier: 100, do: (*Workspace).viewsPublish},
		"blocks.validate":       {tier: 50, do: (*Workspace).blocksValidate},
	}
}

func (w *Workspace) serveAPI(rw http.ResponseWriter, r *http.Request) {
	name := callName(r)
	a, token, err := readArgs(r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return // the application died while it was asking: nothing was asked
	}
	var ans answer
	var wait time.Duration
	w.change(func() {
		switch m, known := methods()[name]; {
		case err != nil:
			ans = blame("invalid_form_data", err.Error())
		case !known:
			ans = blame("unknown_method", "Slack has no such method, or this stand-in does not know it")
		default:
			if ans = w.authorize(m, token); ans.err == "" {
				if wait = w.throttle(name, m, a); wait > 0 {
					ans = refuse("ratelimited")
				} else {
					ans = m.do(w, a)
				}
			}
		}
		w.calls = append(w.calls, Call{Method: name, Error: ans.err, At: w.opt.Now()})
		if ans.fault != "" {
			w.violate(name, "%s: %s", ans.err, ans.fault)
		}
	})
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("X-OAuth-Scopes", strings.Join(w.opt.Scopes, ","))
	if wait > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		rw.WriteHeader(http.StatusTooManyRequests)
	}
	_ = json.NewEncoder(rw).Encode(ans.json())
}

func (ans answer) json() map[string]any {
	out := map[string]any{"ok": ans.err == ""}
	for k, v := range ans.fields {
		out[k] = v
	}
	if ans.err != "" {
		out["error"] = ans.err
	}
	if ans.messages != nil {
		out["response_metadata"] = map[string]any{"messages": ans.messages}
	}
	if ans.errors != nil {
		out["errors"] = ans.errors
	}
	return out
}

// readArgs reads a call's arguments and its token.
func readArgs(r *http.Request) (args, string, error) {
	a := args{}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, "", err
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	for k, v := range r.URL.Query() {
		a[k] = v[0]
	}
	delete(a, "token") // Slack takes no token from the address
	if kind == "application/json" {
		if len(body) > 0 && string(body) != "null" {
			if err := json.Unmarshal(body, &a); err != nil {
				return nil, "", err
			}
		}
	} else {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, "", err
		}
		for k, v := range form {
			a[k] = v[0]
		}
	}
	if token == "" {
		token = a.str("token")
	}
	return a, token, nil
}

// authorize checks the token and the scope. Callers hold mu.
func (w *Workspace) authorize(m method, token string) answer {
	right, wrong := w.opt.BotToken, w.opt.AppToken
	if m.appTok {
		right, wrong = wrong, right
	}
	switch token {
	case right:
		return w.allowed(m.scope)
	case "":
		return blame("not_authed", "no token")
	case wrong:
		return blame("not_allowed_token_type", "the app-level token opens sockets and nothing else; the bot token does everything else")
	}
	return blame("invalid_auth", "not a token of this workspace")
}

// allowed checks that a scope was granted; an empty one always is.
func (w *Workspace) allowed(scope string) answer {
	if scope == "" || slices.Contains(w.opt.Scopes, scope) {
		return good(nil)
	}
	ans := blame("missing_scope", "needs "+scope)
	ans.fields = map[string]any{"needed": scope, "provided": strings.Join(w.opt.Scopes, ",")}
	return ans
}

// bucket is a token bucket.
type bucket struct {
	left float64
	at   time.Time
}

// Bursts: Slack tolerates short ones; how short it does not say.
const messageBurst = 3

// throttle answers how long the caller has to wait, or 0. Callers hold mu.
func (w *Workspace) throttle(name string, m method, a args) time.Duration {
	if !w.rateLimits {
		return 0
	}
	key, size, rate := name, float64(m.tier), float64(m.tier)/60
	if name == "chat.postMessage" {
		key, size, rate = name+" "+a.str("channel"), messageBurst, 1
	}
	now := w.opt.Now()
	b := w.buckets[key]
	if b == nil {
		b = &bucket{left: size, at: now}
		w.buckets[key] = b
	}
	b.left = min(size, b.left+now.Sub(b.at).Seconds()*rate)
	b.at = now
	if b.left < 1 {
		return max(time.Second, time.Duration((1-b.left)/rate*float64(time.Second)))
	}
	b.left--
	return 0
}
