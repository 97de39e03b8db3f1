package incidentio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// maxAnswer bounds what is read of an answer: a page of 250 incidents with all
// their custom fields fits.
const maxAnswer = 16 << 20

// request is one call to be made.
type request struct {
	call   string // its name, for errors
	method string
	path   string
	query  url.Values
	body   any // JSON; nil: none
}

// send makes a call and reads its JSON answer into out. Every error is a
// *change.OutsideError.
func (c *Client) send(ctx context.Context, q request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.build(ctx, q)
	if err != nil {
		return failed(q.call, change.Refused, "The call to incident.io could not be written.", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreached(q.call, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if resp.StatusCode/100 != 2 {
		return c.refusal(q.call, resp, body)
	}
	switch {
	case err != nil:
		return failed(q.call, change.Unknown, "The answer of incident.io broke off.", c.redact(err))
	case len(body) > maxAnswer:
		return failed(q.call, change.Unknown, "The answer of incident.io is too large.", fmt.Errorf("more than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(body, out); err != nil {
		return failed(q.call, change.Unknown, "The answer of incident.io could not be read.", err)
	}
	return nil
}

func (c *Client) build(ctx context.Context, q request) (*http.Request, error) {
	target := c.base + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	var body io.Reader
	if q.body != nil {
		raw, err := json.Marshal(q.body)
		if err != nil {
			return nil, fmt.Errorf("write the body: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// unreached classifies a call without an answer: only a connection that was
// never made is known to have carried nothing.
func (c *Client) unreached(call string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return failed(call, change.NotNow, "incident.io cannot be reached.", c.redact(err))
	}
	return failed(call, change.Unknown, "incident.io did not answer.", c.redact(err))
}

func failed(call string, outcome change.Outcome, say string, err error) *change.OutsideError {
	return &change.OutsideError{System: change.SystemIncident, Call: call, Outcome: outcome, Say: say, Err: err}
}

// redact keeps the key out of an error whose text comes from elsewhere. An
// error that holds it loses its identity for errors.Is and errors.As.
func (c *Client) redact(err error) error {
	if err == nil || !strings.Contains(err.Error(), c.key) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), c.key, "[API key]"))
}
