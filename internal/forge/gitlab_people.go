package forge

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// mostPeople bounds how many who approved are looked up; the rest are not
// known to be people.
const mostPeople = 30

// gitlabPerson is an account that was looked up.
type gitlabPerson struct {
	gitlabUser
	email  string // public; often empty
	person bool   // and no bot
}

// gitlabPeople looks up, once each, the accounts that approved: merge requests
// do not tell bots from people. An account that cannot be seen is not known to
// be a person.
func (c *Client) gitlabPeople(ctx context.Context, s *site, all []given) (map[int]gitlabPerson, error) {
	const call = "get user"
	people := map[int]gitlabPerson{}
	for _, g := range all {
		if _, done := people[g.user.ID]; done || len(people) >= mostPeople {
			continue
		}
		var in struct {
			gitlabUser
			Email string `json:"public_email"`
			Bot   *bool  `json:"bot"`
		}
		_, err := c.get(ctx, s, call, "/users/"+strconv.Itoa(g.user.ID), nil, &in)
		switch outcome := change.OutcomeOf(err); {
		case err == nil:
			people[g.user.ID] = gitlabPerson{g.user, in.Email, in.ID == g.user.ID && in.Bot != nil && !*in.Bot}
		case outcome == change.Missing, outcome == change.Refused:
			people[g.user.ID] = gitlabPerson{gitlabUser: g.user}
		default:
			return nil, err
		}
	}
	return people, nil
}

// hiddenAddress is what GitLab writes for people who hide their e-mail:
// 123-name@users.noreply.HOST. The number stays when the name changes.
var hiddenAddress = regexp.MustCompile(`^([0-9]+)-([^@]+)@users\.noreply\.(.+)$`)

// gitlabCommitters reads who wrote and who committed. GitLab's commits hold
// names and e-mails only; where one of the people who matter here has that
// name or e-mail, it is taken to be them: rather somebody too many than a
// committer who passes for independent.
func (c *Client) gitlabCommitters(ctx context.Context, s *site, ref change.MergeRequestRef, people map[int]gitlabPerson) ([]change.MRCommitter, bool, error) {
	type commit struct {
		AuthorName     string `json:"author_name"`
		AuthorEmail    string `json:"author_email"`
		CommitterName  string `json:"committer_name"`
		CommitterEmail string `json:"committer_email"`
	}
	var who committers
	add := func(name, email string) {
		email = strings.ToLower(strings.TrimSpace(email))
		if email == "noreply@"+s.web.Hostname() {
			return // GitLab itself, for what is done in the browser
		}
		user := ""
		if hidden := hiddenAddress.FindStringSubmatch(email); hidden != nil && hidden[3] == s.web.Hostname() {
			user = hidden[2]
			if id, err := strconv.Atoi(hidden[1]); err == nil && people[id].Username != "" {
				user = people[id].Username
			}
		}
		for _, p := range people {
			if (p.email != "" && strings.EqualFold(p.email, email)) || (p.Name != "" && strings.EqualFold(p.Name, strings.TrimSpace(name))) {
				who.add(p.Username, "")
				user = firstOf(user, p.Username)
			}
		}
		who.add(user, email)
	}
	whole, err := each(ctx, c, s, "list commits", gitlabAddress(ref)+"/commits", nil, func(in commit) bool {
		add(in.AuthorName, in.AuthorEmail)
		add(in.CommitterName, in.CommitterEmail)
		return true
	})
	return who.list(), !whole, err
}
