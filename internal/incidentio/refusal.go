package incidentio

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// longestWait bounds what a Retry-After may ask for.
const longestWait = time.Hour

// apiError is an answer other than 2xx.
type apiError struct {
	Status    int
	Kind      string
	RequestID string
	Details   []string // code, field and message of each error, shortened
}

// Error gives the status, the API's words and the request id that its support asks for.
func (e *apiError) Error() string {
	s := fmt.Sprintf("HTTP %d %s", e.Status, e.Kind)
	if len(e.Details) > 0 {
		s += ": " + strings.Join(e.Details, "; ")
	}
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	return s
}

// statusOf is the HTTP status behind an error, or 0.
func statusOf(err error) int {
	if answer, ok := errors.AsType[*apiError](err); ok {
		return answer.Status
	}
	return 0
}

// refusal classifies an answer other than 2xx, by its status alone.
func (c *Client) refusal(call string, resp *http.Response, body []byte) error {
	var in struct {
		Type      string `json:"type"`
		RequestID string `json:"request_id"`
		Errors    []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Source  struct {
				Field string `json:"field"`
			} `json:"source"`
		} `json:"errors"`
		RateLimit struct {
			RetryAfter string `json:"retry_after"`
		} `json:"rate_limit"`
	}
	if json.Unmarshal(body, &in) != nil {
		in.Type = "unreadable answer" // a proxy's page, say; the status is enough
	}
	cause := &apiError{Status: resp.StatusCode, Kind: c.quote(in.Type), RequestID: c.quote(in.RequestID)}
	for _, e := range in.Errors[:min(5, len(in.Errors))] {
		cause.Details = append(cause.Details, strings.TrimSpace(c.quote(e.Code)+" "+c.quote(e.Source.Field)+" "+c.quote(e.Message)))
	}
	outcome, say := outcomeOf(resp.StatusCode)
	err := failed(call, outcome, say, cause)
	if resp.StatusCode == http.StatusTooManyRequests {
		err.RetryAfter = c.wait(resp.Header.Get("Retry-After"), in.RateLimit.RetryAfter)
	}
	return err
}

func outcomeOf(status int) (change.Outcome, string) {
	switch {
	case status == http.StatusUnauthorized:
		return change.Refused, "incident.io does not accept the API key."
	case status == http.StatusForbidden:
		return change.Refused, "The API key may not do this at incident.io."
	case status == http.StatusNotFound || status == http.StatusGone:
		return change.Missing, "incident.io does not have it, or does not show it to this API key."
	case status == http.StatusConflict:
		return change.NotNow, "incident.io is busy with the same thing."
	case status == http.StatusTooManyRequests:
		return change.NotNow, "incident.io asks to wait."
	case status == http.StatusRequestTimeout:
		return change.Unknown, "incident.io did not answer in time."
	case status >= 400 && status < 500:
		return change.Refused, "incident.io refused it."
	}
	return change.Unknown, "incident.io has a problem of its own."
}

// wait reads how long to wait: the header's seconds or date, else the body's time.
func (c *Client) wait(header, body string) time.Duration {
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return time.Duration(max(0, min(seconds, int64(longestWait/time.Second)))) * time.Second
	}
	for _, raw := range []string{header, body} {
		for _, layout := range []string{http.TimeFormat, time.RFC1123, time.RFC3339} {
			if at, err := time.Parse(layout, raw); err == nil {
				return max(0, min(at.Sub(c.now()), longestWait))
			}
		}
	}
	return 0
}

// quote takes words of the API into an error: shortened, and without the key.
func (c *Client) quote(s string) string {
	return shorten(strings.ReplaceAll(s, c.key, "[API key]"), 200)
}

// shorten cuts text to so many characters, the ellipsis included.
func shorten(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}
