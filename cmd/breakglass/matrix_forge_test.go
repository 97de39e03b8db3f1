package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// ship has the change merged and then deployed, which ends it. The merge alone does
// not, whatever cannot be looked up meanwhile.
func (p *tale) ship() error {
	app := change.MergeRequestRef{Forge: change.GitLab, Project: sandbox.AppProject, Number: 1, URL: p.world.MergeRequestURL(sandbox.AppProject, 1)}
	if err := p.doing(change.LinkMergeRequest{Ref: app}); err != nil {
		return err
	}
	err := errors.Join(
		p.world.GitLab.Approve(app.Project, app.Number, sandbox.ColleagueLogin),
		p.world.GitLab.Merge(app.Project, app.Number, strings.Repeat("a", 40), sandbox.ColleagueLogin))
	if err != nil {
		return err
	}
	err = p.sees("the merge is known", func(c *change.Change) bool {
		m := c.MergeRequest(1)
		return m.Seen != nil && m.Seen.State == change.MRMerged
	})
	if err != nil {
		return err
	}
	if c, err := p.change(); err != nil || c.Phase != change.Active || c.MergeRequest(1).Deployed != nil {
		return errors.Join(err, fmt.Errorf("nothing is deployed, and it is %s", c.Phase))
	}
	if _, err := p.world.GitLab.Deploy(app.Project, "production", "success", ""); err != nil {
		return err
	}
	err = p.sees("it has ended, for it is deployed", func(c *change.Change) bool {
		return c.Phase == change.Ended && c.MergeRequest(1).Deployed != nil
	})
	if err == nil && p.cell.lasts == outage && !p.healed && slices.Contains(deploymentCalls(), p.cell.call) {
		return errors.New("it has ended while nobody could tell whether it is deployed")
	}
	return err
}

// deploymentCalls are those without which it is not known what is deployed.
func deploymentCalls() []string {
	return []string{"list deployments", "list merge requests of a deployment"}
}

func (p *tale) mergeRequests() error {
	if _, err := p.world.Pulls.Review(sandbox.Repository, 1, sandbox.ColleagueLogin, "APPROVED"); err != nil {
		return err
	}
	pull := change.MergeRequestRef{Forge: change.GitHub, Project: sandbox.Repository, Number: 1, URL: p.world.PullRequestURL(sandbox.Repository, 1)}
	if err := p.doing(change.LinkMergeRequest{Ref: pull}); err != nil {
		return err
	}
	return p.confirm(2)
}

func (p *tale) independentReview() error { return p.confirm(1) }

// confirm lets a colleague say that they reviewed so many merge requests.
func (p *tale) confirm(items int) error {
	for item := 1; item <= items; item++ {
		if err := p.say(change.ConfirmMergeRequest{Item: item}, sandbox.Colleague); err != nil {
			return err
		}
	}
	return p.sees("the independent review is known", func(c *change.Change) bool {
		o := c.Owes(change.OweIndependentReview, 0)
		return o != nil && o.State == change.Done
	})
}
