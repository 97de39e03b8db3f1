package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

// playAll plays the whole story of each player, all at once.
func playAll(ctx context.Context, players []*player) error {
	var all errgroup.Group
	for _, p := range players {
		p.enter()
		all.Go(func() error {
			defer p.leave()
			return p.role.story(p, ctx)
		})
	}
	return all.Wait()
}

// story is one change from the form to the closed record.
func (p *player) story(ctx context.Context) error {
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.approved(ctx) },
		func() error { return p.finish(ctx) },
		func() error { return p.forget(ctx) },
		func() error { return p.record(ctx) },
		func() error { return p.review(ctx) },
	)
}

func (p *player) typed(label, text string) step {
	return func() error { return p.hands().Type(context.Background(), label, text) }
}

func (p *player) chosen(ctx context.Context, label, choice string) step {
	return func() error { return p.hands().Select(ctx, label, choice) }
}

// ask asks for access; more fills in what the form offers besides.
func (p *player) ask(ctx context.Context, more ...step) error {
	var during []step
	if p.incident != "" {
		during = append(during, p.chosen(ctx, "Active incident", p.incident))
	}
	return p.askFor(ctx, "The platform cannot recover without manual intervention", "Work on production directly", slices.Concat(during, []step{
		p.chosen(ctx, "Where", p.asks.where),
		p.chosen(ctx, "Permission set", p.asks.set),
		p.chosen(ctx, "For how long", p.long),
	}, more)...)
}

// askFor fills the request form in; more is what the kind asks for.
func (p *player) askFor(ctx context.Context, reason, kind string, more ...step) error {
	fill := append([]step{
		p.chosen(ctx, "Why can't the release process be used?", reason),
		p.chosen(ctx, "Kind of change", kind),
		p.typed("What will you change?", "Restart the queue of "+p.who),
		p.typed("Why is it needed now?", "Orders are not being processed"),
	}, more...)
	open := func() error {
		_, err := p.hands().Command(ctx, sandbox.OtherChannel, "/emergency", "")
		return err
	}
	if err := p.form(ctx, "the request is kept", open, fill, func() bool { return p.requested(ctx) }); err != nil {
		return err
	}
	if p.number = p.newest(ctx); p.number == "" {
		return fmt.Errorf("%s: the change cannot be read", p.who)
	}
	p.clear(ctx)
	return nil
}

// approved waits until the CTO has approved and the access is there.
func (p *player) approved(ctx context.Context) error {
	if err := p.press(ctx, sandbox.CTO, "Approve", func() bool { return p.dm(p.who, "Finish") != nil }); err != nil {
		return err
	}
	if !p.world.AWS.Has(p.key()) {
		return fmt.Errorf("%s was told of an access that is not there", p.number)
	}
	return nil
}

// requested tells whether the ledger has the player's change. It is asked while
// others look on, so that it keeps nothing.
func (p *player) requested(ctx context.Context) bool { return p.newest(ctx) != "" }

// newest is the player's change as the ledger has it, such as EC-3; empty: none.
func (p *player) newest(ctx context.Context) string {
	var n int64
	if err := p.pool.QueryRow(ctx, `SELECT coalesce(max(number), 0) FROM changes WHERE requester = $1`, p.who).Scan(&n); err != nil || n == 0 {
		return ""
	}
	return fmt.Sprintf("EC-%d", n)
}

// finish gives the access back.
func (p *player) finish(ctx context.Context) error {
	return p.press(ctx, p.who, "Finish", func() bool { return p.says("the access is gone") })
}

// forget lets the record wait for the first reminder.
func (p *player) forget(ctx context.Context) error {
	p.clear(ctx)
	return p.until(ctx, "a reminder comes", func() bool { return p.dm(p.who, "Remind me later") != nil })
}

func (p *player) record(ctx context.Context) error {
	const done = "Restarted it by hand"
	fill := []step{p.typed("What was done", done), p.typed("Why", "The release process could not")}
	if p.incident != "" {
		return p.inForm(ctx, "Write record", fill, func() bool { return p.recorded(ctx) })
	}
	if err := p.inForm(ctx, "Write record", fill, func() bool { return p.ticket() != nil && len(p.ticketComments(done)) > 0 }); err != nil {
		return err
	}
	signedOff := func() bool { return p.says("signed it off") }
	if p.clicks {
		if err := p.press(ctx, sandbox.CTO, "Sign off", func() bool { return p.happened(ctx, "signed_off") }); err != nil {
			return err
		}
		return p.until(ctx, "the click signs off", signedOff)
	}
	if err := p.until(ctx, "the CTO is asked to sign off", func() bool { return p.dm(sandbox.CTO, "Sign off") != nil }); err != nil {
		return err
	}
	if _, ok := p.world.Jira.CommentAs(sandbox.CTOAccount, p.ticket().Key, "Approved."); !ok {
		return fmt.Errorf("%s: the CTO could not comment", p.number)
	}
	return p.until(ctx, "the comment signs off", signedOff)
}

// recorded tells whether the record's obligation is done.
func (p *player) recorded(ctx context.Context) bool {
	var done bool
	err := p.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM obligations o JOIN changes c ON c.number = o.number
		WHERE c.requester = $1 AND o.name = 'record' AND o.state = 'done')`, p.who).Scan(&done)
	return err == nil && done
}

// ticket is the change's ticket, or nil.
func (p *player) ticket() *jira.Issue {
	for _, i := range p.world.Jira.Issues() {
		if i.Key == p.known || strings.HasPrefix(i.Summary, p.number+":") {
			return &i
		}
	}
	return nil
}

func (p *player) ticketComments(says string) []jira.Comment {
	var all []jira.Comment
	for _, c := range p.ticket().Comments {
		if strings.Contains(c.Body, says) {
			all = append(all, c)
		}
	}
	return all
}

func (p *player) review(ctx context.Context) error {
	return p.inForm(ctx, "Write review", p.reviewed(ctx), func() bool { return p.isClosed(ctx) })
}

// reviewed fills the form of the review in.
func (p *player) reviewed(ctx context.Context) []step {
	return []step{
		p.typed("What happened", "The queue was stuck"),
		p.typed("Why could the standard process not be used", "It cannot restart single nodes"),
		p.typed("What would prevent the same situation", "A restart job"),
		p.typed("Preventive action", "Add a restart job for "+p.who),
		p.chosen(ctx, "Owner", p.who),
		p.typed("Due", p.now().AddDate(0, 0, 14).UTC().Format(time.DateOnly)),
	}
}

func (p *player) isClosed(ctx context.Context) bool {
	var closed bool
	err := p.pool.QueryRow(ctx, `SELECT coalesce(bool_and(phase = 'closed'), FALSE) FROM changes WHERE requester = $1`, p.who).Scan(&closed)
	return err == nil && closed
}
