package main

import (
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

func TestAMaintainerWhoIsAReleaseManagerIsNotAskedAboutASecurityRelease(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{example: func(cfg []byte) []byte {
		return instead(cfg, "{members: [U0MAINT1, U0MAINT2]}", "{members: [U0MAINT1, U0MAINT2, "+sandbox.ReleaseManager+"]}")
	}})
	must(t,
		func() error { return a.askSecurityRelease(ctx, sandbox.Engineer) },
		func() error {
			return a.until(ctx, "its approvers are asked", func() bool {
				return a.dm(sandbox.AppSec, "Approve") != nil && a.dm(sandbox.Maintainer, "Approve") != nil && a.dm("U0MAINT2", "Approve") != nil
			})
		},
	)
	if a.dm(sandbox.ReleaseManager, "Approve") != nil {
		t.Error("a maintainer who is a release manager was asked")
	}
	settled(ctx, t, a, 0)
}

func TestASecurityReleaseNeedsItsMergeRequests(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	p := a.person(sandbox.Engineer)
	must(t, func() error {
		return a.begin(ctx, sandbox.Engineer, "A critical vulnerability must be closed now", "Security release", "Release 1.2.3 against the "+hole)
	})
	if said := complaint(p.Submit(ctx), "Merge request"); said == "" {
		t.Error("it was taken without a merge request")
	}
	must(t, func() error {
		return p.Type(ctx, "Merge request", a.world.MergeRequestURL(sandbox.Backports, 1)+"\n"+a.world.MergeRequestURL(sandbox.Backports, 9))
	})
	if said := complaint(p.Submit(ctx), "Merge request"); !strings.Contains(said, "queue-secure!9") {
		t.Errorf("with one that is not there, it says %q", said)
	}
	if a.card() != nil {
		t.Error("something was posted although the form was not taken")
	}
	settled(ctx, t, a, 0)
}
