//go:build crashpoints

package crashpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// systemsVariable names what is served where: host:port=Name, separated by commas.
const systemsVariable = "CRASHPOINT_SYSTEMS"

type transport struct {
	next    http.RoundTripper
	systems map[string]string
}

// Transport has a point before and after each call.
func Transport(next http.RoundTripper) http.RoundTripper {
	t := transport{next: next, systems: map[string]string{}}
	for pair := range strings.SplitSeq(os.Getenv(systemsVariable), ",") {
		host, name, _ := strings.Cut(pair, "=")
		t.systems[host] = name
	}
	return t
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	name := t.nameOf(r)
	Reach(r.Context(), "before call "+name)
	response, err := t.next.RoundTrip(r)
	Reach(r.Context(), "after call "+name)
	return response, err
}

// identifier is a part of a path that is another each time.
var identifier = regexp.MustCompile(`[0-9]`)

var version = regexp.MustCompile(`^v?[0-9]$`)

func (t transport) nameOf(r *http.Request) string {
	system := t.systems[r.URL.Host]
	if system == "" {
		system = "another system"
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return system + " " + target[strings.LastIndexByte(target, '.')+1:]
	}
	if method, ok := strings.CutPrefix(r.URL.Path, "/api/"); ok && !strings.Contains(method, "/") {
		return system + " " + method // of Slack's Web API
	}
	return system + " " + r.Method + " " + general(r.URL.Path)
}

// general is a path without what is another each time.
func general(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if identifier.MatchString(part) && !version.MatchString(part) {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// Handler has a point before and after each reply.
func Handler(route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		payload := body
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("payload") != "" {
			payload = []byte(form.Get("payload"))
		}
		ctx := Payload(r.Context(), route[strings.LastIndexByte(route, '/')+1:], payload)
		next.ServeHTTP(&replying{ResponseWriter: w, ctx: ctx}, r.WithContext(ctx))
		_ = http.NewResponseController(w).Flush() // so that the reply has gone when the next point is reached
		Reach(ctx, "after reply")
	})
}

// replying reaches a point before anything is answered.
type replying struct {
	http.ResponseWriter
	ctx   context.Context //nolint:containedctx // of one request
	begun bool
}

func (r *replying) WriteHeader(status int) {
	if !r.begun {
		r.begun = true
		Reach(r.ctx, "before reply")
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *replying) Write(body []byte) (int, error) {
	if !r.begun {
		r.WriteHeader(http.StatusOK)
	}
	return r.ResponseWriter.Write(body)
}

// Unwrap lets the server's deadlines be set.
func (r *replying) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Payload names what is done about a payload of Slack's: by its door, its type
// and its form or button.
func Payload(ctx context.Context, door string, body []byte) context.Context {
	var p struct {
		Type     string `json:"type"`
		ActionID string `json:"action_id"`
		View     struct {
			CallbackID string `json:"callback_id"`
		} `json:"view"`
		Actions []struct {
			ActionID string `json:"action_id"`
		} `json:"actions"`
	}
	name := door
	if json.Unmarshal(body, &p) == nil {
		parts := []string{door, p.Type, p.View.CallbackID, p.ActionID}
		if len(p.Actions) > 0 {
			parts = append(parts, p.Actions[0].ActionID)
		}
		name = strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
	}
	return Doing(ctx, name)
}
