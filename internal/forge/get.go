package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	maxAnswer = 16 << 20 // bytes of one answer; a hundred commits with long messages fit
	pageSize  = 100      // both forges' largest
	maxPages  = 10       // of one list
)

// get makes a call and reads its JSON answer into out. path begins with a
// slash and is escaped. Every error is a *change.OutsideError.
func (c *Client) get(ctx context.Context, s *site, call, path string, query url.Values, out any) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	target := s.api + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, s.failed(call, change.Refused, "The call to "+s.name+" could not be written.", err)
	}
	req.Header = s.header.Clone()
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, s.unreached(call, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, c.refusal(s, call, resp, body)
	case err != nil:
		return nil, s.failed(call, change.Unknown, "The answer of "+s.name+" broke off.", err)
	case len(body) > maxAnswer:
		return nil, s.failed(call, change.Unknown, "The answer of "+s.name+" is too large.", fmt.Errorf("more than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(body, out); err != nil {
		return nil, s.unreadable(call, err)
	}
	return resp.Header, nil
}

// each reads a list page by page and hands on every item until more says no.
// whole is false when the list is longer than maxPages.
func each[T any](ctx context.Context, c *Client, s *site, call, path string, query url.Values, more func(T) bool) (whole bool, err error) {
	asked := url.Values{"per_page": {strconv.Itoa(pageSize)}}
	for name, values := range query {
		asked[name] = values
	}
	for page := 1; page <= maxPages; page++ {
		asked.Set("page", strconv.Itoa(page))
		var items []T
		header, err := c.get(ctx, s, call, path, asked, &items)
		if err != nil {
			return false, err
		}
		if items == nil {
			return false, s.unreadable(call, errors.New("null instead of a list"))
		}
		for _, item := range items {
			if !more(item) {
				return true, nil
			}
		}
		// The address of the next page is not followed, only believed to exist; and a
		// full page may have a next one that a proxy has kept from us.
		if len(items) < pageSize && !strings.Contains(strings.Join(header.Values("Link"), ","), `rel="next"`) {
			return true, nil
		}
	}
	return false, nil
}

// unreached classifies a call without an answer.
func (s *site) unreached(call string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return s.failed(call, change.NotNow, s.name+" cannot be reached.", err)
	}
	return s.failed(call, change.Unknown, s.name+" did not answer.", err)
}

func (s *site) unreadable(call string, err error) error {
	return s.failed(call, change.Unknown, "The answer of "+s.name+" could not be read.", err)
}

func (s *site) failed(call string, outcome change.Outcome, say string, err error) *change.OutsideError {
	return &change.OutsideError{System: change.SystemForge, Call: call, Outcome: outcome, Say: say, Err: s.redact(err)}
}

// redact keeps the token out of an error whose text comes from elsewhere. An
// error that holds it loses its identity for errors.Is and errors.As.
func (s *site) redact(err error) error {
	if err == nil || s.token == "" || !strings.Contains(err.Error(), s.token) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), s.token, "[token]"))
}
