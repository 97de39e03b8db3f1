package incidentio_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// caller talks to a stand-in over HTTP.
type caller struct {
	t      *testing.T
	server *incidentio.Server
	url    string
	key    string
}

func setup(t *testing.T, opts incidentio.Options) *caller {
	t.Helper()
	if opts.Now == nil {
		opts.Now = noon
	}
	server, err := incidentio.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return &caller{t, server, listener.URL, "sandbox-key"}
}

// call answers the status, the codes of the errors, and the body.
func (c *caller) call(method, path, body string) (int, []string, map[string]any) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		c.t.Fatalf("%s %s answered %q", method, path, raw)
	}
	var refused struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(raw, &refused); err != nil {
		c.t.Fatal(err)
	}
	var codes []string
	for _, e := range refused.Errors {
		codes = append(codes, e.Code)
	}
	return resp.StatusCode, codes, out
}

func TestCallsAreRefusedAsTheRealOneDoes(t *testing.T) {
	t.Parallel()
	note := `{"incident_id":"01JA","timestamp":"2026-03-02T11:00:00Z","title":"Done","idempotency_key":"k"}`
	for name, c := range map[string]struct {
		method, path, body string
		prepare            func(*caller)
		status             int
		code               string
		violation          string
	}{
		"no key":            {"GET", "/v2/incidents", "", func(c *caller) { c.key = "" }, 401, "missing_authorization_material", ""},
		"another key":       {"GET", "/v2/incidents", "", func(c *caller) { c.key = "x" }, 401, "invalid_api_key", ""},
		"unknown path":      {"GET", "/v3/incidents", "", nil, 404, "not_found", "unknown call GET /v3/incidents"},
		"unknown parameter": {"GET", "/v2/incidents?status=live", "", nil, 422, "invalid_value", "unknown parameter status of list incidents"},
		"too large a page":  {"GET", "/v2/incidents?page_size=251", "", nil, 422, "invalid_value", "page_size 251 of /v2/incidents"},
		"no page":           {"GET", "/v2/incidents?page_size=0", "", nil, 422, "invalid_value", "page_size 0 of /v2/incidents"},
		"made-up cursor":    {"GET", "/v2/incidents?after=01JZ", "", nil, 422, "invalid_value", "after=01JZ was never handed out"},
		"no scope": {
			"POST", "/v2/incident_timeline_items", note, func(c *caller) { c.server.Without("timeline_items.create") },
			403, "missing_required_scope", "",
		},
		"a closed incident":  {"POST", "/v2/incident_timeline_items", note, func(c *caller) { c.status("01JA", "Closed") }, 422, "incident_not_active", ""},
		"no title":           {"POST", "/v2/incident_timeline_items", strings.Replace(note, "Done", "", 1), nil, 422, "is_required", ""},
		"no idempotency key": {"POST", "/v2/incident_updates", `{"incident_id":"01JA","message":"x"}`, nil, 422, "is_required", ""},
		"no such incident":   {"GET", "/v2/incidents/01JZ", "", nil, 404, "not_found", ""},
		"no severity":        {"POST", "/v2/incidents", `{"idempotency_key":"k","visibility":"public"}`, nil, 422, "is_required", ""},
		"an unknown field": {
			"POST", "/v2/follow_ups", `{"incident_id":"01JA","title":"x","due":"now"}`, nil, 400, "invalid_body",
			`unreadable body of POST /v2/follow_ups: json: unknown field "due"`,
		},
		"an odd attachment": {
			"POST", "/v1/incident_attachments", `{"incident_id":"01JA","resource":{"resource_type":"slack_file","url":"https://x"}}`, nil,
			422, "invalid_value", "attachment of type slack_file",
		},
		"an unknown schedule": {"GET", "/v2/schedule_entries?schedule_id=01JZ", "", nil, 404, "not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, incidentio.Options{})
			b.server.Open(incidentio.Incident{ID: "01JA"})
			if c.prepare != nil {
				c.prepare(b)
			}
			status, codes, out := b.call(c.method, c.path, c.body)
			if status != c.status || !cmp.Equal(codes, []string{c.code}) {
				t.Errorf("answered %d %q, want %d %q: %v", status, codes, c.status, c.code, out)
			}
			var want []string
			if c.violation != "" {
				want = []string{c.violation}
			}
			if diff := cmp.Diff(want, b.server.Violations()); diff != "" {
				t.Errorf("violations (-want +got)\n%s", diff)
			}
		})
	}
}

func (c *caller) status(id, status string) {
	c.t.Helper()
	if err := c.server.SetStatus(id, status); err != nil {
		c.t.Fatal(err)
	}
}

func TestTheSameKeyMakesTheSameItem(t *testing.T) {
	t.Parallel()
	c := setup(t, incidentio.Options{})
	c.server.Open(incidentio.Incident{ID: "01JA"})
	const note = `{"incident_id":"01JA","timestamp":"2026-03-02T11:00:00Z","title":"Done","idempotency_key":"k"}`
	_, _, first := c.call("POST", "/v2/incident_timeline_items", note)
	c.status("01JA", "Closed")
	status, _, second := c.call("POST", "/v2/incident_timeline_items", note)
	if diff := cmp.Diff(first, second); status != 201 || diff != "" {
		t.Errorf("%d (-first +second)\n%s", status, diff)
	}
	if notes := c.server.Timeline("01JA"); len(notes) != 1 {
		t.Errorf("notes %+v", notes)
	}
}

