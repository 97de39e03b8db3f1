package main

import (
	"context"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// inTrouble are players to whom the other systems are not kind: AWS takes one access
// away only after people were told, does not know another person at first, had a third
// access all along, and fails to give a fifth; the incident of the fourth is private.
func (a *arena) inTrouble(...incidentio.Incident) []*player {
	all := a.players(5)
	all[0].clicks = true
	all[0].role.story, all[0].role.lasts = (*player).waitsForAWS, 2*time.Hour
	all[1].role = role{story: (*player).foundLater, ends: change.Denied, tickets: 1}
	all[2].asks, all[2].clicks = all[1].asks, true
	all[2].role = role{story: (*player).hadIt, ends: change.Closed, tickets: 2, lasts: 2 * time.Hour}
	all[3].role = role{story: (*player).confides, ends: change.Withdrawn, maybe: 1}
	all[4].role = role{ends: change.Failed, creates: 1, maybe: 1, regains: true, story: func(p *player, ctx context.Context) error { return p.failed(ctx, all[0]) }}
	return all
}

// waitsForAWS has an access that AWS does not take away until people were told so.
func (p *player) waitsForAWS(ctx context.Context) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.approved(ctx) },
		func() error { p.world.AWS.FailDeletes(100_000, "Received a 500 status error"); return nil },
		func() error { return p.press(ctx, p.who, "Finish", p.sees(ctx, "access_late")) },
		func() error { p.world.AWS.Unplan(); return nil },
		func() error {
			return p.until(ctx, "the access is gone", func() bool { return p.says("the access is gone") })
		},
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
	)
}

// foundLater asks while AWS cannot say who they are, nor Jira whether there is the
// ticket; both are found, and the change is denied.
func (p *player) foundLater(ctx context.Context) error {
	known := p.world.Jira.AddIssue(jira.Issue{Project: "OPS", Summary: "The queue is slow"})
	return steps(
		func() error {
			p.world.AWS.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "GetUserId"})
			p.world.Jira.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "get issue"})
			return p.ask(ctx, p.chosen(ctx, "Record", "Link an existing ticket"), p.typed("Ticket", known))
		},
		func() error {
			p.world.AWS.Faults.Clear()
			p.world.Jira.Faults.Clear()
			return p.until(ctx, "both are found", func() bool { return p.happened(ctx, "aws_person_found") && p.happened(ctx, "owed") })
		},
		func() error { return p.isDenied(ctx) },
	)
}

// failed asks for an access that AWS accepts and then fails to give: the next one after
// that of somebody else, the only other one.
func (p *player) failed(ctx context.Context, other *player) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error {
			return p.until(ctx, "the other has access", func() bool { return p.world.AWS.Has(other.key()) })
		},
		func() error { p.world.AWS.FailCreates(1, "Received a 400 status error: a quota"); return nil },
		func() error { return p.press(ctx, sandbox.CTO, "Approve", p.sees(ctx, "failed")) },
		func() error { return p.until(ctx, "the access failed", p.sees(ctx, "failed")) },
		func() error { return p.found(ctx) },
	)
}

// found is given access by somebody else, which the census finds and the CTO ends.
func (p *player) found(ctx context.Context) error {
	p.world.AWS.Plant(p.key())
	told := func() *slack.Message {
		for _, m := range p.world.Slack.Messages(sandbox.AuditChannel) {
			if text := p.world.Slack.RenderMessage("", m); strings.Contains(text, "[ End access ]") && strings.Contains(text, p.who) {
				return &m
			}
		}
		return nil
	}
	return p.pressOn(ctx, told, sandbox.CTO, "End access", func() bool { return !p.world.AWS.Has(p.key()) })
}

// hadIt has had the access all along, which the CTO ends.
func (p *player) hadIt(ctx context.Context) error {
	p.world.AWS.Plant(p.key())
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.approved(ctx) },
		func() error { return p.press(ctx, sandbox.CTO, "End access", p.sees(ctx, "standing_ended")) },
		func() error { return p.press(ctx, p.who, "Finish", p.sees(ctx, "ended")) },
		func() error { return p.until(ctx, "it is gone", func() bool { return !p.world.AWS.Has(p.key()) }) },
		func() error { return p.until(ctx, "the record is overdue", p.sees(ctx, "breached")) },
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
	)
}

// confides links a private incident, which makes confidential what everybody has seen.
func (p *player) confides(ctx context.Context) error {
	private := p.world.IncidentIO.Open(incidentio.Incident{Name: "Somebody reads our mail", Private: true})[0]
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.types(ctx, "link "+p.number+" "+private.Reference(), "made_confidential") },
		func() error { return p.types(ctx, "withdraw "+p.number, "withdrawn") },
	)
}
