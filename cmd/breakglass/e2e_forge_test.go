package main

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
)

func TestAPullRequestEndsAChangeToo(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	must(t,
		func() error { return a.fastTrack(ctx, sandbox.CTO, a.world.PullRequestURL(sandbox.Repository, 1)) },
		func() error { return a.press(ctx, sandbox.ReleaseManager, "Approve") },
		func() error {
			_, err := a.world.Pulls.Review(sandbox.Repository, 1, sandbox.OnCallLogin, github.Approved)
			return err
		},
		func() error { return a.world.Pulls.Merge(sandbox.Repository, 1, "", sandbox.EngineerLogin) },
		func() error {
			return a.elapse(ctx, "the merge ends it", 20*time.Second, func() bool { return a.saysInThread("ended: every merge request is merged") })
		},
		func() error {
			return a.until(ctx, "the review counts", func() bool { return a.saysInThread("the independent review is done, by on-call on github") })
		},
	)
	settled(ctx, t, a, 0)
}
