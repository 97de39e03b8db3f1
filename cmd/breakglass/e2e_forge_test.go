package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/github"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// fastTrack fills the form in for a fast-tracked deployment of a merge request.
func (a act) fastTrack(ctx context.Context, who, address string) error {
	p := a.person(who)
	if _, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", ""); err != nil {
		return err
	}
	return steps(
		func() error {
			return p.Select(ctx, "Why can't the release process be used?", "GitHub is unavailable and this must ship before it recovers")
		},
		func() error { return p.Select(ctx, "Kind of change", "Fast-tracked deployment") },
		func() error { return p.Type(ctx, "What will you change?", "Ship the fix of the message queue now") },
		func() error { return p.Type(ctx, "Why is it needed now?", "Orders are lost") },
		func() error { return p.Type(ctx, "Merge request", address) },
		func() error {
			return p.Type(ctx, "Why can neither a configuration change nor a hot patch resolve it?", "The fix alters the schema")
		},
		func() error { return p.Submit(ctx) },
	)
}

// pressInThread clicks the newest button of that name below the card.
func (a act) pressInThread(ctx context.Context, who, button string) error {
	var found *slack.Message
	err := a.until(ctx, "the thread has a button "+button, func() bool {
		c := a.card()
		if c == nil {
			return false
		}
		for _, m := range a.world.Slack.Thread(c.Channel, c.TS) {
			if strings.Contains(a.world.Slack.RenderMessage(who, m), "[ "+button+" ]") {
				found = &m
			}
		}
		return found != nil
	})
	if err != nil {
		return err
	}
	return a.person(who).Click(ctx, *found, button)
}

func TestAFastTrackedDeploymentFromTheFormToTheEnd(t *testing.T) {
	t.Parallel()
	ctx, a := open(t, stageOptions{})
	a.world.GitHub.Break("Actions do not start", github.MajorOutage, github.Actions)
	err := a.fastTrack(ctx, sandbox.Engineer, a.world.MergeRequestURL(sandbox.AppProject, 2))
	if refused, ok := errors.AsType[*slack.FormError](err); !ok || !strings.Contains(refused.ByLabel["Merge request"], "Pick into auto-deploy") {
		t.Fatalf("without its labels, it was taken: %v", err)
	}
	must(t,
		func() error { return a.person(sandbox.Engineer).CloseView(ctx) },
		func() error {
			return a.fastTrack(ctx, sandbox.Engineer, a.world.MergeRequestURL(sandbox.AppProject, 1))
		},
		func() error {
			return a.until(ctx, "the card says what GitHub said", func() bool { return a.saysOnCard("actions: major outage") && a.saysOnCard("platform/queue!1") })
		},
		func() error { return a.press(ctx, sandbox.ReleaseManager, "Approve") },
		func() error { return a.until(ctx, "it is active", func() bool { return a.saysOnCard("active") }) },
		func() error { return a.world.GitLab.Merge(sandbox.AppProject, 1, "c0ffee", sandbox.EngineerLogin) },
		func() error {
			return a.elapse(ctx, "the merge ends it", 20*time.Second, func() bool { return a.saysInThread("ended: every merge request is merged") })
		},
		func() error {
			_, err := a.world.GitLab.Note(sandbox.AppProject, 1, sandbox.ColleagueLogin, "Reviewed after the fact, all well")
			return err
		},
		// Nobody has told the configuration who the engineer is on GitLab.
		func() error { return a.pressInThread(ctx, sandbox.Colleague, "Confirm review") },
		func() error {
			return a.elapse(ctx, "it is reviewed", time.Minute, func() bool { return a.saysInThread("the independent review is done, by colleague on gitlab") })
		},
		func() error { return a.writeRecord(ctx, sandbox.Engineer) },
		func() error { return a.press(ctx, sandbox.CTO, "Sign off") },
		func() error { return a.writeReview(ctx, sandbox.Engineer) },
	)
	closed(ctx, t, a)
	for _, want := range []string{"platform/queue", "c0ffee", "Approved by another person: colleague", "Actions: major outage"} {
		if !a.ticketSays(want) {
			t.Errorf("the ticket does not say %q", want)
		}
	}
	settled(ctx, t, a, 0)
}

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
