package main

import (
	"context"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// forsaken are players whom people and systems leave: one is nobody whom AWS knows, and
// names a merge request that is not there; the incidents of two are merged into another
// and cancelled; one leaves with a record to write; and the channel of the last is
// archived. The CTO's notifications are paused all the while.
func (a *arena) forsaken(incidents ...incidentio.Incident) []*player {
	a.world.Slack.Snooze(sandbox.CTO, a.now().AddDate(1, 0, 0))
	more := a.world.IncidentIO.Open(incidentio.Incident{Name: "Mail is late"}, incidentio.Incident{Name: "Nothing is wrong"})
	all := a.players(5)
	line := func(i incidentio.Incident) string { return i.Reference() + " " + i.Name + " (Investigating)" }
	all[0].role = role{story: (*player).unknown, ends: change.Withdrawn, maybe: 1}
	all[1].incident = line(more[0])
	all[1].role = role{ends: change.Closed, creates: 1, tickets: 1, story: func(p *player, ctx context.Context) error {
		return p.during(ctx, func() error { return p.world.IncidentIO.Merge(more[0].ID, incidents[0].ID) })
	}}
	all[2].incident = line(more[1])
	all[2].role = role{ends: change.Closed, creates: 1, tickets: 2, story: func(p *player, ctx context.Context) error {
		return p.during(ctx, func() error {
			p.incident, p.clicks = "", true // the record moves to Jira
			return p.world.IncidentIO.SetStatus(more[1].ID, "Canceled")
		})
	}}
	all[3].role.story = (*player).leaves
	all[4].role = role{ends: change.Withdrawn, maybe: 1, story: func(p *player, ctx context.Context) error { return p.unheard(ctx, all[1:4]) }}
	return all
}

// unknown asks while neither AWS nor GitLab answer. Neither knows of what was named.
func (p *player) unknown(ctx context.Context) error {
	return steps(
		func() error {
			p.world.AWS.RemoveUser(p.aws)
			p.world.AWS.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "GetUserId"})
			return p.ask(ctx)
		},
		func() error {
			p.world.AWS.Faults.Clear()
			p.world.GitLab.Faults.Add(fault.Fault{Kind: fault.Unavailable})
			return p.types(ctx, "link "+p.number+" "+p.world.MergeRequestURL(sandbox.AppProject, 97), "merge_request_linked")
		},
		func() error {
			p.world.GitLab.Faults.Clear()
			return p.until(ctx, "AWS and GitLab know of nothing", func() bool {
				return p.happened(ctx, "aws_person_refused") && p.happened(ctx, "merge_request_refused")
			})
		},
		func() error { return p.types(ctx, "withdraw "+p.number, "withdrawn") },
	)
}

// during plays the story, and lets something happen to the incident on the way.
func (p *player) during(ctx context.Context, happens func() error) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.approved(ctx) },
		happens,
		func() error { return p.finish(ctx) },
		func() error { return p.forget(ctx) },
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
	)
}

// leaves is answered by a deputy, and leaves the workspace with everything still owed,
// which the CTO inherits.
func (p *player) leaves(ctx context.Context) error {
	var cto *player
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.press(ctx, sandbox.Deputy, "Approve", p.sees(ctx, "approved")) },
		func() error {
			return p.until(ctx, "the access is there", func() bool { return p.dm(p.who, "Finish") != nil })
		},
		func() error { return p.finish(ctx) },
		func() error {
			p.clear(ctx)
			cto = p.as(sandbox.CTO)
			p.world.Slack.PutUser(slack.User{ID: p.who, Deactivated: true})
			return p.until(ctx, "the CTO inherits", p.sees(ctx, "owner_changed"))
		},
		func() error {
			fill := []step{cto.typed("What was done", "They restarted it"), cto.typed("Why", "The release process could not")}
			return cto.inForm(ctx, "Write record", fill, p.sees(ctx, "record_written"))
		},
		func() error { return p.press(ctx, sandbox.CTO, "Sign off", p.sees(ctx, "signed_off")) },
		func() error {
			return cto.inForm(ctx, "Write review", cto.reviewed(ctx), p.sees(ctx, "review_submitted"))
		},
		func() error { return p.closes(ctx) },
	)
}

// unheard asks when all others are done, in a channel that was archived.
func (p *player) unheard(ctx context.Context, others []*player) error {
	channel := slack.Channel{ID: sandbox.Channel, Name: "emergency"}
	return steps(
		func() error {
			return p.until(ctx, "the others are done", func() bool {
				for _, o := range others {
					if !o.requested(ctx) || !o.isClosed(ctx) {
						return false
					}
				}
				return p.delivered(ctx)
			})
		},
		func() error {
			archived := channel
			archived.Archived = true
			p.world.Slack.PutChannel(archived)
			return p.ask(ctx)
		},
		func() error { return p.until(ctx, "the card has no place", p.sees(ctx, "undelivered")) },
		func() error {
			p.world.Slack.PutChannel(channel)
			return p.types(ctx, "withdraw "+p.number, "withdrawn")
		},
	)
}
