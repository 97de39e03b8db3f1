package main

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// eventful are players to whom happens what most changes are spared: one is answered
// late, gets less time, then more, and is ended by the CTO; one is answered by nobody;
// one thinks better of it; one links everything, and is waived the review.
func (a *arena) eventful(incidents ...incidentio.Incident) []*player {
	all := a.players(4)
	all[0].long, all[0].clicks = "2h", true
	all[0].role.story = (*player).moreTime
	all[1].role = role{story: (*player).lapses, ends: change.Lapsed, maybe: 1}
	all[2].role = role{story: (*player).thinksBetter, ends: change.Withdrawn, maybe: 1}
	all[3].known, all[3].clicks = a.world.Jira.AddIssue(jira.Issue{Project: "OPS", Summary: "The queue is slow"}), true
	all[3].role = role{ends: change.Closed, creates: 1, tickets: 1, story: func(p *player, ctx context.Context) error {
		return p.links(ctx, incidents[0].Reference())
	}}
	return all
}

// moreTime is answered when the deputies have been asked too, gets less time than it
// asked for, then more, and is ended by the CTO.
func (p *player) moreTime(ctx context.Context) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error {
			return p.until(ctx, "a deputy is asked too", func() bool { return p.dm(sandbox.Deputy, "Approve") != nil })
		},
		func() error {
			cto := p.as(sandbox.CTO)
			return cto.inForm(ctx, "Change duration", []step{cto.chosen(ctx, "For how long", "1h")}, p.sees(ctx, "duration_changed"))
		},
		func() error { return p.approved(ctx) },
		func() error { return p.types(ctx, "extend "+p.number+" 30m It takes longer", "extension_asked") },
		func() error {
			ask := func() *slack.Message {
				return p.seen.find(p.number, p.world.Slack.DMChannel(sandbox.CTO), " asks for 30m more")
			}
			return p.pressOn(ctx, ask, sandbox.CTO, "Approve", p.sees(ctx, "extension_approved"))
		},
		func() error {
			return p.press(ctx, sandbox.CTO, "End now", func() bool { return p.says("the access is gone") })
		},
		func() error { return p.forget(ctx) },
		func() error { return p.press(ctx, p.who, "Remind me later", p.sees(ctx, "snoozed")) },
		func() error { return p.record(ctx) },
		func() error { return p.drafts(ctx) },
		func() error { return p.review(ctx) },
	)
}

// drafts begins the review, and keeps what it has.
func (p *player) drafts(ctx context.Context) error {
	return p.deed(ctx, "save a draft", p.who, func() error {
		p.clear(ctx)
		return steps(
			func() error { return p.hands().Click(ctx, *p.dm(p.who, "Write review"), "Write review") },
			p.typed("What would prevent the same situation", "A restart job"),
			func() error { return p.hands().ClickInView(ctx, "Save draft") },
			func() error { p.clear(ctx); return nil },
		)
	}, p.sees(ctx, "review_drafted"))
}

// lapses is answered by nobody.
func (p *player) lapses(ctx context.Context) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.until(ctx, "it lapses", p.sees(ctx, "lapsed")) },
	)
}

// thinksBetter takes the request back before anybody has decided.
func (p *player) thinksBetter(ctx context.Context) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.types(ctx, "withdraw "+p.number, "withdrawn") },
	)
}

// links names a ticket that is there in the request, links an incident and a merge
// request, and is waived the review.
func (p *player) links(ctx context.Context, incident string) error {
	return steps(
		func() error {
			return p.ask(ctx, p.chosen(ctx, "Record", "Link an existing ticket"), p.typed("Ticket", p.known))
		},
		func() error { return p.approved(ctx) },
		func() error { return p.types(ctx, "link "+p.number+" "+incident, "incident_linked") },
		func() error {
			return p.types(ctx, "link "+p.number+" "+p.world.MergeRequestURL(sandbox.AppProject, 1), "merge_request_linked")
		},
		func() error { return p.finish(ctx) },
		func() error { return p.forget(ctx) },
		func() error { return p.waived(ctx, "Post-incident review") },
		func() error { return p.record(ctx) },
		func() error { return p.merged(ctx, sandbox.AppProject, 1) },
		func() error { return p.closes(ctx) },
	)
}

// merged has a merge request that is linked approved and merged, and confirmed by whoever
// approved it: the example does not say who the engineers are on GitLab.
func (p *player) merged(ctx context.Context, project string, number int) error {
	return steps(
		func() error { return p.world.GitLab.Approve(project, number, sandbox.ColleagueLogin) },
		func() error { return p.world.GitLab.Merge(project, number, "c0ffee", sandbox.ColleagueLogin) },
		func() error {
			return p.pressInChannel(ctx, sandbox.Colleague, "Confirm review", p.sees(ctx, "merge_request_confirmed"))
		},
	)
}

// closes waits until the change is closed.
func (p *player) closes(ctx context.Context) error {
	return p.until(ctx, "it is closed", func() bool { return p.isClosed(ctx) })
}

// waived lets a deputy waive what is owed.
func (p *player) waived(ctx context.Context, what string) error {
	deputy := p.as(sandbox.Deputy)
	return deputy.form(ctx, "waive", func() error {
		if _, err := deputy.hands().Command(ctx, sandbox.OtherChannel, "/emergency", "show "+p.number); err != nil {
			return err
		}
		told := p.world.Slack.Ephemerals(deputy.who)
		return deputy.hands().Click(ctx, told[len(told)-1], "Waive")
	}, []step{deputy.chosen(ctx, "What is waived", what), deputy.typed("Why?", "It was a drill")}, p.sees(ctx, "waived"))
}
