package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// securityRelease is confidential: to everybody but its own people it is a number.
func securityRelease() story {
	return story{
		kind: "security-release",
		says: "confidential: two approvals, a merge request for each version, a number to everybody else, a root-cause analysis",
		chapters: []chapter{
			{"A vulnerability must be closed, in two versions", releaseAsked},
			{"AppSec and a maintainer approve", releaseApproved},
			{"What somebody else sees of it", releaseHidden},
			{"Both are reviewed and merged, and that ends it", releaseMerged},
			{"The record is written and signed off", releaseRecorded},
			{"The review asks for the root cause, and the end", releaseClosed},
		},
	}
}

// hole is what the security release is about: nobody outside may read it.
const hole = "heap overflow in the header parser"

// askSecurityRelease fills the form in for a release of two versions, and submits
// it.
func (a act) askSecurityRelease(ctx context.Context, who string) error {
	p := a.person(who)
	return a.begin(ctx, who, "A critical vulnerability must be closed now", "Security release", "Release 1.2.3 and 1.1.9 against the "+hole,
		func() error {
			return p.Type(ctx, "Merge request", a.world.MergeRequestURL(sandbox.Backports, 1)+"\n"+a.world.MergeRequestURL(sandbox.Backports, 2))
		},
		func() error { return p.Submit(ctx) })
}

func releaseAsked(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.askSecurityRelease(ctx, sandbox.Engineer) },
		func() error {
			return a.until(ctx, "its approvers are asked", func() bool {
				return a.dm(sandbox.AppSec, "Approve") != nil && a.dm(sandbox.Maintainer, "Approve") != nil && a.card() != nil
			})
		},
		func() error {
			return a.until(ctx, "the requester has the card", func() bool { return a.dm(sandbox.Engineer, "Withdraw") != nil })
		},
	)
	n.keep("AppSec and the maintainers are asked directly, and see both merge requests", err == nil && a.says(sandbox.AppSec, "queue-secure!1") && a.says(sandbox.AppSec, "queue-secure!2"))
	return err
}

func releaseApproved(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.press(ctx, sandbox.Maintainer, "Approve") },
		func() error {
			return a.until(ctx, "one approval is there", func() bool { return a.says(sandbox.AppSec, "Approved by") })
		},
	)
	n.keep("one approval is not enough", err == nil && a.dm(sandbox.Engineer, "Finish") == nil)
	if err != nil {
		return err
	}
	err = steps(
		func() error { return a.press(ctx, sandbox.AppSec, "Approve") },
		func() error {
			return a.until(ctx, "it is active", func() bool { return a.dm(sandbox.Engineer, "Finish") != nil })
		},
	)
	n.keep("two approvals of two people of the two groups are", err == nil)
	return err
}

func releaseHidden(ctx context.Context, a act, n *narrator) error {
	seen, err := a.outside(ctx, sandbox.Colleague)
	if err != nil {
		return err
	}
	n.keep("somebody else sees its number in the channel", strings.Contains(seen, "EC-1"))
	leaked := releaseTexts(seen)
	n.keep("and no more, in the channel, at home, with list or with show", len(leaked) == 0)
	if len(leaked) > 0 {
		n.say("They could read %q.", leaked)
	}
	return a.toldPrivately(ctx, sandbox.Colleague, "only its own people see it")
}

