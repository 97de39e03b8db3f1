package incidentio_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/incidentio"
)

// FuzzWebhook holds that nothing unsigned is heard, and that what is signed
// hints at one incident or at none.
func FuzzWebhook(f *testing.F) {
	c := newClock()
	now := strconv.FormatInt(c.now().Unix(), 10)
	f.Add("msg_1", now, "v1,AAAA", created)
	f.Add("msg_1", "0", "v1,", `{"event_type":"x","x":{"incident":{"id":"01JA"}}}`)
	f.Add("", now, "", "[]")
	f.Fuzz(func(t *testing.T, id, timestamp, signatures, body string) {
		var h hints
		hook := handler(t, c, &h)
		right := signed(t, id, c.now(), body)
		forged := delivery{id, timestamp, signatures, body}
		if !strings.Contains(signatures, strings.TrimPrefix(right.signature, "v1,")) && timestamp == now {
			if code := forged.to(t, hook); code != http.StatusUnauthorized || len(h.all()) > 0 {
				t.Fatalf("%q is taken for the signature of %q: %d", signatures, body, code)
			}
		}
		if strings.ContainsAny(id, "\r\n") || len(id) > 256 || id == "" {
			return
		}
		for range 2 {
			if code := right.to(t, hook); code != http.StatusNoContent {
				t.Fatalf("%q, rightly signed: %d", body, code)
			}
		}
		if all := h.all(); len(all) > 1 || len(all) == 1 && all[0] == "" {
			t.Fatalf("%q hints at %q", body, all)
		}
	})
}

// sameAnswer is an incident.io that answers every call the same.
type sameAnswer struct {
	status int
	body   string
	calls  int
}

func (a *sameAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	a.calls++
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

func fuzzed(t testing.TB, server *sameAnswer) *incidentio.Client {
	t.Helper()
	c, err := incidentio.New(incidentio.Options{BaseURL: "https://api.incident.io", APIKey: apiKey, Now: newClock().now, HTTPClient: &http.Client{Transport: server}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzReference holds that what people paste is looked for only where it is a
// reference, or an address of incident.io's own dashboard.
func FuzzReference(f *testing.F) {
	for _, seed := range []string{
		"INC-12", " inc-12\n", "https://app.incident.io/org/incidents/12", "http://app.incident.io/incidents/12/x", "https://app.incident.io.evil.example/incidents/12",
		"https://evil@app.incident.io/incidents/12", "INC-١", "https://APP.incident.io/a/incidents/00000012",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		server := &sameAnswer{status: 200, body: `{"incidents":[{"id":"01JA","reference":"INC-12","permalink":"https://app.incident.io/org/incidents/12","incident_status":{"category":"live"}}],"pagination_meta":{"page_size":250}}`}
		c := fuzzed(t, server)
		if c.IsIncidentURL(text) {
			if u, err := url.Parse(strings.TrimSpace(text)); err != nil || !strings.EqualFold(u.Host, "app.incident.io") {
				t.Fatalf("%q is taken for an address of incident.io", text)
			}
		}
		i, err := c.ByReferenceOrURL(t.Context(), text)
		if err != nil {
			if _, ok := errors.AsType[*change.OutsideError](err); !ok {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		typed := strings.ToUpper(strings.TrimSpace(text))
		if i.ID != "01JA" || typed != "INC-12" && !c.IsIncidentURL(text) {
			t.Fatalf("%q finds %+v", text, i)
		}
	})
}

// FuzzAnswers holds every call to its promise whatever incident.io answers: it
// ends, with an error that says what is known and shows no secret, or without.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"incident":{"id":"01JA","reference":"INC-12","incident_status":{"category":"live"},"merged_into_incident_id":"01JA"}}`)
	f.Add(200, `{"incidents":[{"id":"01JA"}],"pagination_meta":{"after":"01JA","page_size":250}}`)
	f.Add(200, `{"users":[{"id":"u","slack_user_id":"U0ADA"}],"schedule_entries":{"final":[{"user":{"id":"u"}}]}}`)
	f.Add(201, `{"id":""}`)
	f.Add(429, `{"rate_limit":{"retry_after":"Wed, 21 Oct 2026 07:28:00 GMT"},"errors":[{"message":"key-that-nobody-may-see"}]}`)
	f.Add(502, "<html>")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || len(body) > 1<<16 || status >= 300 && status < 400 {
			return
		}
		server := &sameAnswer{status: status, body: body}
		c, ctx := fuzzed(t, server), t.Context()
		judge := func(call string, err error) {
			if err == nil {
				return
			}
			outside, ok := errors.AsType[*change.OutsideError](err)
			if !ok || strings.Contains(err.Error(), apiKey) || strings.Contains(outside.Say, apiKey) || outside.RetryAfter < 0 {
				t.Fatalf("%s: %v", call, err)
			}
		}
		_, err := c.Live(ctx)
		judge("Live", err)
		i, err := c.Incident(ctx, "01JA")
		judge("Incident", err)
		if err == nil && i.ID == "" {
			t.Fatal("an incident without an id")
		}
		_, err = c.UserBySlack(ctx, "U0ADA")
		judge("UserBySlack", err)
		_, err = c.OnCall(ctx, "01JS", newClock().now())
		judge("OnCall", err)
		id, err := c.AddNote(ctx, change.IncidentNote{IncidentID: "01JA", Title: "x", Markdown: "x", Key: "EC-1"})
		judge("AddNote", err)
		if err == nil && id == "" {
			t.Fatal("a note without an id")
		}
		_, err = c.Severities(ctx)
		judge("Severities", err)
		if server.calls > 300 {
			t.Fatalf("%d calls were made", server.calls)
		}
	})
}
