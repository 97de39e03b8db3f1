package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// mainStory is one emergency change from the command to the closed record.
func mainStory(ctx context.Context, s *stage, n *narrator) error {
	a := act{s}
	for _, chapter := range []struct {
		title string
		play  func(context.Context, act, *narrator) error
	}{
		{"An engineer asks for access to production", storyRequest},
		{"The CTO approves with one tap", storyApproval},
		{"The work, and its end", storyWork},
		{"The record is forgotten", storyForgotten},
		{"The record is written, and signed off by a comment of the CTO", storyRecord},
		{"The review, and the end", storyReview},
	} {
		n.chapter(s, "%s", chapter.title)
		if err := chapter.play(ctx, a, n); err != nil {
			return fmt.Errorf("%s: %w", chapter.title, err)
		}
	}
	out, err := s.verify(ctx)
	n.say("%s", strings.TrimSpace(out))
	n.keep("`breakglass audit verify` finds the trail whole", err == nil)
	return nil
}

func storyRequest(ctx context.Context, a act, n *narrator) error {
	if err := a.request(ctx, sandbox.Engineer, request{duration: "30m"}); err != nil {
		return err
	}
	if err := a.until(ctx, "the CTO is asked", func() bool { return a.dm(sandbox.CTO, "Approve") != nil }); err != nil {
		return err
	}
	n.keep("nobody has access before the approval", len(a.world.AWS.Assignments()) == 0)
	return a.until(ctx, "the ticket is made", func() bool { return len(a.world.Jira.Issues()) == 1 })
}

func storyApproval(ctx context.Context, a act, n *narrator) error {
	if err := a.press(ctx, sandbox.CTO, "Approve"); err != nil {
		return err
	}
	if err := a.until(ctx, "AWS shows the access", func() bool { return a.world.AWS.Has(sandbox.AdminOf(sandbox.Engineer)) }); err != nil {
		return err
	}
	if err := a.until(ctx, "the engineer is told", func() bool { return a.dm(sandbox.Engineer, "Finish") != nil }); err != nil {
		return err
	}
	n.keep("the engineer has the access that was approved, and nothing else", len(a.world.AWS.Assignments()) == 1)
	return nil
}

func storyWork(ctx context.Context, a act, n *narrator) error {
	if err := a.forward(20 * time.Minute); err != nil {
		return err
	}
	if err := a.until(ctx, "the engineer is warned of the end", func() bool { return a.dm(sandbox.Engineer, "Extend") != nil }); err != nil {
		return err
	}
	if err := a.press(ctx, sandbox.Engineer, "Finish"); err != nil {
		return err
	}
	if err := a.person(sandbox.Engineer).CloseView(ctx); err != nil {
		return fmt.Errorf("leave the record for later: %w", err)
	}
	if err := a.elapse(ctx, "the access is seen gone", 5*time.Second, func() bool { return a.saysInThread("the access is gone") }); err != nil {
		return err
	}
	n.keep("the access is gone from AWS, and people were told once that was seen", len(a.world.AWS.Assignments()) == 0)
	return nil
}

func storyForgotten(ctx context.Context, a act, n *narrator) error {
	for _, rung := range []time.Duration{40 * time.Minute, 11 * time.Hour, 8 * time.Hour, 3 * time.Hour} {
		before := a.reminders(sandbox.Engineer)
		if err := a.forward(rung); err != nil {
			return err
		}
		n.chapter(a.stage, "Later")
		if err := a.until(ctx, "the engineer is reminded", func() bool { return a.reminders(sandbox.Engineer) > before }); err != nil {
			return err
		}
	}
	if err := a.forward(70 * time.Minute); err != nil {
		return err
	}
	n.chapter(a.stage, "24 hours are over")
	err := a.until(ctx, "the breach is told", func() bool { return a.saysInAudit("overdue") })
	n.keep("the breach is told to the audit channel", err == nil)
	return err
}