// outside is all that somebody who is not of the circle can get onto their
// screen, as it comes over the wire.
func (a act) outside(ctx context.Context, who string) (string, error) {
	p := a.person(who)
	err := steps(
		func() error { return p.OpenHome(ctx) },
		func() error {
			return a.until(ctx, "the home tab is there", func() bool { s, _ := a.world.Slack.Screen(who); return s.Home != nil })
		},
		func() error { _, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", "list"); return err },
		func() error { _, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", "show EC-1"); return err },
		func() error { return p.Click(ctx, *a.card(), "Show") },
	)
	if err != nil {
		return "", err
	}
	screen, _ := a.world.Slack.Screen(who)
	raw, err := json.Marshal(screen)
	return string(raw), err
}

// releaseTexts lists what of the security release stands in a text.
func releaseTexts(seen string) (found []string) {
	for _, secret := range []string{hole, "1.2.3", "Security release", "queue-secure", "Restarted the queue", "missing bound"} {
		if strings.Contains(seen, secret) {
			found = append(found, secret)
		}
	}
	return found
}

// seesMerged tells whether somebody has been told that a version is merged.
func (a act) seesMerged(who string, version int) bool {
	for _, m := range a.world.Slack.DMs(who) {
		for line := range strings.Lines(a.world.Slack.RenderMessage(who, m)) {
			if strings.Contains(line, fmt.Sprintf("queue-secure!%d", version)) && strings.Contains(line, ", merged ") {
				return true
			}
		}
	}
	return false
}

func releaseMerged(ctx context.Context, a act, n *narrator) error {
	merge := func(version int) error {
		return steps(
			func() error { return a.world.GitLab.Approve(sandbox.Backports, version, sandbox.AppSecLogin) },
			func() error { return a.world.GitLab.Merge(sandbox.Backports, version, "", sandbox.MaintainerLogin) },
			func() error {
				return a.elapse(ctx, "the merge is seen", 20*time.Second, func() bool { return a.seesMerged(sandbox.Engineer, version) })
			},
		)
	}
	const ended = "It has ended: every merge request is merged."
	err := merge(1)
	n.keep("the merge of one of the two does not end it", err == nil && !a.says(sandbox.Engineer, ended))
	if err != nil {
		return err
	}
	err = steps(
		func() error { return merge(2) },
		func() error {
			return a.until(ctx, "the merges end it", func() bool { return a.says(sandbox.Engineer, ended) })
		},
	)
	n.keep("the merge of both ends it", err == nil)
	if err != nil {
		return err
	}
	// The example does not say who the engineer is on GitLab.
	appsec := a.person(sandbox.AppSec)
	err = steps(
		func() error { return appsec.Click(ctx, *a.card(), "Show") },
		func() error {
			return appsec.Press(ctx, slack.Element{Block: "confirm-1", Action: "confirm_review"})
		},
		func() error {
			return appsec.Press(ctx, slack.Element{Block: "confirm-2", Action: "confirm_review"})
		},
		func() error { return appsec.CloseView(ctx) },
	)
	n.keep("somebody of the circle confirms the review of each version", err == nil)
	return err
}

func releaseRecorded(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.press(ctx, sandbox.CTO, "Sign off") },
	)
	n.keep("its ticket is a stub, since Jira has no security level for it", err == nil && len(a.world.Jira.Issues()) == 1 && !a.ticketSays(hole) && a.ticketSays("EC-1, a confidential change"))
	return err
}

func releaseClosed(ctx context.Context, a act, n *narrator) error {
	p := a.person(sandbox.Engineer)
	err := steps(
		func() error { return a.press(ctx, sandbox.Engineer, "Write review") },
		func() error { return p.Type(ctx, "What would prevent the same situation", "Fuzzing the parser") },
		func() error { return p.Type(ctx, "Why is no action needed", "It is planned") },
	)
	if err != nil {
		return err
	}
	said := complaint(p.Submit(ctx), "Root-cause analysis")
	n.say("At Root-cause analysis: %s", said)
	n.keep("the review is not taken without its root cause", said != "")
	err = steps(
		func() error { return p.Type(ctx, "Root-cause analysis", "The "+hole+" was a missing bound") },
		func() error { return p.Submit(ctx) },
		func() error {
			return a.elapse(ctx, "the change is closed", 30*time.Second, func() bool { return a.says(sandbox.Engineer, "closed") })
		},
	)
	n.keep("the change closes by itself when nothing is owed", err == nil)
	if err != nil {
		return err
	}
	for _, who := range []string{sandbox.Colleague, sandbox.ReleaseManager, sandbox.OnCall} {
		seen, err := a.outside(ctx, who)
		if err != nil {
			return err
		}
		n.keep("to the end it is a number to "+name(a.world, who), strings.Contains(seen, "EC-1") && len(releaseTexts(seen)) == 0)
	}
	return nil
}
