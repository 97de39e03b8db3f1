package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Kind says which of the application's doors a delivery goes to.
type Kind string

// The doors of the application.
const (
	KindCommand     Kind = "slash_commands"
	KindInteractive Kind = "interactive"
	KindSuggestion  Kind = "block_suggestion" // interactive too, at its own URL
	KindEvent       Kind = "events_api"
)

// Delivery is a request as it was sent to the application, signature included.
type Delivery struct {
	Kind    Kind
	Header  http.Header
	Body    []byte
	Payload Payload // what Body says; a command's fields as strings
}

// Reply is what the application answered.
type Reply struct {
	Status int // 200 for an acknowledged envelope in Socket Mode
	Body   []byte
	Sent   Delivery // for Replay
}

// ErrNoAnswer is wrapped when the application did not answer in time, could not
// be reached, or has no socket open.
var ErrNoAnswer = errors.New("the application did not answer")

// errLate is wrapped besides when it was too slow.
var errLate = errors.New("later than Slack waits")

// sealing says how a delivery is signed; forgeries differ here.
type sealing struct {
	secret string
	at     time.Time
	none   bool
	header http.Header
}

// Seal changes how Deliver signs.
type Seal func(*sealing)

// SignedWith signs with another secret.
func SignedWith(secret string) Seal { return func(s *sealing) { s.secret = secret } }

// SentAt signs with another moment, such as one six minutes ago.
func SentAt(at time.Time) Seal { return func(s *sealing) { s.at = at } }

// Unsigned leaves the signature headers out.
func Unsigned() Seal { return func(s *sealing) { s.none = true } }

// WithHeader adds a header, such as X-Slack-Retry-Num.
func WithHeader(key, value string) Seal {
	return func(s *sealing) { s.header.Set(key, value) }
}

// Deliver sends a payload, genuine or forged, and answers what came back. It
// judges nothing, records no violation and applies no answer to the screen.
func (w *Workspace) Deliver(ctx context.Context, kind Kind, p Payload, seals ...Seal) (Reply, error) {
	d, err := w.seal(kind, p, seals...)
	if err != nil {
		return Reply{}, err
	}
	return w.send(ctx, d)
}

// Replay sends the identical request once more, down to its signature.
func (w *Workspace) Replay(ctx context.Context, d Delivery) (Reply, error) { return w.send(ctx, d) }

// seal turns a payload into a signed request.
func (w *Workspace) seal(kind Kind, p Payload, seals ...Seal) (Delivery, error) {
	s := sealing{secret: w.opt.SigningSecret, at: w.opt.Now(), header: http.Header{}}
	for _, f := range seals {
		f(&s)
	}
	body, contentType, err := p.encode(kind)
	if err != nil {
		return Delivery{}, err
	}
	s.header.Set("Content-Type", contentType)
	s.header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	if !s.none {
		stamp := strconv.FormatInt(s.at.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(s.secret))
		_, _ = fmt.Fprintf(mac, "v0:%s:%s", stamp, body) // a hash never fails to write
		s.header.Set("X-Slack-Request-Timestamp", stamp)
		s.header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	}
	return Delivery{Kind: kind, Header: s.header, Body: body, Payload: p}, nil
}

func (p Payload) encode(kind Kind) (body []byte, contentType string, err error) {
	if kind == KindCommand {
		form := url.Values{}
		for k, v := range p {
			form.Set(k, fmt.Sprint(v))
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded", nil
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, "", fmt.Errorf("encoding a %s payload: %w", kind, err)
	}
	if kind == KindEvent {
		return raw, "application/json", nil
	}
	return []byte(url.Values{"payload": {string(raw)}}.Encode()), "application/x-www-form-urlencoded", nil
}

// send delivers over HTTP or Socket Mode and waits as long as Slack does.
func (w *Workspace) send(ctx context.Context, d Delivery) (Reply, error) {
	w.mu.Lock()
	w.sent = append(w.sent, d)
	base := w.appURL
	w.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, w.opt.AckTimeout, errLate)
	defer cancel()
	if w.opt.SocketMode {
		return w.sendSocket(ctx, d)
	}
	path := map[Kind]string{
		KindCommand: w.opt.AppPaths.Commands, KindInteractive: w.opt.AppPaths.Interactive,
		KindSuggestion: w.opt.AppPaths.Suggestions, KindEvent: w.opt.AppPaths.Events,
	}[d.Kind]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(d.Body))
	if err != nil {
		return Reply{Sent: d}, fmt.Errorf("calling the application: %w", err)
	}
	req.Header = d.Header.Clone()
	resp, err := w.opt.Client.Do(req)
	if err != nil {
		return Reply{Sent: d}, unanswered(ctx, d.Kind, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return Reply{Sent: d}, unanswered(ctx, d.Kind, err)
	}
	return Reply{Status: resp.StatusCode, Body: body, Sent: d}, nil
}

func unanswered(ctx context.Context, kind Kind, err error) error {
	if errors.Is(context.Cause(ctx), errLate) {
		return fmt.Errorf("%s: %w: %w", kind, ErrNoAnswer, errLate)
	}
	return fmt.Errorf("%s: %w: %w", kind, ErrNoAnswer, err)
}

// act delivers what a person did, and records a violation when the application
// is late or does not answer 200. An application that cannot be reached is an
// error but no violation: it may have been killed on purpose.
func (w *Workspace) act(ctx context.Context, kind Kind, p Payload) (Reply, error) {
	r, err := w.Deliver(ctx, kind, p)
	switch {
	case errors.Is(err, errLate):
		w.change(func() { w.violate("ack "+string(kind), "not acknowledged within %s", w.opt.AckTimeout) })
		return r, err
	case err != nil:
		return r, err
	case r.Status != http.StatusOK:
		w.change(func() { w.violate("ack "+string(kind), "status %d instead of 200", r.Status) })
		return r, fmt.Errorf("%s: the application answered status %d", kind, r.Status)
	}
	return r, nil
}
