package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// act is what people do and see on a stage.
type act struct{ *stage }

// step is one thing that a person does.
type step func() error

func steps(all ...step) error {
	for _, do := range all {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func (a act) person(id string) slack.Person { return a.world.Slack.Person(id) }

func (a act) forward(by time.Duration) error { return a.stage.forward(by) }

// press clicks the newest button of that name among somebody's direct messages.
func (a act) press(ctx context.Context, who, button string) error {
	if err := a.until(ctx, "there is a button "+button, func() bool { return a.dm(who, button) != nil }); err != nil {
		return err
	}
	if err := a.person(who).Click(ctx, *a.dm(who, button), button); err != nil {
		return fmt.Errorf("press %s: %w", button, err)
	}
	return nil
}

// dm finds the newest of somebody's direct messages that has a button, or nil.
func (a act) dm(who, button string) *slack.Message {
	all := a.world.Slack.DMs(who)
	for _, m := range slices.Backward(all) {
		if strings.Contains(a.world.Slack.RenderMessage(who, m), "[ "+button+" ]") {
			return &m
		}
	}
	return nil
}

// reminders counts the messages to somebody that remind of the record, those
// deleted since included.
func (a act) reminders(who string) int {
	sent := map[string]bool{} // by its time: one may be deleted between the two looks
	all := append(a.world.Slack.DMs(who), a.world.Slack.DeletedMessages(a.world.Slack.DMChannel(who))...)
	for _, m := range all {
		if strings.Contains(a.world.Slack.RenderMessage(who, m), "[ Remind me later ]") {
			sent[m.TS] = true
		}
	}
	return len(sent)
}

func (a act) ticketSays(text string) bool {
	for _, i := range a.world.Jira.Issues() {
		if strings.Contains(a.world.Jira.Render(i.Key), text) {
			return true
		}
	}
	return false
}

// card is the change's message in the channel, or nil.
func (a act) card() *slack.Message {
	for _, m := range a.world.Slack.Messages(sandbox.Channel) {
		return &m
	}
	return nil
}

func (a act) saysOnCard(text string) bool {
	c := a.card()
	return c != nil && strings.Contains(strings.ToLower(a.world.Slack.RenderMessage("", *c)), text)
}

func (a act) saysInThread(text string) bool {
	c := a.card()
	if c == nil {
		return false
	}
	for _, m := range a.world.Slack.Thread(c.Channel, c.TS)[1:] {
		if strings.Contains(strings.ToLower(a.world.Slack.RenderMessage("", m)), text) {
			return true
		}
	}
	return false
}

func (a act) saysInAudit(text string) bool {
	return slices.ContainsFunc(a.world.Slack.Messages(sandbox.AuditChannel), func(m slack.Message) bool {
		return strings.Contains(strings.ToLower(a.world.Slack.RenderMessage("", m)), text)
	})
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

// says tells whether any of somebody's direct messages holds a text.
func (a act) says(who, text string) bool {
	return slices.ContainsFunc(a.world.Slack.DMs(who), func(m slack.Message) bool {
		return strings.Contains(a.world.Slack.RenderMessage(who, m), text)
	})
}

// toldPrivately waits until somebody alone was told something.
func (a act) toldPrivately(ctx context.Context, who, text string) error {
	return a.until(ctx, who+" is told "+text, func() bool {
		return slices.ContainsFunc(a.world.Slack.Ephemerals(who), func(m slack.Message) bool {
			return strings.Contains(a.world.Slack.RenderMessage(who, m), text)
		})
	})
}

// patience bounds the wait for anything that breakglass does by itself.
const patience = 45 * time.Second

// stepWait is how long breakglass is given to do something before the clock goes on.
const stepWait = 250 * time.Millisecond

// until waits for something, or says what did not happen.
func (a act) until(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for a.hurry > 0 {
		soon, cancel := context.WithTimeout(ctx, stepWait)
		err := a.world.Wait(soon, holds)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
		if err := a.forward(a.hurry); err != nil {
			return err
		}
	}
	if err := a.world.Wait(ctx, holds); err != nil {
		return fmt.Errorf("it did not come to pass that %s: %w", what, err)
	}
	return nil
}

// elapse lets time pass in small steps until something holds: what breakglass
// looks at again by the clock.
func (a act) elapse(ctx context.Context, what string, by time.Duration, holds func() bool) error {
	for range 20 {
		ctx, cancel := context.WithTimeout(ctx, stepWait)
		err := a.world.Wait(ctx, holds)
		cancel()
		if err == nil {
			return nil
		}
		if err := a.forward(by); err != nil {
			return err
		}
	}
	return a.until(ctx, what, holds)
}

// has tells whether somebody has an access.
func (a act) has(k aws.Key) bool { return a.world.AWS.Has(k) }
