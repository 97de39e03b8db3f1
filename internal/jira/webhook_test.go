package jira_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/jira"
)

const hookSecret = "hook-secret"

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestACommentGivesAHintOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ref := b.create(t)
	hints := make(chan string, 10)
	answered := make(chan int, 10)
	hook := jira.Webhook(hookSecret, func(_ context.Context, id, key string) { hints <- id + " " + key })
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		hook.ServeHTTP(rec, r)
		w.WriteHeader(rec.Code)
		answered <- rec.Code
	}))
	t.Cleanup(srv.Close)
	b.jira.SetWebhook(srv.URL, hookSecret)
	b.jira.CommentAs(ctoID, ref.Key, "Signed off")
	if got, want := <-hints, ref.ID+" "+ref.Key; got != want || <-answered != http.StatusOK {
		t.Errorf("hint %q, want %q", got, want)
	}
	b.jira.Redeliver()
	if code := <-answered; code != http.StatusOK || len(hints) != 0 {
		t.Errorf("repeated: answered %d, %d more hints", code, len(hints))
	}
	b.jira.SetWebhook(srv.URL, "another secret")
	b.jira.CommentAs(ctoID, ref.Key, "forged")
	if code := <-answered; code != http.StatusUnauthorized || len(hints) != 0 {
		t.Errorf("forged: answered %d, %d more hints", code, len(hints))
	}
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	good := `{"issue":{"id":"10001","key":"OPS-1"}}`
	cases := []struct {
		name, method, body, signature string
		code, hints                   int
	}{
		{"signed", "POST", good, sign(hookSecret, good), 200, 1},
		{"id as a number", "POST", `{"issue":{"id":10001,"key":"OPS-1"}}`, sign(hookSecret, `{"issue":{"id":10001,"key":"OPS-1"}}`), 200, 1},
		{"not signed", "POST", good, "", 401, 0},
		{"signed with another secret", "POST", good, sign("x", good), 401, 0},
		{"another method of signing", "POST", good, strings.Replace(sign(hookSecret, good), "sha256", "sha1", 1), 401, 0},
		{"no hex", "POST", good, "sha256=zz", 401, 0},
		{"empty signature", "POST", good, "sha256=", 401, 0},
		{"changed body", "POST", good + " ", sign(hookSecret, good), 401, 0},
		{"about no issue", "POST", `{}`, sign(hookSecret, `{}`), 200, 0},
		{"no JSON", "POST", `x`, sign(hookSecret, `x`), 200, 0},
		{"key that is none", "POST", `{"issue":{"id":"1","key":"../x"}}`, sign(hookSecret, `{"issue":{"id":"1","key":"../x"}}`), 200, 0},
		{"too large", "POST", strings.Repeat(" ", 5<<20), "", 400, 0},
		{"GET", "GET", "", sign(hookSecret, ""), 405, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			hints := 0
			h := jira.Webhook(hookSecret, func(context.Context, string, string) { hints++ })
			r := httptest.NewRequestWithContext(t.Context(), c.method, "/webhooks/jira", strings.NewReader(c.body))
			r.Header.Set("X-Hub-Signature", c.signature)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.code || hints != c.hints {
				t.Errorf("answered %d with %d hints, want %d and %d", w.Code, hints, c.code, c.hints)
			}
		})
	}
}

func TestAWebhookWithoutSecretDoesNotExist(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{}`))
	r.Header.Set("X-Hub-Signature", sign("", `{}`))
	jira.Webhook("", func(context.Context, string, string) { t.Error("a hint") }).ServeHTTP(w, r)
	if w.Code != http.StatusNotFound {
		t.Errorf("answered %d", w.Code)
	}
}

func TestAForgedRequestDoesNotUseUpAnIdentifier(t *testing.T) {
	t.Parallel()
	var hints atomic.Int32
	h := jira.Webhook(hookSecret, func(context.Context, string, string) { hints.Add(1) })
	send := func(identifier, signature string) {
		body := `{"issue":{"id":"10001","key":"OPS-1"}}`
		if signature == "" {
			signature = sign(hookSecret, body)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Hub-Signature", signature)
		r.Header.Set("X-Atlassian-Webhook-Identifier", identifier)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	send("a", "sha256=00")
	send("a", "")
	send("a", "")
	if n := hints.Load(); n != 1 {
		t.Errorf("%d hints, want 1", n)
	}
	for i := range 1000 { // "a" is the oldest, and is forgotten
		send(fmt.Sprint(i), "")
	}
	send("a", "")
	if n := hints.Load(); n != 1002 {
		t.Errorf("%d hints, want 1002", n)
	}
}
