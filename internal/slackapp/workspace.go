package slackapp

import (
	"context"
	"errors"
	"slices"

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
		return change.Person{}, failure("users.info", "This person", err)
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
		return nil, failure("usergroups.users.list", "This group", err)
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
