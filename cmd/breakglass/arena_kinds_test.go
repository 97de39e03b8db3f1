package main

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/gitlab"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// ofOtherKinds are players whose changes are made by merge requests: whoever is on call
// approves one with a witness, an incident is opened with one, and one is confidential.
func (a *arena) ofOtherKinds(incidents ...incidentio.Incident) []*player {
	all := a.players(3, incidents...)
	all[0].who, all[0].incident = sandbox.OnCall, all[1].incident
	all[0].role = role{story: (*player).witnessed, ends: change.Closed, tickets: 1}
	all[1].role = role{story: (*player).opens, ends: change.Closed, tickets: 1}
	all[2].role = role{story: (*player).hides, ends: change.Closed, tickets: 1}
	return all
}

// witnessed is on call, and approves a change of the configuration themselves.
func (p *player) witnessed(ctx context.Context) error {
	m, err := p.world.GitLab.Open(gitlab.MergeRequest{Project: settings, Title: "Turn the checkout flag off", Author: sandbox.OnCallLogin})
	if err != nil {
		return err
	}
	return steps(
		func() error {
			return p.askFor(ctx, "GitHub is unavailable and this must ship before it recovers", "Configuration or environment change",
				p.chosen(ctx, "Active incident", p.incident),
				p.chosen(ctx, "Criticality", "C2"),
				p.typed("How will it be rolled back?", "Turn it on again"),
				p.chosen(ctx, "Who is on the call with you?", sandbox.Colleague))
		},
		func() error {
			return p.press(ctx, sandbox.Colleague, "I was on the call", p.sees(ctx, "self_approved"))
		},
		func() error {
			return p.types(ctx, "link "+p.number+" "+p.world.MergeRequestURL(settings, m.IID), "merge_request_linked")
		},
		func() error { return p.press(ctx, p.who, "Finish", p.sees(ctx, "ended")) },
		func() error { return p.merged(ctx, settings, m.IID) },
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
	)
}

// opens has an incident opened with a deployment that is coordinated with whoever is on
// call, and ends with the merge.
func (p *player) opens(ctx context.Context) error {
	return steps(
		func() error {
			return p.askFor(ctx, "The platform cannot recover without manual intervention", "Fast-tracked deployment",
				p.chosen(ctx, "Active incident", "Open an incident"),
				p.typed("Name of the incident", "Orders are lost"),
				p.chosen(ctx, "Severity", "Critical"),
				p.typed("Merge request", p.world.MergeRequestURL(sandbox.AppProject, 1)),
				p.typed("Why can neither a configuration change nor a hot patch resolve it?", "The fix alters the schema"))
		},
		func() error { return p.press(ctx, sandbox.ReleaseManager, "Approve", p.sees(ctx, "approved")) },
		func() error { return p.merged(ctx, sandbox.AppProject, 1) },
		func() error { return p.until(ctx, "the merge ends it", p.sees(ctx, "ended")) },
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
	)
}

// hides makes a security release, which only its own people see.
func (p *player) hides(ctx context.Context) error {
	appsec := p.as(sandbox.AppSec)
	return steps(
		func() error {
			return p.askFor(ctx, "A critical vulnerability must be closed now", "Security release",
				p.typed("Merge request", p.world.MergeRequestURL(sandbox.Backports, 1)))
		},
		func() error { return p.press(ctx, sandbox.Maintainer, "Approve", p.sees(ctx, "approval_given")) },
		func() error { return p.press(ctx, sandbox.AppSec, "Approve", p.sees(ctx, "approved")) },
		func() error { return p.world.GitLab.Approve(sandbox.Backports, 1, sandbox.AppSecLogin) },
		func() error { return p.world.GitLab.Merge(sandbox.Backports, 1, "", sandbox.MaintainerLogin) },
		func() error { return p.until(ctx, "the merge ends it", p.sees(ctx, "ended")) },
		func() error {
			return p.deed(ctx, "confirm the review", sandbox.AppSec, func() error {
				appsec.clear(ctx)
				if _, err := appsec.hands().Command(ctx, sandbox.OtherChannel, "/emergency", "show "+p.number); err != nil {
					return err
				}
				told := p.world.Slack.Ephemerals(sandbox.AppSec)
				return steps(
					func() error { return appsec.hands().Click(ctx, told[len(told)-1], "Show") },
					func() error {
						return appsec.hands().Press(ctx, slack.Element{Block: "confirm-1", Action: "confirm_review"})
					},
					func() error { appsec.clear(ctx); return nil },
				)
			}, p.sees(ctx, "merge_request_confirmed"))
		},
		func() error {
			fill := []step{p.typed("What was done", "Both versions are out"), p.typed("Why", "The release process could not")}
			return p.inForm(ctx, "Write record", fill, p.sees(ctx, "record_written"))
		},
		func() error { return p.press(ctx, sandbox.CTO, "Sign off", p.sees(ctx, "signed_off")) },
		func() error {
			return p.inForm(ctx, "Write review", []step{
				p.typed("What would prevent the same situation", "Fuzzing the parser"),
				p.typed("Why is no action needed", "It is planned"),
				p.typed("Root-cause analysis", "A missing bound"),
			}, p.sees(ctx, "review_submitted"))
		},
		func() error { return p.closes(ctx) },
	)
}
