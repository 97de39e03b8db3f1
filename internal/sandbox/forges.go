package sandbox

import (
	"errors"
	"fmt"

	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
)

// Who people are on GitLab and on GitHub. Of these the example configuration
// knows the CTO's only.
const (
	EngineerLogin  = "engineer"
	ColleagueLogin = "colleague"
	CTOLogin       = "the-cto"
	OnCallLogin    = "on-call"
	BotLogin       = "dependency-bot" // a bot on both
)

// The merge requests and the pull request that there are from the start.
const (
	AppProject = "platform/queue"        // on GitLab: !1 and !2, fast-tracked and for good
	HotPatches = "platform/patcher"      // on GitLab: !1
	Backports  = "platform/queue-secure" // on GitLab: !1 and !2, one for each version
	Repository = "platform/queue"        // on GitHub: #1
)

// MergeRequestURL is the address of a merge request on this world's GitLab.
func (w *World) MergeRequestURL(project string, iid int) string {
	return fmt.Sprintf("%s/%s/-/merge_requests/%d", w.urls.gitlab, project, iid)
}

// PullRequestURL is the address of a pull request on this world's GitHub.
func (w *World) PullRequestURL(repository string, number int) string {
	return fmt.Sprintf("%s/%s/pull/%d", w.urls.pulls, repository, number)
}

// forges puts people, merge requests and a pull request onto GitLab and GitHub.
func (w *World) forges() error {
	for _, login := range []string{EngineerLogin, ColleagueLogin, CTOLogin, "deputy", OnCallLogin, "release-manager", "appsec", "maintainer-1", "maintainer-2", "contractor"} {
		w.GitLab.AddUser(gitlab.User{Username: login})
		w.Pulls.AddUser(github.User{Login: login})
	}
	w.GitLab.AddUser(gitlab.User{Username: BotLogin, Bot: true})
	w.Pulls.AddUser(github.User{Login: BotLogin, Type: "Bot"})
	var all error
	for _, m := range []gitlab.MergeRequest{
		{Project: AppProject, Title: "Acknowledge a message only after it was handled", Author: EngineerLogin, Labels: []string{"Pick into auto-deploy", "severity::1"}},
		{Project: AppProject, Title: "Bound how much one consumer may take", Author: EngineerLogin},
		{Project: HotPatches, Title: "Patch: let consumers take ten messages at most", Author: EngineerLogin},
		{Project: Backports, Title: "Check the signature before the header is read", Author: EngineerLogin},
		{Project: Backports, Title: "Check the signature before the header is read (previous version)", Author: EngineerLogin},
	} {
		_, err := w.GitLab.Open(m)
		all = errors.Join(all, err)
	}
	_, err := w.Pulls.Open(github.Pull{Repository: Repository, Title: "Restart a stuck consumer by itself", Author: EngineerLogin, Labels: []string{"Pick into auto-deploy", "severity::2"}})
	return errors.Join(all, err)
}
