package main

import (
	"context"
	"fmt"
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
			return p.story(ctx)
		})
	}
	return all.Wait()
}

// story is one change from the form to the closed record.
func (p *player) story(ctx context.Context) error {
	if p.denied || p.reports {
		return p.otherStory(ctx)
	}
	return steps(
		func() error { return p.ask(ctx) },
		func() error { return p.work(ctx) },
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

// ask fills the request form in, and waits for the decision.
func (p *player) ask(ctx context.Context) error {
	fill := []step{
		p.chosen(ctx, "Why can't the release process be used?", "The platform cannot recover without manual intervention"),
		p.chosen(ctx, "Kind of change", "Work on production directly"),
		p.typed("What will you change?", "Restart the queue of "+p.who),
		p.typed("Why is it needed now?", "Orders are not being processed"),
	}
	if p.incident != "" {
		fill = append(fill, p.chosen(ctx, "Active incident", p.incident))
	}
	fill = append(fill,
		p.chosen(ctx, "Where", p.asks.where),
		p.chosen(ctx, "Permission set", p.asks.set),
		p.chosen(ctx, "For how long", "1h"),
	)
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
	if p.denied {
		return p.getsDenied(ctx)
	}
	return p.press(ctx, sandbox.CTO, "Approve", func() bool { return p.dm(p.who, "Finish") != nil })
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

// work uses the access and gives it back; then the record is forgotten until the
// first reminder.
func (p *player) work(ctx context.Context) error {
	if !p.world.AWS.Has(p.key()) {
		return fmt.Errorf("%s was told of an access that is not there", p.number)
	}
	if err := p.adds(ctx); err != nil {
		return err
	}
	if err := p.gives(ctx); err != nil {
		return err
	}
	p.clear(ctx)
	return p.until(ctx, "a reminder comes", func() bool { return p.dm(p.who, "Remind me later") != nil })
}

// gives gives the access back.
func (p *player) gives(ctx context.Context) error {
	if p.withdraws {
		return p.withdraw(ctx)
	}
	return p.press(ctx, p.who, "Finish", func() bool { return p.says("the access is gone") })
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
	if p.reports {
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
		if strings.HasPrefix(i.Summary, p.number+":") {
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
	fill := []step{
		p.typed("What happened", "The queue was stuck"),
		p.typed("Why could the standard process not be used", "It cannot restart single nodes"),
		p.typed("What would prevent the same situation", "A restart job"),
		p.typed("Preventive action", "Add a restart job for "+p.who),
		p.chosen(ctx, "Owner", p.who),
		p.typed("Due", p.now().AddDate(0, 0, 14).UTC().Format(time.DateOnly)),
	}
	return p.inForm(ctx, "Write review", fill, func() bool { return p.isClosed(ctx) })
}

func (p *player) isClosed(ctx context.Context) bool {
	var closed bool
	err := p.pool.QueryRow(ctx, `SELECT coalesce(bool_and(phase = 'closed'), FALSE) FROM changes WHERE requester = $1`, p.who).Scan(&closed)
	return err == nil && closed
}
