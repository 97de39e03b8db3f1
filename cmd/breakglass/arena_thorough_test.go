package main

import (
	"context"
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/incidentio"
)

// thorough are players who do more than has to be done: two add a note and a link to
// their change, and one of them withdraws it instead of finishing it; the third is
// denied; the fourth reports a change that was made already, which is signed off by a
// click.
func (a *arena) thorough(incidents ...incidentio.Incident) []*player {
	all := a.players(4, incidents...)
	all[0].role.story = func(p *player, ctx context.Context) error { return p.busy(ctx, (*player).finish) }
	all[1].role.story = func(p *player, ctx context.Context) error { return p.busy(ctx, (*player).withdraw) }
	all[2].role = role{story: (*player).denied, ends: change.Denied, maybe: 1}
	all[3].incident, all[3].clicks = "", true
	all[3].role = role{story: (*player).reports, ends: change.Closed, tickets: 2}
	return all
}

// busy adds a note and a link to a change that is active, and ends it.
func (p *player) busy(ctx context.Context, ends func(*player, context.Context) error) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.approved(ctx) },
		func() error { return p.types(ctx, "note "+p.number+" The queue is empty again", "noted") },
		func() error { return p.types(ctx, "link "+p.number+" https://wiki.example.com/queue", "linked") },
		func() error { return ends(p, ctx) },
		func() error { return p.forget(ctx) },
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
	)
}

// withdraw withdraws a change that is active, which ends it.
func (p *player) withdraw(ctx context.Context) error {
	if err := p.types(ctx, "withdraw "+p.number, "ended"); err != nil {
		return err
	}
	return p.until(ctx, "the access is gone", func() bool { return p.says("the access is gone") })
}

// denied asks, and the CTO denies it.
func (p *player) denied(ctx context.Context) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.isDenied(ctx) },
	)
}

// isDenied lets the CTO deny the player's change.
func (p *player) isDenied(ctx context.Context) error {
	cto := p.as(sandbox.CTO)
	return cto.inForm(ctx, "Deny", []step{cto.typed("Why?", "The pipeline is back")}, p.sees(ctx, "denied"))
}

// reports reports a change that was made already.
func (p *player) reports(ctx context.Context) error {
	return steps(
		func() error { return p.report(ctx) },
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
	)
}

// report reports a change that was made half an hour ago.
func (p *player) report(ctx context.Context) error {
	fill := []step{
		p.chosen(ctx, "Why can't the release process be used?", "The platform cannot recover without manual intervention"),
		p.chosen(ctx, "Kind of change", "Work on production directly"),
		p.typed("What will you change?", "Restarted the queue of "+p.who),
		p.typed("Why is it needed now?", "Orders were not being processed"),
		p.chosen(ctx, "Where", p.asks.where),
		func() error { return p.hands().Pick(ctx, "When was the change made?", p.now().Add(-30*time.Minute)) },
	}
	open := func() error {
		_, err := p.hands().Command(ctx, sandbox.OtherChannel, "/emergency", "report")
		return err
	}
	if err := p.form(ctx, "the report is kept", open, fill, func() bool { return p.requested(ctx) }); err != nil {
		return err
	}
	if p.number = p.newest(ctx); p.number == "" {
		return fmt.Errorf("%s: the report cannot be read", p.who)
	}
	p.clear(ctx)
	return nil
}

// types types a command, again and again until the trail has its event.
func (p *player) types(ctx context.Context, text, event string) error {
	return p.deed(ctx, text, p.who, func() error {
		_, err := p.hands().Command(ctx, sandbox.OtherChannel, "/emergency", text)
		return err
	}, p.sees(ctx, event))
}

// sees is whether something has happened.
func (p *player) sees(ctx context.Context, event string) func() bool {
	return func() bool { return p.happened(ctx, event) }
}

// happened tells whether the trail of the player's change has such an event.
func (p *player) happened(ctx context.Context, event string) bool {
	var has bool
	err := p.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM events e JOIN changes c ON c.number = e.chain WHERE c.requester = $1 AND e.type = $2)`, p.who, event).Scan(&has)
	return err == nil && has
}
