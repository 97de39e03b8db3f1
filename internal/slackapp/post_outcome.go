package slackapp

import (
	"errors"
	"net"
	"net/http"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

var errBadReference = errors.New("this names no message")

// failure classifies a failed call. where begins a sentence that says what has
// no place, such as "The channel C012".
func failure(call, where string, err error) *change.OutsideError {
	f := &change.OutsideError{System: change.SystemSlack, Call: call, Outcome: change.Unknown, Err: err}
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		f.Outcome, f.RetryAfter, f.Say = change.NotNow, limited.RetryAfter, "Slack asks breakglass to wait a little."
		return f
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		switch {
		case status.Code == http.StatusTooManyRequests:
			f.Outcome, f.Say = change.NotNow, "Slack asks breakglass to wait a little."
		case status.Code >= 400 && status.Code < 500:
			f.Outcome, f.Say = change.Refused, "Slack refused the call."
		default:
			f.Say = "Slack has trouble just now."
		}
		return f
	}
	if code := slackCode(err); code != "" {
		return refusedWith(f, where, code)
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		f.Outcome = change.NotNow
	}
	f.Say = "Slack did not answer."
	return f
}

// refusedWith classifies Slack's own error codes.
func refusedWith(f *change.OutsideError, where, code string) *change.OutsideError {
	f.Outcome = change.Refused
	noPlace := func(why string) {
		f.Say = where + " " + why
		f.Err = errors.Join(change.ErrNoPlace, f.Err)
	}
	switch code {
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		f.Outcome, f.Say = change.NotNow, "Slack asks breakglass to wait a little."
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org":
		f.Outcome, f.Say = change.Unknown, "Slack has trouble just now."
	case "message_not_found", "cant_update_message", "edit_window_closed":
		f.Outcome = change.Missing
	case "thread_not_found":
		f.Outcome, f.Say = change.NotNow, "The card that this replies to was deleted; it is posted again first."
	case "is_archived":
		noPlace("is archived.")
	case "not_in_channel":
		noPlace("does not have breakglass in it; invite it.")
	case "channel_not_found", "invalid_channel":
		noPlace("does not exist, or breakglass may not see it.")
	case "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "restricted_action_thread_locked":
		noPlace("does not let breakglass write.")
	case "user_not_found", "users_not_found", "user_disabled", "user_not_visible", "cannot_dm_bot", "messages_tab_disabled":
		noPlace("takes no direct messages: it is deactivated, or breakglass may not see it.")
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "org_login_required", "access_denied", "ekm_access_denied", "not_allowed_token_type", "team_access_not_granted":
		f.Say = "Slack does not accept breakglass's token any more; it has to be installed again."
	case "missing_scope", "no_permission":
		f.Say = "Slack does not let breakglass do this; its permissions have to be granted again."
	default:
		f.Say = "Slack did not take the message (" + code + ")."
	}
	return f
}

// slackCode gives the code with which Slack refused a call, or "".
func slackCode(err error) string {
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return refused.Err
	}
	return ""
}

// isGone tells whether a message cannot be edited because there is none.
func isGone(err error) bool {
	outside, ok := errors.AsType[*change.OutsideError](err)
	return ok && outside.Outcome == change.Missing
}

func missing(call string, cause error) *change.OutsideError {
	return &change.OutsideError{System: change.SystemSlack, Call: call, Outcome: change.Missing, Err: cause}
}