func storyRecord(ctx context.Context, a act, n *narrator) error {
	if err := a.writeRecord(ctx, sandbox.Engineer); err != nil {
		return err
	}
	if err := a.until(ctx, "the ticket holds the record", func() bool { return a.ticketSays("Restarted the queue by hand") }); err != nil {
		return err
	}
	n.keep("there is exactly one ticket, and it holds what was done", len(a.world.Jira.Issues()) == 1)
	if err := a.until(ctx, "the CTO is asked to sign off", func() bool { return a.dm(sandbox.CTO, "Sign off") != nil }); err != nil {
		return err
	}
	if _, ok := a.world.Jira.CommentAs(sandbox.CTOAccount, a.world.Jira.Issues()[0].Key, "Approved. Thank you for the care."); !ok {
		return errors.New("the CTO could not comment on the ticket")
	}
	err := a.elapse(ctx, "the comment signs off", 30*time.Second, func() bool { return a.saysInThread("signed it off") })
	n.keep("the CTO's own comment on the ticket signs it off", err == nil)
	if err != nil {
		return err
	}
	n.say("%s", strings.TrimSpace(a.world.Jira.Render(a.world.Jira.Issues()[0].Key)))
	return nil
}

func storyReview(ctx context.Context, a act, n *narrator) error {
	if err := a.writeReview(ctx, sandbox.Engineer); err != nil {
		return err
	}
	err := a.elapse(ctx, "the change is closed", 30*time.Second, func() bool { return a.saysOnCard("closed") })
	n.keep("the change closes by itself when nothing is owed", err == nil)
	n.keep("the preventive action is a ticket of its own", len(a.world.Jira.Issues()) == 2)
	return err
}

// act is what people do and see on a stage.
type act struct{ *stage }

// request is what somebody asks for.
type request struct {
	duration string
	incident string // by its reference; empty: no incident
	record   string // a choice of Record; empty: as the form has it
}

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

// request fills the form in and submits it.
func (a act) request(ctx context.Context, who string, r request) error {
	p := a.person(who)
	if _, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", ""); err != nil {
		return err
	}
	return steps(
		func() error {
			return p.Select(ctx, "Why can't the release process be used?", "The platform cannot recover without manual intervention")
		},
		func() error { return p.Select(ctx, "Kind of change", "Work on production directly") },
		func() error { return p.Type(ctx, "What will you change?", "Restart the stuck message queue by hand") },
		func() error { return p.Type(ctx, "Why is it needed now?", "Orders are not being processed") },
		func() error {
			if r.incident == "" {
				return nil
			}
			return p.Select(ctx, "Active incident", r.incident)
		},
		func() error { return p.Select(ctx, "Where", "Production") },
		func() error { return p.Select(ctx, "Permission set", "BreakGlassAdmin") },
		func() error { return p.Select(ctx, "For how long", r.duration) },
		func() error {
			if r.record == "" {
				return nil
			}
			return p.Select(ctx, "Record", r.record)
		},
		func() error { return p.Submit(ctx) },
	)
}

// writeRecord presses Write record and submits the form.
func (a act) writeRecord(ctx context.Context, who string) error {
	p := a.person(who)
	return steps(
		func() error { return a.press(ctx, who, "Write record") },
		func() error { return p.Type(ctx, "What was done", "Restarted the queue by hand; orders flow again") },
		func() error { return p.Type(ctx, "Why", "The release process could not restart it") },
		func() error { return p.Submit(ctx) },
	)
}

// writeReview presses Write review and submits the form.
func (a act) writeReview(ctx context.Context, who string) error {
	p := a.person(who)
	return steps(
		func() error { return a.press(ctx, who, "Write review") },
		func() error { return p.Type(ctx, "What happened", "The queue was stuck after a node was lost") },
		func() error {
			return p.Type(ctx, "Why could the standard process not be used", "It cannot restart single nodes")
		},
		func() error {
			return p.Type(ctx, "What would prevent the same situation", "A restart job in the pipeline")
		},
		func() error { return p.Type(ctx, "Preventive action", "Add a restart job to the pipeline") },
		func() error { return p.Select(ctx, "Owner", who) },
		func() error { return p.Type(ctx, "Due", a.now().AddDate(0, 0, 14).UTC().Format(time.DateOnly)) },
		func() error { return p.Submit(ctx) },
	)
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

// patience bounds the wait for anything that breakglass does by itself.
const patience = 45 * time.Second

// until waits for something, or says what did not happen.
func (a act) until(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for a.hurry > 0 {
		soon, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
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
		ctx, cancel := context.WithTimeout(ctx, time.Second)
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
