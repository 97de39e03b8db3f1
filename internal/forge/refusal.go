package forge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	longestWait   = time.Hour   // that a forge may ask for
	secondaryWait = time.Minute // GitHub asks for at least that where it does not say
)

// refusal classifies an answer other than 200, by its status, its headers and,
// for GitHub's secondary limits, by the document that it points at.
func (c *Client) refusal(s *site, call string, resp *http.Response, body []byte) error {
	cause := fmt.Errorf("HTTP %d", resp.StatusCode)
	if text := message(body); text != "" {
		cause = fmt.Errorf("HTTP %d: %s", resp.StatusCode, s.quote(text))
	}
	if wait, limited := c.limited(resp, body); limited {
		err := s.failed(call, change.NotNow, s.name+" asks to wait.", cause)
		err.RetryAfter = wait
		return err
	}
	switch status := resp.StatusCode; {
	case status == http.StatusMovedPermanently || status == http.StatusPermanentRedirect:
		return s.failed(call, change.Missing, "It has moved on "+s.name+"; link it again at its new address.", cause)
	case status == http.StatusUnauthorized:
		return s.failed(call, change.Refused, s.name+" does not accept the token.", cause)
	case status == http.StatusForbidden:
		return s.failed(call, change.Refused, "The token may not read this on "+s.name+".", cause)
	case status == http.StatusNotFound || status == http.StatusGone:
		return s.failed(call, change.Missing, s.name+" does not have it, or does not show it to this token.", cause)
	case status == http.StatusRequestTimeout:
		return s.failed(call, change.Unknown, s.name+" did not answer in time.", cause)
	case status >= 400 && status < 500:
		return s.failed(call, change.Refused, s.name+" refused the question.", cause)
	}
	return s.failed(call, change.Unknown, s.name+" has a problem of its own.", cause)
}

// limited tells whether an answer only asks to wait, and for how long; zero
// when it does not say. GitHub answers 403 as well as 429 for its limits.
func (c *Client) limited(resp *http.Response, body []byte) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusForbidden {
		return 0, false
	}
	if wait, said := c.wait(resp.Header); said {
		return wait, true
	}
	var in struct {
		Document string `json:"documentation_url"`
	}
	if json.Unmarshal(body, &in) == nil && strings.HasSuffix(in.Document, "secondary-rate-limits") {
		return secondaryWait, true
	}
	return 0, resp.StatusCode == http.StatusTooManyRequests
}

// wait reads how long to wait from whichever header says it.
func (c *Client) wait(header http.Header) (time.Duration, bool) {
	after := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(after, 10, 64); err == nil {
		return time.Duration(max(0, min(seconds, int64(longestWait/time.Second)))) * time.Second, true
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(0, min(at.Sub(c.now()), longestWait)), true
	}
	if header.Get("X-Ratelimit-Remaining") != "0" {
		return 0, false
	}
	reset, err := strconv.ParseInt(header.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil {
		return secondaryWait, true
	}
	return max(0, min(time.Unix(reset, 0).Sub(c.now()), longestWait)), true
}

// message is what a forge says of a refusal, in any of their shapes.
func message(body []byte) string {
	var in struct {
		Message any    `json:"message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal(body, &in) != nil {
		return "" // a proxy's page, say; the status is enough
	}
	if text, ok := in.Message.(string); ok {
		return text
	}
	return in.Error
}

// quote takes words of a forge into an error: shortened, and without the token.
func (s *site) quote(text string) string {
	if s.token != "" {
		text = strings.ReplaceAll(text, s.token, "[token]")
	}
	return shorten(text, 200)
}

// shorten makes one line of a text and cuts it to so many characters, the
// ellipsis included.
func shorten(text string, most int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}
