package main

import (
	"context"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
)

// fastTrackDeployment needs its labels, is approved by a release manager together
// with whoever is on call, and is reviewed after its merge.
func fastTrackDeployment() story {
	return story{
		kind: "fast-track-deployment",
		says: "refused without its labels; approved by a release manager with whoever is on call, ended by its merge, reviewed afterwards",
		chapters: []chapter{
			{"GitHub is down, and a merge request without its labels is refused", trackRefused},
			{"With its labels it is taken, and the person on call coordinates it", trackAsked},
			{"A release manager approves, and the merge ends it", trackMerged},
			{"Somebody else reviews it, after the fact", trackReviewed},
			{"The record is written and signed off; the review, and the end", trackClosed},
		},
	}
}

// fastTrack fills the form in for a fast-tracked deployment of a merge request,
// and submits it.
func (a act) fastTrack(ctx context.Context, who, address string) error {
	p := a.person(who)
	return a.begin(ctx, who, "GitHub is unavailable and this must ship before it recovers", "Fast-tracked deployment", "Ship the fix of the message queue now",
		func() error { return p.Type(ctx, "Merge request", address) },
		func() error {
			return p.Type(ctx, "Why can neither a configuration change nor a hot patch resolve it?", "The fix alters the schema")
		},
		func() error { return p.Submit(ctx) })
}

func trackRefused(ctx context.Context, a act, n *narrator) error {
	a.world.GitHub.Break("Actions do not start", github.MajorOutage, github.Actions)
	said := complaint(a.fastTrack(ctx, sandbox.Engineer, a.world.MergeRequestURL(sandbox.AppProject, 2)), "Merge request")
	n.say("At Merge request: %s", said)
	n.keep("a merge request without the labels is refused, and the lacking ones are named", strings.Contains(said, "Pick into auto-deploy"))
	return a.person(sandbox.Engineer).CloseView(ctx)
}

func trackAsked(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error {
			return a.fastTrack(ctx, sandbox.Engineer, a.world.MergeRequestURL(sandbox.AppProject, 1))
		},
		func() error {
			return a.until(ctx, "the card says what GitHub said", func() bool { return a.saysOnCard("actions: major outage") && a.saysOnCard("platform/queue!1") })
		},
	)
	n.keep("what GitHub's status page said is kept with it", err == nil)
	if err != nil {
		return err
	}
	err = a.until(ctx, "the person on call is told", func() bool {
		return a.says(sandbox.OnCall, "You coordinate this with") && a.saysOnCard("coordinated with")
	})
	n.keep("the person on call is named on the card, and told, as coordinator", err == nil)
	n.keep("the person on call is not asked to approve", a.dm(sandbox.OnCall, "Approve") == nil)
	return err
}

func trackMerged(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.press(ctx, sandbox.ReleaseManager, "Approve") },
		func() error { return a.until(ctx, "it is active", func() bool { return a.saysOnCard("active from") }) },
		func() error { return a.world.GitLab.Merge(sandbox.AppProject, 1, "c0ffee", sandbox.EngineerLogin) },
		func() error {
			return a.elapse(ctx, "the merge ends it", 20*time.Second, func() bool { return a.saysInThread("ended: every merge request is merged") })
		},
	)
	n.keep("its merge ends it", err == nil)
	return err
}

func trackReviewed(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error {
			_, err := a.world.GitLab.Note(sandbox.AppProject, 1, sandbox.ColleagueLogin, "Reviewed after the fact, all well")
			return err
		},
		// The example does not say who the engineer is on GitLab.
		func() error { return a.pressInThread(ctx, sandbox.Colleague, "Confirm review") },
		func() error {
			return a.elapse(ctx, "it is reviewed", time.Minute, func() bool { return a.saysInThread("the independent review is done, by colleague on gitlab") })
		},
	)
	n.keep("after merging, a note of somebody else that begins with Reviewed counts", err == nil)
	return err
}

func trackClosed(ctx context.Context, a act, n *narrator) error {
	err := steps(
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.press(ctx, sandbox.CTO, "Sign off") },
	)
	if err != nil {
		return err
	}
	err = a.elapse(ctx, "the ticket tells it all", 20*time.Second, func() bool {
		for _, want := range []string{"platform/queue", "c0ffee", "Approved by another person: colleague", "Actions: major outage", "The fix alters the schema"} {
			if !a.ticketSays(want) {
				return false
			}
		}
		return true
	})
	n.keep("the ticket tells what was merged, who reviewed it, the answer, and what GitHub said", err == nil)
	if err != nil {
		return err
	}
	return reviewedAndClosed(sandbox.Engineer, 2)(ctx, a, n)
}
