package jira_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/jira"
)

var (
	aKey = regexp.MustCompile(`^(OPS|PLATFORM)-[0-9]{1,18}$`)
	anID = regexp.MustCompile(`^[0-9]{1,18}$`)
)

// answering is a Jira that answers every call the same.
type answering struct {
	status int
	body   string
	calls  int
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.calls++
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {a.body[:min(len(a.body), 20)]}}, Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

func fuzzed(t testing.TB, transport http.RoundTripper) *jira.Client {
	t.Helper()
	c, err := jira.New(jira.Options{
		BaseURL: "https://jira.example.com/base", Email: "bot@example.com", Token: token, Project: "OPS", LinkProjects: []string{"PLATFORM"},
		Transport: transport, Now: func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzWebhook holds that nothing unsigned is heard, and that what is signed
// gives a hint of an issue or none.
func FuzzWebhook(f *testing.F) {
	f.Add(`{"issue":{"id":"10001","key":"OPS-1"}}`, "sha256=00", "a")
	f.Add(`{"issue":{"id":10001,"key":"OPS-1"}}`, "", "")
	f.Add(`{"issue":{"id":"\"1\"","key":"OPS-1\n"}}`, sign("x", ""), "a")
	f.Fuzz(func(t *testing.T, body, signature, identifier string) {
		hints := 0
		hook := jira.Webhook(hookSecret, func(_ context.Context, id, key string) {
			hints++
			if !anID.MatchString(id) || !regexp.MustCompile(`^[A-Z][A-Z0-9_]+-[0-9]{1,18}$`).MatchString(key) {
				t.Fatalf("hinted at %q, %q", id, key)
			}
		})
		send := func(signature string) int {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/jira", strings.NewReader(body))
			r.Header["X-Hub-Signature"] = []string{signature}
			r.Header["X-Atlassian-Webhook-Identifier"] = []string{identifier}
			w := httptest.NewRecorder()
			hook.ServeHTTP(w, r)
			return w.Code
		}
		right := sign(hookSecret, body)
		if !strings.EqualFold(signature, right) && (send(signature) != http.StatusUnauthorized || hints > 0) {
			t.Fatalf("%q is taken for the signature of %q", signature, body)
		}
		if code := send(right); code != http.StatusOK || hints > 1 {
			t.Fatalf("%q, rightly signed: %d, %d hints", body, code, hints)
		}
	})
}

// FuzzParseKey holds that what people type is read as a key of a project that
// may be linked, or refused; and an address only where it is Jira's own.
func FuzzParseKey(f *testing.F) {
	c := fuzzed(f, &answering{status: 200})
	for _, seed := range []string{
		"OPS-12", " platform-7\n", "https://jira.example.com/base/browse/OPS-3/", "https://jira.example.com/base/x?selectedIssue=OPS-3", "https://evil.example/base/browse/OPS-3",
		"https://jira.example.com@evil.example/base/browse/OPS-3", "OPS-1/../../x", "ſOPS-1", "OPS-١",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := c.ParseKey(text)
		if err != nil {
			if _, ok := errors.AsType[*change.OutsideError](err); !ok || key != "" {
				t.Fatalf("%q: %q, %v", text, key, err)
			}
			return
		}
		if !aKey.MatchString(key) {
			t.Fatalf("%q is read as %q", text, key)
		}
		if again, err := c.ParseKey(key); err != nil || again != key {
			t.Fatalf("%q is read as %q, and that as %q, %v", text, key, again, err)
		}
		if typed := strings.TrimSpace(text); strings.Contains(typed, "/") {
			if u, err := url.Parse(typed); err != nil || !strings.EqualFold(u.Host, "jira.example.com") || u.Scheme != "https" || u.User != nil {
				t.Fatalf("%q is read as %q", text, key)
			}
		}
	})
}

// FuzzAnswers holds every call to its promise whatever Jira answers: it ends,
// with values that can be used or an error that says what is known and shows no
// secret.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"id":"10001","key":"OPS-1","fields":{"summary":"x","status":{"statusCategory":{"key":"done"}},"labels":["a"]}}`)
	f.Add(200, `{"comments":[{"id":"1","body":"x","author":{"accountId":"a"},"created":"2026-03-01T09:00:00.000+0000"}],"total":1,"startAt":0,"maxResults":100}`)
	f.Add(200, `{"issues":[{"id":"1","key":"OPS-1"}],"nextPageToken":"x","isLast":false}`)
	f.Add(201, `{"id":"10001","key":"EVIL-1"}`)
	f.Add(400, `{"errorMessages":["token-that-must-stay-secret"],"errors":{"summary":"no"}}`)
	f.Add(429, "Wed, 21 Oct 2026 07:28:00 GMT")
	f.Add(503, "<html>")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || len(body) > 1<<16 || status >= 300 && status < 400 {
			return
		}
		server := &answering{status: status, body: body}
		c, ctx := fuzzed(t, server), t.Context()
		judge := func(call string, err error) {
			if err == nil {
				return
			}
			outside, ok := errors.AsType[*change.OutsideError](err)
			if !ok || strings.Contains(err.Error(), token) || strings.Contains(outside.Say, token) || outside.RetryAfter < 0 {
				t.Fatalf("%s: %v", call, err)
			}
		}
		ticket, err := c.Ticket(ctx, "OPS-1")
		judge("Ticket", err)
		if err == nil && (!anID.MatchString(ticket.Ref.ID) || !strings.HasPrefix(ticket.Ref.URL, "https://jira.example.com/base/browse/")) {
			t.Fatalf("the ticket %+v", ticket.Ref)
		}
		made, err := c.Create(ctx, change.TicketDraft{Project: "OPS", IssueType: "Task", Summary: "x"})
		judge("Create", err)
		if err == nil && (!anID.MatchString(made.ID) || made.Key == "") {
			t.Fatalf("made %+v", made)
		}
		comments, err := c.Comments(ctx, "10001")
		judge("Comments", err)
		if len(comments) > 2000 {
			t.Fatalf("%d comments", len(comments))
		}
		found, err := c.FindByLabel(ctx, "breakglass-ec-1")
		judge("FindByLabel", err)
		for _, ref := range found {
			if !anID.MatchString(ref.ID) {
				t.Fatalf("found %+v", ref)
			}
		}
		_, err = c.RequiredFields(ctx, "OPS", "Task")
		judge("RequiredFields", err)
		_, err = c.Identity(ctx)
		judge("Identity", err)
		if server.calls > 300 {
			t.Fatalf("%d calls were made", server.calls)
		}
	})
}
