package identitycenter

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// What people are told when there is nothing more particular to say.
const (
	sayBusy    = "AWS is busy just now; it has to be tried again a little later."
	sayUnheard = "AWS gave no usable answer just now."
	sayNoWay   = "AWS cannot be reached just now."
	sayMissing = "AWS does not know the account, the permission set or the assignment that was asked about."
	sayRefused = "AWS refused the request; somebody who looks after breakglass must look at its configuration and its rights in AWS."
	sayBadSign = "AWS does not accept the credentials of breakglass just now."
)

// outside classifies an error of the SDK. The same holds for reads and mutations:
// Unknown means that no answer was understood, NotNow that nothing was done.
func outside(call string, err error) error {
	e := &change.OutsideError{System: change.SystemAWS, Call: call, Err: err, RetryAfter: retryAfter(err)}
	e.Outcome, e.Say = classify(err)
	e.Cause = causeOf(err)
	return e
}

// unreadable makes the error of an answer that was understood as JSON, but lacks
// what it must hold.
func unreadable(call, what string) error {
	return &change.OutsideError{System: change.SystemAWS, Call: call, Outcome: change.Unknown, Say: sayUnheard, Err: errors.New(what)}
}

func refused(call, say string) error {
	return &change.OutsideError{System: change.SystemAWS, Call: call, Outcome: change.Refused, Say: say}
}

func missing(call, say string) error {
	return &change.OutsideError{System: change.SystemAWS, Call: call, Outcome: change.Missing, Say: say}
}

func isMissing(err error) bool { return err != nil && change.OutcomeOf(err) == change.Missing }

func classify(err error) (change.Outcome, string) {
	if _, waited := errors.AsType[*noTurnError](err); waited {
		return change.NotNow, sayBusy
	}
	if unsent(err) {
		return change.NotNow, sayNoWay
	}
	status := statusOf(err)
	api, spoke := errors.AsType[smithy.APIError](err)
	switch {
	case status == http.StatusTooManyRequests:
		return change.NotNow, sayBusy
	case !spoke || status >= 500 || status == http.StatusRequestTimeout:
		return change.Unknown, sayUnheard // a proxy's own page, too: it may have passed the request on
	}
	switch api.ErrorCode() {
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "ConflictException":
		return change.NotNow, sayBusy
	case "ResourceNotFoundException":
		return change.Missing, sayMissing
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired", "RequestTimeTooSkewed":
		return change.NotNow, sayBadSign // other credentials, or another clock, will do
	case "InternalServerException", "InternalFailure", "ServiceUnavailable", "UnknownError":
		return change.Unknown, sayUnheard
	case "ServiceQuotaExceededException":
		return change.Refused, "AWS refused the request because a quota of the organisation is used up."
	case "AccessDeniedException":
		return change.Refused, "AWS does not allow breakglass to do this; its rights there, or the account or permission set asked for, must be looked at."
	}
	return change.Refused, sayRefused
}

// causeOf tells apart why a call did not happen now.
func causeOf(err error) change.Cause {
	api, spoke := errors.AsType[smithy.APIError](err)
	_, waited := errors.AsType[*noTurnError](err)
	switch {
	case waited:
		return change.CauseCrowded
	case statusOf(err) == http.StatusTooManyRequests, spoke && isThrottle(api.ErrorCode()):
		return change.CauseThrottled
	case spoke && api.ErrorCode() == "ConflictException":
		return change.CauseConflict
	}
	return change.CauseOther
}

// unsent says whether the request certainly never left: the SDK failed before
// the exchange (credentials, signing), or no connection came about.
func unsent(err error) bool {
	if _, sent := errors.AsType[*smithyhttp.RequestSendError](err); !sent {
		_, cancelled := errors.AsType[*smithy.CanceledError](err)
		return statusOf(err) == 0 && !cancelled
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	_, dns := errors.AsType[*net.DNSError](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return dns || certificate || record
}

func statusOf(err error) int {
	resp, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || resp.Response == nil || resp.Response.Response == nil {
		return 0
	}
	return resp.HTTPStatusCode()
}

// maxRetryAfter bounds what a server may ask for.
const maxRetryAfter = 10 * time.Minute

// retryAfter is what AWS, or a proxy before it, asks to wait; zero when nobody said.
func retryAfter(err error) time.Duration {
	seconds := 0
	if t, ok := errors.AsType[*identitytypes.ThrottlingException](err); ok {
		seconds = int(t.RetryAfterSeconds)
	} else if resp, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && statusOf(err) != 0 {
		if n, numErr := strconv.Atoi(resp.Response.Header.Get("Retry-After")); numErr == nil {
			seconds = n
		}
	}
	return min(time.Duration(max(0, seconds))*time.Second, maxRetryAfter)
}
