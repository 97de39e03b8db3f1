package forge

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// gitlabUser is somebody as merge requests show them; they do not tell bots.
type gitlabUser struct {
	ID       int    `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

type gitlabMergeRequest struct {
	IID       int         `json:"iid"`
	ProjectID int         `json:"project_id"`
	Title     string      `json:"title"`
	State     string      `json:"state"`
	Author    *gitlabUser `json:"author"`
	Labels    []string    `json:"labels"`
	SHA       string      `json:"sha"`
	Merge     string      `json:"merge_commit_sha"`
	Squash    string      `json:"squash_commit_sha"`
	MergedAt  time.Time   `json:"merged_at"`
}

func (c *Client) lookAtGitLab(ctx context.Context, s *site, ref change.MergeRequestRef) (change.MergeRequest, error) {
	seen := c.now()
	in, m, err := c.gitlabMergeRequest(ctx, s, ref)
	if err != nil {
		return change.MergeRequest{}, err
	}
	m.SeenAt = seen
	given, err := c.gitlabApprovals(ctx, s, ref, m)
	if err != nil {
		return change.MergeRequest{}, err
	}
	if m.State == change.MRMerged {
		notes, err := c.gitlabNotes(ctx, s, ref, m)
		if err != nil {
			return change.MergeRequest{}, err
		}
		given = append(given, notes...)
	}
	people, err := c.gitlabPeople(ctx, s, given)
	if err != nil {
		return change.MergeRequest{}, err
	}
	m.Approvals = []change.MRApproval{}
	for _, g := range given {
		g.approval.Bot = !people[g.user.ID].person
		m.Approvals = append(m.Approvals, g.approval)
	}
	if in.Author != nil {
		people[in.Author.ID] = gitlabPerson{gitlabUser: *in.Author}
	}
	m.Committers, m.CommittersCut, err = c.gitlabCommitters(ctx, s, ref, people)
	return m, err
}

// gitlabMergeRequest reads what stands in the merge request itself.
func (c *Client) gitlabMergeRequest(ctx context.Context, s *site, ref change.MergeRequestRef) (gitlabMergeRequest, change.MergeRequest, error) {
	const call = "get merge request"
	var in gitlabMergeRequest
	if _, err := c.get(ctx, s, call, gitlabAddress(ref), nil, &in); err != nil {
		return in, change.MergeRequest{}, err
	}
	m := change.MergeRequest{Ref: ref, Title: shorten(in.Title, longestTitle), Labels: labels(in.Labels), Head: in.SHA}
	if in.Author != nil {
		m.Author = in.Author.Username
	}
	switch in.State {
	case "merged":
		m.State, m.MergedAt = change.MRMerged, in.MergedAt
		m.MergedCommit = firstOf(in.Merge, in.Squash, in.SHA) // the last two where it was merged without a merge commit
	case "opened", "locked": // locked: being merged at this moment
		m.State = change.MROpen
	case "closed":
		m.State = change.MRClosed
	default:
		return in, m, s.unreadable(call, fmt.Errorf("the state %q", s.quote(in.State)))
	}
	if in.IID != ref.Number || (m.State == change.MRMerged && m.MergedAt.IsZero()) {
		return in, m, s.unreadable(call, fmt.Errorf("merge request %d, merged at %v", in.IID, in.MergedAt))
	}
	return in, m, nil
}

// given is an approval and the account that gave it.
type given struct {
	user     gitlabUser
	approval change.MRApproval
}

// gitlabApprovals counts who has approved, and of which commit. The API's own
// verdict, approved, is true wherever no approval is required, so it is not read.
func (c *Client) gitlabApprovals(ctx context.Context, s *site, ref change.MergeRequestRef, m change.MergeRequest) ([]given, error) {
	const call = "get approvals"
	var in struct {
		ApprovedBy []struct {
			User       *gitlabUser `json:"user"`
			ApprovedAt time.Time   `json:"approved_at"` // older versions do not tell it
		} `json:"approved_by"`
	}
	if _, err := c.get(ctx, s, call, gitlabAddress(ref)+"/approvals", nil, &in); err != nil {
		return nil, err
	}
	if in.ApprovedBy == nil {
		return nil, s.unreadable(call, errors.New("approved_by is missing"))
	}
	if len(in.ApprovedBy) == 0 {
		return nil, nil
	}
	tips, err := c.gitlabTips(ctx, s, ref)
	if err != nil {
		return nil, err
	}
	var all []given
	for _, by := range in.ApprovedBy {
		if by.User == nil {
			continue
		}
		all = append(all, given{*by.User, change.MRApproval{
			User: by.User.Username, How: change.ByApproval, At: by.ApprovedAt, When: moment(m, by.ApprovedAt), Commit: tipAt(tips, by.ApprovedAt),
		}})
	}
	return all, nil
}

// gitlabTip is a commit that stood at the tip of a merge request, and since when.
type gitlabTip struct {
	Head    string    `json:"head_commit_sha"`
	Created time.Time `json:"created_at"`
}

// gitlabTips reads what was pushed when, the oldest first. GitLab keeps approvals
// when more is pushed, unless the project says otherwise, and does not say of what
// they were.
func (c *Client) gitlabTips(ctx context.Context, s *site, ref change.MergeRequestRef) ([]gitlabTip, error) {
	const call = "list versions"
	var all []gitlabTip
	whole, err := each(ctx, c, s, call, gitlabAddress(ref)+"/versions", nil, func(t gitlabTip) bool {
		all = append(all, t)
		return true
	})
	if err == nil && !whole {
		err = s.failed(call, change.Refused, "It has more versions than can be read.", nil)
	}
	slices.SortStableFunc(all, func(a, b gitlabTip) int { return a.Created.Compare(b.Created) })
	return all, err
}

// tipAt is the commit that stood at the tip at a time. It is not known where the
// time is not, unless there was never another.
func tipAt(tips []gitlabTip, at time.Time) string {
	if len(tips) == 0 || (at.IsZero() && len(tips) > 1) {
		return ""
	}
	head := tips[0].Head
	for _, t := range tips {
		if !t.Created.After(at) {
			head = t.Head
		}
	}
	return head
}

// gitlabNotes reads the notes written after merging whose first word says that
// somebody has looked: approvals are closed by then.
func (c *Client) gitlabNotes(ctx context.Context, s *site, ref change.MergeRequestRef, m change.MergeRequest) ([]given, error) {
	const call = "list notes"
	type note struct {
		ID      int         `json:"id"`
		Body    string      `json:"body"`
		Author  *gitlabUser `json:"author"`
		Created time.Time   `json:"created_at"`
		Updated time.Time   `json:"updated_at"`
		System  bool        `json:"system"` // written by GitLab, such as "approved this merge request"
	}
	var all []given
	known := map[int]bool{} // a note written meanwhile pushes others to the next page
	query := url.Values{"order_by": {"created_at"}, "sort": {"desc"}}
	whole, err := each(ctx, c, s, call, gitlabAddress(ref)+"/notes", query, func(n note) bool {
		if !n.Created.After(m.MergedAt) {
			return false
		}
		if n.System || n.Author == nil || known[n.ID] || !saysLookedAt(n.Body) {
			return true
		}
		known[n.ID] = true
		all = append(all, given{*n.Author, change.MRApproval{
			User: n.Author.Username, How: change.ByNote, At: n.Created, When: change.AfterMerge,
			Edited: n.Updated.Sub(n.Created) > time.Second, URL: ref.URL + "#note_" + strconv.Itoa(n.ID),
		}})
		return true
	})
	if err == nil && !whole {
		err = s.failed(call, change.Refused, "It has more notes than can be read.", nil)
	}
	return all, err
}

// saysLookedAt tells whether the first word of a note is Approved or Reviewed.
// A question is no approval.
func saysLookedAt(body string) bool {
	words := strings.Fields(body)
	if len(words) == 0 {
		return false
	}
	word := strings.TrimRight(strings.Trim(words[0], "*_"), ".,:;!")
	word = strings.TrimRight(word, "*_")
	return strings.EqualFold(word, "approved") || strings.EqualFold(word, "reviewed")
}

// gitlabAddress is where a merge request stands in the API.
func gitlabAddress(ref change.MergeRequestRef) string {
	return "/projects/" + url.PathEscape(ref.Project) + "/merge_requests/" + strconv.Itoa(ref.Number)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
