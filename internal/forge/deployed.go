package forge

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// mostDeployments bounds how many deployments since the merge are looked
// through for each environment, oldest first.
const mostDeployments = 20

type gitlabDeployment struct {
	ID          int       `json:"id"`
	SHA         string    `json:"sha"`
	Status      string    `json:"status"`
	Updated     time.Time `json:"updated_at"`
	Environment struct {
		Name string `json:"name"`
	} `json:"environment"`
	Job *struct {
		Finished time.Time `json:"finished_at"`
	} `json:"deployable"`
}

// Deployed answers, for each of the environments that it has reached, the
// first successful deployment since the merge that brought it there; none of
// them when it is not merged. GitLab only: for GitHub the outcome is Refused.
//
// A deployment brings a merge request when it deploys the very commit of the
// merge, or when GitLab counts it among those that the deployment shipped.
func (c *Client) Deployed(ctx context.Context, ref change.MergeRequestRef, environments ...string) ([]change.MRDeployment, error) {
	const call = "look at deployments"
	s, err := c.siteOf(call, ref)
	if err != nil {
		return nil, err
	}
	if ref.Forge != change.GitLab {
		return nil, s.failed(call, change.Refused, "Deployments are read on GitLab only.", nil)
	}
	seen := c.now()
	in, m, err := c.gitlabMergeRequest(ctx, s, ref)
	if err != nil || m.State != change.MRMerged {
		return nil, err
	}
	var all []change.MRDeployment
	for _, environment := range environments {
		d, err := c.firstWith(ctx, s, m, in.ProjectID, environment)
		if err != nil {
			return nil, err
		}
		if d != nil {
			d.SeenAt = seen
			all = append(all, *d)
		}
	}
	return all, nil
}

// firstWith answers the first deployment to an environment that holds a merge
// request, or nil.
func (c *Client) firstWith(ctx context.Context, s *site, m change.MergeRequest, project int, environment string) (*change.MRDeployment, error) {
	const call = "list deployments"
	path := "/projects/" + url.PathEscape(m.Ref.Project) + "/deployments"
	var all []gitlabDeployment
	_, err := c.get(ctx, s, call, path, url.Values{
		"environment": {environment}, "status": {"success"}, "per_page": {strconv.Itoa(mostDeployments)},
		"updated_after": {m.MergedAt.UTC().Format(time.RFC3339)}, "order_by": {"updated_at"}, "sort": {"asc"},
	}, &all)
	if err != nil {
		return nil, err
	}
	if all == nil {
		return nil, s.unreadable(call, errors.New("null instead of a list"))
	}
	for _, d := range all {
		if d.Status != "success" || d.Environment.Name != environment {
			continue // an older version that does not know one of the filters
		}
		shipped := d.SHA == m.MergedCommit
		if !shipped {
			if shipped, err = c.shippedWith(ctx, s, path, d.ID, m.Ref.Number, project); err != nil {
				return nil, err
			}
		}
		if shipped {
			at := d.Updated
			if d.Job != nil && !d.Job.Finished.IsZero() {
				at = d.Job.Finished
			}
			return &change.MRDeployment{ID: d.ID, Environment: environment, Commit: d.SHA, At: at}, nil
		}
	}
	return nil, nil
}

// shippedWith tells whether GitLab counts a merge request among those of a
// deployment.
func (c *Client) shippedWith(ctx context.Context, s *site, path string, deployment, number, project int) (bool, error) {
	type shipped struct {
		IID       int `json:"iid"`
		ProjectID int `json:"project_id"`
	}
	found := false
	_, err := each(ctx, c, s, "list merge requests of a deployment", path+"/"+strconv.Itoa(deployment)+"/merge_requests", nil, func(in shipped) bool {
		found = in.IID == number && in.ProjectID == project
		return !found
	})
	return found, err
}
