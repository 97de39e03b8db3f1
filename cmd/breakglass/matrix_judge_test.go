package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/jira"
)

func (p *tale) knownTicket() string {
	return p.world.Jira.AddIssue(jira.Issue{Project: "OPS", Summary: "Known trouble"})
}

// judge demands the right end: everything once, nothing left over, and the card
// shows how it ended.
func (p *tale) judge() error {
	c, err := p.change()
	if err != nil {
		return err
	}
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	want := change.Closed
	if p.cell.fails {
		want = change.Failed
	}
	if c.Phase != want {
		wrong("it is %s", c.Phase)
	}
	if _, err := p.ledger.VerifyChange(p.ctx, p.n, func(f ledger.Finding) { wrong("the trail: %s", f) }); err != nil {
		return err
	}
	for _, twice := range append(p.marks.again(), copies(p.world)...) {
		wrong("%s", twice)
	}
	for _, v := range p.world.Violations() {
		wrong("violation: %s", v)
	}
	all = append(all, p.judgeAccess(&c), p.judgeDeliveries(), p.judgeTickets(&c), p.judgeCard(&c))
	return errors.Join(all...)
}

// ghostWithin is how long access may stand that came of a create of long ago.
const ghostWithin = time.Minute

// judgeAccess: one create that took effect, and nothing left.
func (p *tale) judgeAccess(c *change.Change) error {
	if left := p.world.AWS.Assignments(); len(left) > 0 {
		return fmt.Errorf("AWS still holds %v", left)
	}
	times := p.world.AWS.Intervals()
	if p.cell.ghost && len(times) == 2 {
		if stood := times[1].To.Sub(times[1].From); stood > ghostWithin {
			return fmt.Errorf("what came late stood for %s", stood)
		}
		return nil
	}
	if c.Access == nil && len(times) > 0 || len(times) > 1 || (c.Access != nil && len(times) == 0 && !p.cell.fails) {
		return fmt.Errorf("the access was there %d times", len(times))
	}
	return nil
}

func (p *tale) judgeDeliveries() error {
	rows, err := p.ledger.Deliveries(p.ctx, p.n)
	if err != nil {
		return err
	}
	var all []error
	for _, d := range rows {
		if d.State == ledger.DeliveryParked || (d.State == ledger.DeliveryOpen && (d.LastError != "" || d.Done < d.Wanted)) {
			all = append(all, fmt.Errorf("%s %s is %s: %s", d.Kind, d.Key, d.State, d.LastError))
		}
	}
	return errors.Join(all...)
}

func (p *tale) judgeTickets(c *change.Change) error {
	want := 2 // its own, or the one that was linked, and the preventive action's
	if c.Incident != nil && c.Record.Moved == "" {
		want-- // the record stands in the incident
	}
	if in := c.Incident; in != nil && in.Now.Private && in.Refused == "" {
		want-- // so does the action
	}
	if p.cell.fails {
		want = 0
		if p.cell.story == storyTicket {
			want = 1
		}
	}
	if n := len(p.world.Jira.Issues()); n != want {
		return fmt.Errorf("there are %d tickets, want %d", n, want)
	}
	return nil
}

// judgeCard: there is one card, and it is up to date. That of a confidential change
// says nothing of it.
func (p *tale) judgeCard(c *change.Change) error {
	cards := p.world.Slack.Messages(sandbox.Channel)
	if len(cards) != 1 {
		return fmt.Errorf("there are %d cards", len(cards))
	}
	text := p.world.Slack.RenderMessage("", cards[0])
	if c.Confidential {
		if !strings.Contains(text, "confidential") || strings.Contains(text, "Restart") {
			return fmt.Errorf("the card of a confidential change says %q", text)
		}
		return nil
	}
	if !strings.Contains(strings.ToLower(text), string(c.Phase)) || strings.Contains(text, "Waiting for") {
		return fmt.Errorf("the card of a change that is %s says %q", c.Phase, text)
	}
	return nil
}

// state tells how things stand, for whoever has to find out why.
func (p *tale) state() string {
	if p.n == 0 {
		return "nobody has asked"
	}
	c, err := p.change()
	if err != nil {
		return err.Error()
	}
	waiting, err := p.ledger.Waiting(p.ctx, p.n)
	events, _ := p.ledger.Events(p.ctx, p.n, 0, 1000) // only to be shown
	var journal []string
	for _, e := range events {
		journal = append(journal, fmt.Sprintf("%s %s", e.At.UTC().Format(time.TimeOnly), e.Type))
	}
	return fmt.Sprintf("at %s %s is %s, owes %v, waits for %v %v; %s", p.time().UTC().Format(time.DateTime), p.n, c.Phase, c.Owing(), waiting, err, strings.Join(journal, ", "))
}
