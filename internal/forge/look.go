package forge

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// longestTitle bounds a title, in characters.
const longestTitle = 300

// Look reads a merge request as it is now. The outcome of an error is Missing
// when there is none, or none that the token may see, and Refused when the
// reference is not on a configured forge; on any other, nothing is known and
// it is worth looking again.
//
// Commits come last, so that whoever pushed before somebody approved is among
// the committers.
func (c *Client) Look(ctx context.Context, ref change.MergeRequestRef) (change.MergeRequest, error) {
	s, err := c.siteOf("look at merge request", ref)
	if err != nil {
		return change.MergeRequest{}, err
	}
	if ref.Forge == change.GitLab {
		return c.lookAtGitLab(ctx, s, ref)
	}
	return c.lookAtGitHub(ctx, s, ref)
}

// moment places a time before or after the merge; it is unknown for a merged
// one when the time is.
func moment(m change.MergeRequest, at time.Time) change.MRMoment {
	switch {
	case m.State != change.MRMerged:
		return change.BeforeMerge
	case at.IsZero() || m.MergedAt.IsZero():
		return ""
	case at.After(m.MergedAt):
		return change.AfterMerge
	}
	return change.BeforeMerge
}

// committers gathers whose work a merge request holds, each once.
type committers struct {
	all  []change.MRCommitter
	seen map[change.MRCommitter]bool
}

// add takes somebody by user name or, where that is empty, by e-mail.
func (c *committers) add(user, email string) {
	who := change.MRCommitter{User: user}
	if user == "" {
		who.Email = strings.ToLower(strings.TrimSpace(email))
	}
	key := change.MRCommitter{User: strings.ToLower(who.User), Email: who.Email}
	if (who.User == "" && who.Email == "") || c.seen[key] {
		return
	}
	if c.seen == nil {
		c.seen = map[change.MRCommitter]bool{}
	}
	c.seen[key] = true
	c.all = append(c.all, who)
}

// list answers them, never nil.
func (c *committers) list() []change.MRCommitter { return append([]change.MRCommitter{}, c.all...) }

// labels answers names in order, never nil.
func labels(names []string) []string {
	sorted := append([]string{}, names...)
	slices.Sort(sorted)
	return sorted
}
