package forge

import (
	"context"
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The states of a review that are told apart. Any other, also a new one, takes
// an earlier approval back.
const (
	approved  = "APPROVED"
	commented = "COMMENTED"
	pending   = "PENDING"
)

// review is one review of a pull request.
type review struct {
	ID          int64       `json:"id"`
	User        *githubUser `json:"user"` // null when the account is gone
	State       string      `json:"state"`
	Commit      string      `json:"commit_id"`
	SubmittedAt time.Time   `json:"submitted_at"` // null while pending
}

// standing answers the approvals that stand: each person's last review that is
// more than a comment, where it is an approval. A dismissed one keeps its place
// in the list and changes its state, so it cancels whatever came before it.
// all is chronological; the answer is in the order of first appearance.
func standing(all []review) []review {
	var order []int64
	last := map[int64]review{}
	for _, r := range all {
		if r.User == nil || r.State == commented || r.State == pending {
			continue
		}
		if _, known := last[r.User.ID]; !known {
			order = append(order, r.User.ID)
		}
		last[r.User.ID] = r
	}
	var stand []review
	for _, id := range order {
		if last[id].State == approved {
			stand = append(stand, last[id])
		}
	}
	return stand
}

// githubReviews answers the approvals that stand. A merged pull request may
// still be approved.
func (c *Client) githubReviews(ctx context.Context, s *site, ref change.MergeRequestRef, m change.MergeRequest) ([]change.MRApproval, error) {
	const call = "list reviews"
	var all []review
	whole, err := each(ctx, c, s, call, githubAddress(ref)+"/reviews", nil, func(r review) bool {
		all = append(all, r)
		return true
	})
	if err == nil && !whole {
		err = s.failed(call, change.Refused, "It has more reviews than can be read.", nil)
	}
	if err != nil {
		return nil, err
	}
	approvals := []change.MRApproval{}
	for _, r := range standing(all) {
		approvals = append(approvals, change.MRApproval{
			User: r.User.Login, Bot: r.User.Type != "User", How: change.ByReview, At: r.SubmittedAt, When: moment(m, r.SubmittedAt),
			Commit: r.Commit, URL: ref.URL + "#pullrequestreview-" + strconv.FormatInt(r.ID, 10),
		})
	}
	return approvals, nil
}
