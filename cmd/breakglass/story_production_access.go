package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// productionAccess is an engineer who works on production by hand: the CTO
// approves, the access comes and goes, and the record is forgotten for a day.
func productionAccess() story {
	return story{
		kind: "production-access",
		says: "an engineer works on production directly, approved by the CTO, and forgets the record",
		chapters: []chapter{
			{"An engineer asks for access to production", accessRequested},
			{"The CTO approves with one tap", accessApproved},
			{"The work, and its end", accessUsed},
			{"The record is forgotten", recordForgotten},
			{"The record is written, and signed off by a comment of the CTO", recordSignedOff},
			{"The review, and the end", reviewedAndClosed(sandbox.Engineer, 2)},
		},
	}
}

func accessRequested(ctx context.Context, a act, n *narrator) error {
	if err := a.request(ctx, sandbox.Engineer, request{duration: "30m"}); err != nil {
		return err
	}
	if err := a.until(ctx, "the CTO is asked", func() bool { return a.dm(sandbox.CTO, "Approve") != nil }); err != nil {
		return err
	}
	n.keep("nobody has access before the approval", len(a.world.AWS.Assignments()) == 0)
	return a.until(ctx, "the ticket is made", func() bool { return len(a.world.Jira.Issues()) == 1 })
}

func accessApproved(ctx context.Context, a act, n *narrator) error {
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

func accessUsed(ctx context.Context, a act, n *narrator) error {
	if err := a.forward(20 * time.Minute); err != nil {
		return err
	}
	if err := a.until(ctx, "the engineer is warned of the end", func() bool { return a.dm(sandbox.Engineer, "Extend") != nil }); err != nil {
		return err
	}
	if err := a.finish(ctx, sandbox.Engineer); err != nil {
		return err
	}
	if err := a.elapse(ctx, "the access is seen gone", 5*time.Second, func() bool { return a.saysInThread("the access is gone") }); err != nil {
		return err
	}
	n.keep("the access is gone from AWS, and people were told once that was seen", len(a.world.AWS.Assignments()) == 0)
	return nil
}

func recordForgotten(ctx context.Context, a act, n *narrator) error {
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

func recordSignedOff(ctx context.Context, a act, n *narrator) error {
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

// reviewedAndClosed writes the review and sees the change close. So many tickets
// there are then, with that of the preventive action.
func reviewedAndClosed(who string, tickets int) func(context.Context, act, *narrator) error {
	return func(ctx context.Context, a act, n *narrator) error {
		if err := a.writeReview(ctx, who); err != nil {
			return err
		}
		err := a.elapse(ctx, "the change is closed", 30*time.Second, func() bool { return a.saysOnCard("closed") })
		n.keep("the change closes by itself when nothing is owed", err == nil)
		n.keep("the preventive action is a ticket of its own", len(a.world.Jira.Issues()) == tickets)
		return err
	}
}