func TestClosedIncidentsMayBeLetTakeNotes(t *testing.T) {
	t.Parallel()
	c := setup(t, incidentio.Options{NotesWhenOver: true})
	c.server.Open(incidentio.Incident{ID: "01JA", Status: "Closed"})
	const note = `{"incident_id":"01JA","timestamp":"2026-03-02T11:00:00Z","title":"Done","idempotency_key":%q}`
	if status, _, _ := c.call("POST", "/v2/incident_timeline_items", strings.Replace(note, "%q", `"1"`, 1)); status != 201 {
		t.Errorf("answered %d", status)
	}
	c.server.TakeNotesWhenOver(false)
	if status, _, _ := c.call("POST", "/v2/incident_timeline_items", strings.Replace(note, "%q", `"2"`, 1)); status != 422 {
		t.Errorf("answered %d", status)
	}
}

func TestMarkupThatPingsIsRecorded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"@here": true, "<!channel>": true, "![x](https://y)": true, "<img src=x>": true, "<@U0ADA>": true,
		"a @ b": false, "[a](https://b)": false, "1 < 2": false, "@\u200bhere": false,
	} {
		c := setup(t, incidentio.Options{})
		c.server.Open(incidentio.Incident{ID: "01JA"})
		body, err := json.Marshal(map[string]string{"incident_id": "01JA", "idempotency_key": "k", "message": text})
		if err != nil {
			t.Fatal(err)
		}
		if status, _, _ := c.call("POST", "/v2/incident_updates", string(body)); status != 201 {
			t.Fatalf("answered %d", status)
		}
		if got := len(c.server.Violations()) == 1; got != want {
			t.Errorf("%q recorded: %t, want %t", text, got, want)
		}
	}
}

func TestTheRateLimitOpensAgainAfterAMinute(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	c := setup(t, incidentio.Options{PerMinute: 2, Now: func() time.Time { return noon().Add(time.Duration(passed.Load())) }})
	for n, want := range []int{200, 200, 429, 429} {
		if status, _, _ := c.call("GET", "/v1/identity", ""); status != want {
			t.Errorf("call %d answered %d, want %d", n, status, want)
		}
	}
	passed.Store(int64(time.Minute))
	if status, _, _ := c.call("GET", "/v1/identity", ""); status != 200 {
		t.Errorf("answered %d after a minute", status)
	}
}

func TestAnUpdateMovesAnIncident(t *testing.T) {
	t.Parallel()
	c := setup(t, incidentio.Options{})
	c.server.Open(incidentio.Incident{ID: "01JA"})
	changed := c.server.Changed()
	if status, _, _ := c.call("POST", "/v2/incident_updates", `{"incident_id":"01JA","idempotency_key":"k","message":"Over.","to_incident_status_id":"STATUS6"}`); status != 201 {
		t.Fatalf("answered %d", status)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told of the change")
	}
	if i, ok := c.server.Incident("01JA"); !ok || i.Status != "Closed" {
		t.Errorf("incident %+v", i)
	}
}

func TestAnIncidentIsShownWithItsTimeline(t *testing.T) {
	t.Parallel()
	c := setup(t, incidentio.Options{})
	c.server.Open(incidentio.Incident{ID: "01JA", Name: "Logins fail", Private: true}, incidentio.Incident{ID: "01JB"})
	for path, body := range map[string]string{
		"/v2/incident_timeline_items": `{"incident_id":"01JA","timestamp":"2026-03-02T11:00:00Z","title":"EC-1","description":"one\ntwo","idempotency_key":"k"}`,
		"/v1/incident_attachments":    `{"incident_id":"01JA","resource":{"resource_type":"arbitrary_url","url":"https://example.com/1"}}`,
		"/v2/follow_ups":              `{"incident_id":"01JA","title":"Automate it"}`,
	} {
		if status, _, out := c.call("POST", path, body); status != 201 {
			t.Fatalf("%s answered %d %v", path, status, out)
		}
	}
	if err := c.server.Merge("01JA", "01JB"); err != nil {
		t.Fatal(err)
	}
	want := `INC-1 Logins fail
Merged (merged) · Major · private
merged into INC-2
  2026-03-02 11:00  EC-1
      one
      two
  2026-03-02 12:00  [Investigating]
  2026-03-02 12:00  [Merged]
  attached: https://example.com/1 (arbitrary_url)
  follow-up: Automate it
`
	if diff := cmp.Diff(want, c.server.Text("01JA")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNothingIsDoneToWhatIsNotThere(t *testing.T) {
	t.Parallel()
	c := setup(t, incidentio.Options{})
	c.server.Open(incidentio.Incident{ID: "01JA"})
	for name, err := range map[string]error{
		"no incident": c.server.SetStatus("01JZ", "Closed"), "no status": c.server.SetStatus("01JA", "Gone"),
		"into nothing": c.server.Merge("01JA", "01JZ"), "of nothing": c.server.Merge("01JZ", "01JA"),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := incidentio.New(incidentio.Options{Now: noon, WebhookURL: "http://127.0.0.1:1", WebhookSecret: "whsec_?"}); err == nil {
		t.Error("an unreadable secret was taken")
	}
}
