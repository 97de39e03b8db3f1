package incidentio

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sender delivers webhooks, signed as Svix signs them. Each goes once, on its
// own, so that they may overtake one another as the real ones do.
type sender struct {
	url    string
	key    []byte
	now    func() time.Time
	client *http.Client
	going  sync.WaitGroup
	mu     sync.Mutex
	count  int
	failed []string
}

func newSender(url, secret string, now func() time.Time) (*sender, error) {
	key, err := signingKey(secret)
	if err != nil {
		return nil, err
	}
	return &sender{url: url, key: key, now: now, client: &http.Client{Timeout: 5 * time.Second}}, nil
}

func signingKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("read the webhook secret: it must be whsec_ and base64")
	}
	return key, nil
}

// Sign answers the webhook-signature header of a body, as Svix makes it.
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := signingKey(secret)
	if err != nil {
		return "", err
	}
	return sign(key, id, at, body), nil
}

func sign(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// tell sends an event about an incident; the caller holds the lock. A private
// incident's event carries its id alone.
func (s *Server) tell(event string, i *Incident, payload object) {
	if s.sender == nil {
		return
	}
	event = "public_incident." + event
	if i.Private {
		event = strings.Replace(event, "public_", "private_", 1)
		payload = object{"id": i.ID}
	}
	body, err := json.Marshal(object{"event_type": event, event: payload})
	if err != nil {
		s.violate("webhook that cannot be written: " + err.Error())
		return
	}
	s.sender.going.Go(func() { s.sender.send(body) })
}

func (d *sender) send(body []byte) {
	d.mu.Lock()
	d.count++
	id := "msg_sandbox" + strconv.Itoa(d.count)
	d.mu.Unlock()
	if err := d.post(id, body); err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.failed = append(d.failed, id+": "+err.Error())
	}
}

func (d *sender) post(id string, body []byte) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := d.now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(make([]byte, sha256.Size))+" "+sign(d.key, id, at, body))
	resp, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

func (d *sender) wait() { d.going.Wait() }

// FailedWebhooks tells of the webhooks that the other side did not take.
func (s *Server) FailedWebhooks() []string {
	if s.sender == nil {
		return nil
	}
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	return append([]string(nil), s.sender.failed...)
}
