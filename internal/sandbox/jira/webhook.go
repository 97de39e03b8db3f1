package jira

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// hooks sends what happens to the configured URL.
type hooks struct {
	mu     sync.Mutex
	url    string
	secret string
	last   *delivery
	wg     sync.WaitGroup
}

// delivery is one webhook. Jira repeats one under the same identifier.
type delivery struct {
	url        string
	secret     string
	identifier string
	body       []byte
}

// SetWebhook sends comment changes to a URL from now on, signed when there is a
// secret. An empty URL ends it.
func (s *Server) SetWebhook(url, secret string) {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	s.hooks.url, s.hooks.secret = url, secret
}

// Redeliver sends the last webhook again under its identifier, as Jira does when
// it got no answer. It reports whether there was one.
func (s *Server) Redeliver() bool {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	if s.hooks.last == nil {
		return false
	}
	s.hooks.send(*s.hooks.last)
	return true
}

// tell sends a comment event. The server's lock is held; nothing waits here.
func (s *Server) tell(event string, i *Issue, c Comment) {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	if s.hooks.url == "" {
		return
	}
	body, err := json.Marshal(map[string]any{
		"timestamp": s.opt.Now().UnixMilli(), "webhookEvent": event,
		"comment": s.commentJSON(nil, i, c), "issue": s.issueJSON(nil, i, "summary,project,status"),
	})
	if err != nil {
		s.violateLocked("webhook: %v", err)
		return
	}
	d := delivery{url: s.hooks.url, secret: s.hooks.secret, identifier: rand.Text(), body: body}
	s.hooks.last = &d
	s.hooks.send(d)
}

// send posts in the background. A webhook that nobody takes is lost, as hints may be.
func (h *hooks) send(d delivery) {
	h.wg.Go(func() {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, d.url, bytes.NewReader(d.body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json; charset=UTF-8")
		req.Header.Set("X-Atlassian-Webhook-Identifier", d.identifier)
		if d.secret != "" {
			mac := hmac.New(sha256.New, []byte(d.secret))
			_, _ = mac.Write(d.body) // a hash never fails
			req.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		}
		resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
		if err != nil {
			return
		}
		_ = resp.Body.Close()
	})
}

func (h *hooks) wait() { h.wg.Wait() }
