package forge

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// githubUser is an account. Its type is User, Bot, Organization or Mannequin.
type githubUser struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

func (c *Client) lookAtGitHub(ctx context.Context, s *site, ref change.MergeRequestRef) (change.MergeRequest, error) {
	const call = "get pull request"
	var in struct {
		Number   int         `json:"number"`
		Title    string      `json:"title"`
		State    string      `json:"state"`
		Merged   bool        `json:"merged"`
		MergedAt time.Time   `json:"merged_at"`
		Merge    string      `json:"merge_commit_sha"` // of a trial merge while it is open
		User     *githubUser `json:"user"`
		Commits  int         `json:"commits"`
		Head     struct {
			SHA string `json:"sha"`
		} `json:"head"`
		Labels []struct {
			Name string `json:"name"`
		} `json:"labels"`
	}
	seen := c.now()
	if _, err := c.get(ctx, s, call, githubAddress(ref), nil, &in); err != nil {
		return change.MergeRequest{}, err
	}
	m := change.MergeRequest{Ref: ref, Title: shorten(in.Title, longestTitle), Head: in.Head.SHA, SeenAt: seen}
	switch {
	case in.Number != ref.Number || in.Head.SHA == "" || (in.Merged && in.MergedAt.IsZero()):
		return m, s.unreadable(call, fmt.Errorf("pull request %d, merged at %v", in.Number, in.MergedAt))
	case in.Merged:
		m.State, m.MergedAt, m.MergedCommit = change.MRMerged, in.MergedAt, in.Merge
	case in.State == "open":
		m.State = change.MROpen
	case in.State == "closed":
		m.State = change.MRClosed
	default:
		return m, s.unreadable(call, fmt.Errorf("the state %q", s.quote(in.State)))
	}
	if in.User != nil {
		m.Author = in.User.Login
	}
	names := make([]string, 0, len(in.Labels))
	for _, l := range in.Labels {
		names = append(names, l.Name)
	}
	m.Labels = labels(names)
	var err error
	if m.Approvals, err = c.githubReviews(ctx, s, ref, m); err != nil {
		return change.MergeRequest{}, err
	}
	m.Committers, m.CommittersCut, err = c.githubCommitters(ctx, s, ref, in.Commits)
	return m, err
}

// hiddenLogin is what GitHub writes for people who hide their e-mail:
// 123+login@users.noreply.HOST, once without the number.
var hiddenLogin = regexp.MustCompile(`^(?:[0-9]+\+)?([^@+]+)@users\.noreply\.(.+)$`)

// githubCommitters reads who wrote and who committed. GitHub lists 250 commits
// at most, so how many there are is compared with count.
func (c *Client) githubCommitters(ctx context.Context, s *site, ref change.MergeRequestRef, count int) ([]change.MRCommitter, bool, error) {
	type signature struct {
		Email string `json:"email"`
	}
	type commit struct {
		Author    *githubUser `json:"author"` // null, or empty, where the e-mail is no account's
		Committer *githubUser `json:"committer"`
		Commit    struct {
			Author    *signature `json:"author"`
			Committer *signature `json:"committer"`
		} `json:"commit"`
	}
	var who committers
	add := func(user *githubUser, by *signature) {
		switch {
		case user != nil && user.Login == "web-flow":
			return // GitHub itself, for what is done in the browser
		case user != nil && user.Login != "":
			who.add(user.Login, "")
		case by != nil:
			login := ""
			if hidden := hiddenLogin.FindStringSubmatch(by.Email); hidden != nil && hidden[2] == s.web.Hostname() {
				login = hidden[1]
			}
			who.add(login, by.Email)
		}
	}
	listed := 0
	whole, err := each(ctx, c, s, "list commits", githubAddress(ref)+"/commits", nil, func(in commit) bool {
		listed++
		add(in.Author, in.Commit.Author)
		add(in.Committer, in.Commit.Committer)
		return true
	})
	return who.list(), !whole || listed < count, err
}

// githubAddress is where a pull request stands in the API. Owner and
// repository hold nothing that would have to be escaped.
func githubAddress(ref change.MergeRequestRef) string {
	return "/repos/" + ref.Project + "/pulls/" + strconv.Itoa(ref.Number)
}
