package jira

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	gojira "github.com/andygrunwald/go-jira"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	sayMissing    = "It is not there, or breakglass may not see it."
	sayUnreadable = "Jira gave no usable answer."
	maxSaid       = 300 // runes of Jira's own words
)

func (c *Client) fail(call string, o change.Outcome, say string, err error) *change.OutsideError {
	return &change.OutsideError{System: change.SystemJira, Call: call, Outcome: o, Say: say, Err: err}
}

func (c *Client) refuse(call, say string, err error) *change.OutsideError {
	return c.fail(call, change.Refused, say, err)
}

func (c *Client) unreadable(call string, err error) *change.OutsideError {
	return c.fail(call, change.Unknown, sayUnreadable, err)
}

// failure classifies what the library answered. resp is nil when the transport
// failed; its body may have been read already.
func (c *Client) failure(call string, resp *gojira.Response, err error) *change.OutsideError {
	if resp == nil || resp.Response == nil {
		if neverSent(err) {
			return c.fail(call, change.NotNow, "Jira cannot be reached.", err)
		}
		return c.unreadable(call, err)
	}
	status := resp.StatusCode
	if status >= 200 && status <= 299 {
		return c.unreadable(call, fmt.Errorf("reading the answer: %s", c.safe(err.Error())))
	}
	said, cause := c.said(resp, err)
	out := c.fail(call, change.Refused, "Jira refused"+colon(said), cause)
	out.RetryAfter = c.retryAfter(resp)
	switch {
	case status == http.StatusTooManyRequests:
		out.Outcome, out.Say = change.NotNow, "Jira takes no more requests for the moment."
	case status == http.StatusConflict:
		out.Outcome, out.Say = change.NotNow, "Something else changes this ticket at the moment"+colon(said)
	case status >= 500, status == http.StatusRequestTimeout:
		out.Outcome, out.Say = change.Unknown, sayUnreadable
	case status == http.StatusNotFound:
		out.Outcome, out.Say = change.Missing, sayMissing
	case status == http.StatusUnauthorized:
		out.Say = "Jira does not accept the e-mail address and API token of breakglass."
	case status == http.StatusForbidden:
		out.Say = "Jira does not allow breakglass to do this" + colon(said)
	case status < 400:
		out.Say = "Jira sent breakglass to another address; jira.base_url may be wrong."
	}
	return out
}

// neverSent reports whether a request surely did not reach Jira.
func neverSent(err error) bool {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// said gives Jira's messages for people, and a short cause for the log. A page
// of HTML is nothing for people.
func (c *Client) said(resp *gojira.Response, err error) (string, error) {
	refusal, ok := errors.AsType[*gojira.Error](err)
	if !ok {
		// Create and UpdateIssue leave the body unread; of a body read before, nothing is left.
		if read := gojira.NewJiraError(resp, err); read != nil {
			if refusal, ok = errors.AsType[*gojira.Error](read); !ok && len(read.Error()) > len(err.Error()) {
				err = read
			}
		}
	}
	if !ok {
		return "", fmt.Errorf("status %d: %s", resp.StatusCode, c.safe(err.Error()))
	}
	said := c.safe(strings.Join(messages(refusal), " "))
	return said, &refusedFields{status: resp.StatusCode, said: said, fields: refusal.Errors}
}

func messages(e *gojira.Error) []string {
	all := slices.Clone(e.ErrorMessages)
	for _, field := range slices.Sorted(maps.Keys(e.Errors)) {
		all = append(all, e.Errors[field])
	}
	return all
}

// refusedFields is the cause of a refusal that named fields.
type refusedFields struct {
	status int
	said   string
	fields map[string]string
}

// Error gives the status and Jira's words, shortened.
func (e *refusedFields) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.said) }

// safe makes foreign text fit for a sentence: one line, short, without the token.
func (c *Client) safe(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), c.secret, "…")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || hidden(r) }), " ")
	if r := []rune(s); len(r) > maxSaid {
		return string(r[:maxSaid]) + "…"
	}
	return s
}

func colon(said string) string {
	if said == "" {
		return "."
	}
	return ": " + said
}

// retryAfter reads the header in seconds or as a date; zero when there is none.
func (c *Client) retryAfter(resp *gojira.Response) time.Duration {
	h := resp.Header.Get("Retry-After")
	if n, err := strconv.Atoi(h); err == nil && n > 0 && n <= 24*60*60 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(h); err == nil {
		return max(0, min(at.Sub(c.now()), 24*time.Hour))
	}
	return 0
}
