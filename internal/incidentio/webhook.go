package incidentio

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxWebhook     = 1 << 20         // bytes of a body
	webhookSkew    = 5 * time.Minute // between the sender's clock and ours
	rememberedIDs  = 1024            // of webhooks already taken
	maxWebhookID   = 256             // bytes
	maxSignatures  = 16              // in one header
	webhookVersion = "v1,"
)

// webhook takes Svix-signed webhooks.
type webhook struct {
	key  []byte
	now  func() time.Time
	hint func(context.Context, string) error

	mu   sync.Mutex
	seen map[string]bool
	ring [rememberedIDs]string // the ids in seen, oldest at next
	next int
}

// Webhook answers a handler for incident.io's webhooks, signed as Svix does:
// HMAC-SHA256 over id, timestamp and body, with the secret whsec_ and base64.
// It fails when the secret cannot be read.
//
// A webhook is only a hint, because they may come late, twice or out of order:
// hint is called with the id of the incident that it is about, once for each
// webhook id among the last 1,024, and looks for itself. When hint fails, the
// answer is 503 and the webhook will be sent again.
func Webhook(secret string, now func() time.Time, hint func(ctx context.Context, incidentID string) error) (http.Handler, error) {
	raw, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(raw)
	if !ok || err != nil || len(key) == 0 {
		return nil, errors.New("incident.io: the webhook secret must be whsec_ followed by base64")
	}
	return &webhook{key: key, now: now, hint: hint, seen: map[string]bool{}}, nil
}

// ServeHTTP verifies, drops what was seen before, and hints.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		http.Error(w, "the body is too large or broke off", http.StatusRequestEntityTooLarge)
		return
	}
	id := r.Header.Get("webhook-id")
	if !h.verified(id, r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), body) {
		http.Error(w, "the signature does not fit", http.StatusUnauthorized)
		return
	}
	incidentID := subject(body)
	if incidentID == "" || !h.first(id) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := h.hint(r.Context(), incidentID); err != nil {
		h.forget(id)
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// verified checks the time and every signature of a webhook.
func (h *webhook) verified(id, timestamp, signatures string, body []byte) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || len(id) > maxWebhookID {
		return false
	}
	if skew := h.now().Sub(time.Unix(seconds, 0)); skew > webhookSkew || skew < -webhookSkew {
		return false
	}
	mac := hmac.New(sha256.New, h.key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	all := strings.Fields(signatures)
	for _, one := range all[:min(len(all), maxSignatures)] {
		raw, ok := strings.CutPrefix(one, webhookVersion)
		if !ok {
			continue
		}
		if got, err := base64.StdEncoding.DecodeString(raw); err == nil && hmac.Equal(got, want) {
			return true
		}
	}
	return false
}

// first remembers an id and says whether it is new.
func (h *webhook) first(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen[id] {
		return false
	}
	delete(h.seen, h.ring[h.next])
	h.ring[h.next], h.seen[id] = id, true
	h.next = (h.next + 1) % rememberedIDs
	return true
}

func (h *webhook) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.seen, id)
}

// subject reads which incident a webhook is about, or nothing when it is about
// something else. The event stands under its own name, either as the incident
// itself, or as an object that holds or names it; of private ones there is
// nothing but an id.
func subject(body []byte) string {
	var envelope map[string]json.RawMessage
	var event string
	if json.Unmarshal(body, &envelope) != nil || json.Unmarshal(envelope["event_type"], &event) != nil {
		return ""
	}
	var payload struct {
		ID         string `json:"id"`
		IncidentID string `json:"incident_id"`
		Incident   struct {
			ID string `json:"id"`
		} `json:"incident"`
	}
	if json.Unmarshal(envelope[event], &payload) != nil {
		return ""
	}
	switch {
	case payload.Incident.ID != "":
		return payload.Incident.ID
	case payload.IncidentID != "":
		return payload.IncidentID
	case strings.HasPrefix(event, "public_incident.incident_"), strings.HasPrefix(event, "private_incident.incident_"):
		return payload.ID
	}
	return ""
}
