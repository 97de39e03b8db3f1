package incidentio_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/incidentio"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

const secret = "whsec_c2VjcmV0IG9mIHRoZSB3ZWJob29rcw=="

// hints remembers which incidents were hinted at.
type hints struct {
	mu   sync.Mutex
	ids  []string
	fail error
}

func (h *hints) take(_ context.Context, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return h.fail
	}
	h.ids = append(h.ids, id)
	return nil
}

func (h *hints) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.ids...)
}

func handler(t *testing.T, c *clock, h *hints) http.Handler {
	t.Helper()
	hook, err := incidentio.Webhook(secret, c.now, h.take)
	if err != nil {
		t.Fatal(err)
	}
	return hook
}

// delivery is a webhook as it is sent; its fields are what a forger would change.
type delivery struct {
	id, timestamp, signature, body string
}

func signed(t *testing.T, id string, at time.Time, body string) delivery {
	t.Helper()
	signature, err := sandbox.Sign(secret, id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return delivery{id, strconv.FormatInt(at.Unix(), 10), signature, body}
}

func (d delivery) to(t *testing.T, h http.Handler) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/incident-io", strings.NewReader(d.body))
	r.Header.Set("webhook-id", d.id)
	r.Header.Set("webhook-timestamp", d.timestamp)
	r.Header.Set("webhook-signature", d.signature)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

const created = `{"event_type":"public_incident.incident_created_v2","public_incident.incident_created_v2":{"id":"01JINCIDENT"}}`

func TestASignatureIsTheOneThatSvixPublishes(t *testing.T) {
	t.Parallel()
	// The example of Svix's own documentation of manual verification.
	got, err := sandbox.Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("signed %s, %v, want %s", got, err, want)
	}
}

func TestOnlySignedAndFreshWebhooksAreTaken(t *testing.T) {
	t.Parallel()
	now := newClock().now()
	good := signed(t, "msg_1", now, created)
	for name, c := range map[string]struct {
		spoil func(delivery) delivery
		want  int
	}{
		"as sent":               {func(d delivery) delivery { return d }, 204},
		"several signatures":    {func(d delivery) delivery { d.signature = "v1,AAAA v2,xx " + d.signature; return d }, 204},
		"five minutes late":     {func(delivery) delivery { return signed(t, "msg_1", now.Add(-5*time.Minute), created) }, 204},
		"too late":              {func(delivery) delivery { return signed(t, "msg_1", now.Add(-5*time.Minute-time.Second), created) }, 401},
		"from the future":       {func(delivery) delivery { return signed(t, "msg_1", now.Add(5*time.Minute+time.Second), created) }, 401},
		"another body":          {func(d delivery) delivery { d.body = strings.Replace(d.body, "01J", "01K", 1); return d }, 401},
		"another id":            {func(d delivery) delivery { d.id = "msg_2"; return d }, 401},
		"another time":          {func(d delivery) delivery { d.timestamp = strconv.FormatInt(now.Unix()-1, 10); return d }, 401},
		"no signature":          {func(d delivery) delivery { d.signature = ""; return d }, 401},
		"no version":            {func(d delivery) delivery { d.signature = strings.TrimPrefix(d.signature, "v1,"); return d }, 401},
		"another version":       {func(d delivery) delivery { d.signature = "v1a" + d.signature[2:]; return d }, 401},
		"an empty signature":    {func(d delivery) delivery { d.signature = "v1,"; return d }, 401},
		"too many signatures":   {func(d delivery) delivery { d.signature = strings.Repeat("v1,AAAA ", 16) + d.signature; return d }, 401},
		"no time":               {func(d delivery) delivery { d.timestamp = ""; return d }, 401},
		"no id":                 {func(delivery) delivery { return signed(t, "", now, created) }, 401},
		"an id without an end":  {func(delivery) delivery { return signed(t, strings.Repeat("x", 300), now, created) }, 401},
		"a body without an end": {func(delivery) delivery { return signed(t, "msg_1", now, created+strings.Repeat(" ", 1<<20)) }, 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h hints
			if got := c.spoil(good).to(t, handler(t, newClock(), &h)); got != c.want {
				t.Errorf("answered %d, want %d", got, c.want)
			}
			if hinted := len(h.all()) == 1; hinted != (c.want == 204) {
				t.Errorf("hinted at %q", h.all())
			}
		})
	}
}

func TestAWebhookHintsOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	var h hints
	hook := handler(t, c, &h)
	d := signed(t, "msg_1", c.now(), created)
	for range 3 {
		if got := d.to(t, hook); got != 204 {
			t.Fatalf("answered %d", got)
		}
	}
	if diff := cmp.Diff([]string{"01JINCIDENT"}, h.all()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAWebhookThatCouldNotBeTakenIsTakenWhenItComesAgain(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := hints{fail: errors.New("no database")}
	hook := handler(t, c, &h)
	d := signed(t, "msg_1", c.now(), created)
	if got := d.to(t, hook); got != 503 {
		t.Fatalf("answered %d, want 503", got)
	}
	h.fail = nil
	if got := d.to(t, hook); got != 204 || len(h.all()) != 1 {
		t.Errorf("answered %d, hinted at %q", got, h.all())
	}
}

func TestTheIncidentIsFoundInEveryKindOfEvent(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		created: {"01JINCIDENT"},
		`{"event_type":"public_incident.incident_status_updated_v2","public_incident.incident_status_updated_v2":{"incident":{"id":"01JA"},"new_status":{"id":"01JB"}}}`: {"01JA"},
		`{"event_type":"private_incident.incident_updated_v2","private_incident.incident_updated_v2":{"id":"01JP"}}`:                                                     {"01JP"},
		`{"event_type":"public_incident.follow_up_created_v2","public_incident.follow_up_created_v2":{"id":"01JF","incident_id":"01JA"}}`:                                {"01JA"},
		`{"event_type":"private_incident.follow_up_created_v2","private_incident.follow_up_created_v2":{"id":"01JF"}}`:                                                   nil,
		`{"event_type":"public_alert.alert_created_v1","public_alert.alert_created_v1":{"id":"01JX"}}`:                                                                   nil,
		`{"event_type":"something.new"}`: nil,
		`[]`:                             nil,
		`not JSON`:                       nil,
	} {
		c := newClock()
		var h hints
		if got := signed(t, "msg_1", c.now(), body).to(t, handler(t, c, &h)); got != 204 {
			t.Errorf("%s: answered %d", body, got)
		}
		if diff := cmp.Diff(want, h.all()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", body, diff)
		}
	}
}

func TestTheStandInsWebhooksArrive(t *testing.T) {
	t.Parallel()
	c := newClock()
	var h hints
	listener := httptest.NewServer(handler(t, c, &h))
	t.Cleanup(listener.Close)
	server, err := sandbox.New(sandbox.Options{Now: c.now, WebhookURL: listener.URL, WebhookSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	i := server.Open(sandbox.Incident{ID: "01JA"}, sandbox.Incident{ID: "01JB", Private: true})
	if err := server.SetStatus(i[0].ID, "Closed"); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if failed := server.FailedWebhooks(); len(failed) != 0 {
		t.Errorf("not taken: %q", failed)
	}
	count := map[string]int{}
	for _, id := range h.all() {
		count[id]++
	}
	if diff := cmp.Diff(map[string]int{"01JA": 2, "01JB": 1}, count); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnUnusableWebhookSecretIsRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "whsec_", "c2VjcmV0", "whsec_not base64"} {
		if _, err := incidentio.Webhook(bad, newClock().now, (&hints{}).take); err == nil {
			t.Errorf("%q was taken", bad)
		} else if bad != "" && strings.Contains(err.Error(), strings.TrimPrefix(bad, "whsec_")) && len(bad) > 6 {
			t.Errorf("the secret stands in the error: %v", err)
		}
	}
}

func TestAWebhookIsPosted(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	handler(t, newClock(), &hints{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("answered %d", w.Code)
	}
}
