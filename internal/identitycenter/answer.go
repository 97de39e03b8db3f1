package identitycenter

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what the budget has to know of the answer to a call.
type answer struct {
	throttled bool
	create    bool          // the call was a create that AWS itself answered
	after     time.Duration // so long the other side wants to be left alone
}

// noTurnError says that a call was never made, because its turn did not come in time.
type noTurnError struct{ cause error }

func (e *noTurnError) Error() string { return "the call's turn did not come: " + e.cause.Error() }

// RetryableError tells the SDK that to wait once more is not its affair.
func (e *noTurnError) RetryableError() bool { return false }

// answerOf reads an answer; none is one by which nobody throttled.
func answerOf(r *http.Request, resp *http.Response) answer {
	a := answer{create: strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".CreateAccountAssignment")}
	if resp == nil {
		return answer{}
	}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests: // it need not be AWS that says so
		a.throttled, a.create = true, false
	case resp.StatusCode/100 == 4:
		a.throttled = isThrottle(errorCode(resp))
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && a.throttled {
		a.after = time.Duration(max(0, seconds)) * time.Second
	}
	return a
}

// errorCode is AWS's name of an error. The body can be read again.
func errorCode(resp *http.Response) string {
	code := resp.Header.Get("X-Amzn-Errortype")
	if code == "" && resp.Body != nil {
		body, err := io.ReadAll(resp.Body) // it is in memory, and bounded
		resp.Body = io.NopCloser(bytes.NewReader(body))
		var told struct {
			Type string `json:"__type"`
			Code string `json:"code"`
		}
		if err == nil && json.Unmarshal(body, &told) == nil {
			code = told.Type + told.Code
		}
	}
	code, _, _ = strings.Cut(code, ":")
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	return code
}

// isThrottle tells whether a code says that there were too many calls.
func isThrottle(code string) bool {
	switch code {
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded":
		return true
	}
	return false
}
