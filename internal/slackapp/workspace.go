package slackapp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/slack-go/slack"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Workspace asks Slack who people are. It serves the directory.
type Workspace struct {
	Client *slack.Client
	TeamID string // of the configured workspace: whoever is of another is a stranger
}

// Person looks somebody up with users.info.
func (w Workspace) Person(ctx context.Context, id change.PersonID) (change.Person, error) {
	user, err := w.Client.GetUserInfoContext(ctx, string(id))
	if slackErrorIs(err, "user_not_found", "user_not_visible", "users_not_found") {
		return change.Person{ID: id, Standing: change.Stranger}, nil
	}
	if err != nil {
		return change.Person{}, outside("users.info", err)
	}
	p := change.Person{
		ID: change.PersonID(user.ID), TeamID: user.TeamID, Email: user.Profile.Email, TimeZone: user.TZ,
		Name: firstOf(user.Profile.DisplayName, user.RealName, user.Profile.RealName, user.Name),
	}
	p.Standing = w.standing(user)
	return p, nil
}

// standing judges a user. Everything but a plain full member of the configured
// workspace is turned away.
func (w Workspace) standing(u *slack.User) change.Standing {
	member := u.TeamID == w.TeamID || slices.Contains(u.Enterprise.Teams, w.TeamID)
	switch {
	case u.Deleted:
		return change.Deactivated
	case u.IsBot || u.IsAppUser || u.ID == "USLACKBOT":
		return change.Bot
	case u.IsStranger || !member:
		return change.Stranger
	case u.IsRestricted || u.IsUltraRestricted:
		return change.Guest
	}
	return change.Member
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

// UsergroupMembers lists the members of a user group. One that Slack does not
// know has none.
func (w Workspace) UsergroupMembers(ctx context.Context, id string) ([]change.PersonID, error) {
	ids, err := w.Client.GetUserGroupMembersContext(ctx, id)
	if slackErrorIs(err, "no_such_subteam", "subteam_not_found") {
		return nil, nil
	}
	if err != nil {
		return nil, outside("usergroups.users.list", err)
	}
	people := make([]change.PersonID, 0, len(ids))
	for _, id := range ids {
		people = append(people, change.PersonID(id))
	}
	return people, nil
}

// slackErrorIs tells whether Slack answered one of the error codes.
func slackErrorIs(err error, codes ...string) bool {
	answer, ok := errors.AsType[slack.SlackErrorResponse](err)
	return ok && slices.Contains(codes, answer.Err)
}

// outside classifies a failed call of the Web API by what is known after it.
func outside(call string, err error) *change.OutsideError {
	out := &change.OutsideError{System: change.SystemSlack, Call: call, Outcome: change.Unknown, Err: err, Say: "Slack did not answer as it should."}
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		out.Outcome, out.RetryAfter, out.Say = change.NotNow, max(limited.RetryAfter, time.Second), "Slack asks to go slower."
		return out
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		if status.Code == http.StatusTooManyRequests {
			out.Outcome, out.Say = change.NotNow, "Slack asks to go slower."
		}
		return out
	}
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		refusedBySlack(out, answer.Err)
		return out
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED) {
		out.Outcome, out.Say = change.NotNow, "Slack cannot be reached."
	}
	return out
}

// refusedBySlack fills in what a code of Slack's means.
func refusedBySlack(out *change.OutsideError, code string) {
	out.Outcome = change.Refused
	switch code {
	case "channel_not_found", "not_in_channel", "is_archived", "channel_is_archived", "restricted_action_read_only_channel":
		out.Err = errors.Join(change.ErrNoPlace, out.Err)
		out.Say = "The Slack channel is archived or gone, or breakglass is not in it: invite it there."
	case "user_not_found", "cannot_dm_bot", "user_disabled", "messages_tab_disabled", "not_allowed_token_type_dm":
		out.Err = errors.Join(change.ErrNoPlace, out.Err)
		out.Say = "This person cannot be sent direct messages."
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired":
		out.Say = "Slack refuses breakglass's token: install the app again, and set SLACK_BOT_TOKEN."
	case "missing_scope", "not_allowed_token_type":
		out.Say = "Slack refuses breakglass a right that it needs: compare the app's scopes with the manifest."
	case "ratelimited":
		out.Outcome, out.Say = change.NotNow, "Slack asks to go slower."
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org":
		out.Outcome, out.Say = change.Unknown, "Slack has trouble of its own."
	default:
		out.Say = "Slack refused a message (" + code + ")."
	}
}
