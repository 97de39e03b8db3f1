package jira

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

const (
	maxWebhook  = 4 << 20 // Jira sends whole issues
	rememberMax = 1000    // identifiers; Jira repeats within minutes
)

// Webhook takes Jira's webhooks and calls hint with the issue's id and key. It
// is a hint only: nothing in the body but these is believed, and the same news
// come by polling. A request without a valid X-Hub-Signature is answered 401,
// one that was seen already 200 without another hint. With an empty secret there
// is no webhook: 404.
func Webhook(secret string, hint func(ctx context.Context, issueID, issueKey string)) http.Handler {
	if secret == "" {
		return http.NotFoundHandler()
	}
	return &webhook{secret: []byte(secret), hint: hint, seen: map[string]bool{}}
}

type webhook struct {
	secret []byte
	hint   func(ctx context.Context, issueID, issueKey string)

	mu    sync.Mutex
	seen  map[string]bool
	order []string // oldest first
}

// ServeHTTP answers 200 only to what carries a valid signature.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return
	}
	if !h.signed(r.Header.Get("X-Hub-Signature"), body) {
		http.Error(w, "no valid signature", http.StatusUnauthorized)
		return
	}
	if !h.again(r.Header.Get("X-Atlassian-Webhook-Identifier")) {
		if id, key, ok := issueOf(body); ok {
			h.hint(r.Context(), id, key)
		}
	}
	w.WriteHeader(http.StatusOK)
}

func (h *webhook) signed(header string, body []byte) bool {
	sum, ok := strings.CutPrefix(header, "sha256=")
	if !ok {
		return false
	}
	given, err := hex.DecodeString(sum)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, h.secret)
	_, _ = mac.Write(body) // a hash never fails
	return hmac.Equal(given, mac.Sum(nil))
}

// again reports whether an identifier was seen, and remembers it. The oldest are
// forgotten; a hint too many does no harm.
func (h *webhook) again(identifier string) bool {
	if identifier == "" || len(identifier) > 200 {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen[identifier] {
		return true
	}
	h.seen[identifier] = true
	h.order = append(h.order, identifier)
	if len(h.order) > rememberMax {
		delete(h.seen, h.order[0])
		h.order = h.order[1:]
	}
	return false
}

// issueOf reads the issue that a webhook is about; some are about none.
func issueOf(body []byte) (id, key string, ok bool) {
	var in struct {
		Issue struct {
			ID  json.RawMessage `json:"id"` // a string, in some versions a number
			Key string          `json:"key"`
		} `json:"issue"`
	}
	if json.Unmarshal(body, &in) != nil {
		return "", "", false
	}
	id = strings.Trim(string(in.Issue.ID), `"`)
	return id, in.Issue.Key, idPattern.MatchString(id) && keyPattern.MatchString(in.Issue.Key)
}
