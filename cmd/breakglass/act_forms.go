package main

import (
	"context"
	"errors"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/internal/sandbox/slack"
)

// request is what somebody asks for.
type request struct {
	duration string
	incident string // by its reference; empty: no incident
	record   string // a choice of Record; empty: as the form has it
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

// Choices of the form that more than one story makes.
const (
	mitigateNow = "An active incident must be mitigated now"
	ordersStuck = "INC-1 Orders are stuck (Investigating)"
)

// begin opens the form and fills in what every kind asks for; more fills in what
// the kind asks for besides. It is not submitted.
func (a act) begin(ctx context.Context, who, reason, kind, what string, more ...step) error {
	p := a.person(who)
	if _, err := p.Command(ctx, sandbox.OtherChannel, "/emergency", ""); err != nil {
		return err
	}
	return steps(append([]step{
		func() error { return p.Select(ctx, "Why can't the release process be used?", reason) },
		func() error { return p.Select(ctx, "Kind of change", kind) },
		func() error { return p.Type(ctx, "What will you change?", what) },
		func() error { return p.Type(ctx, "Why is it needed now?", "Orders are not being processed") },
	}, more...)...)
}

// complaint is what stands at an input of a form that was not taken; empty where
// the form was taken, or failed otherwise.
func complaint(err error, input string) string {
	if refused, ok := errors.AsType[*slack.FormError](err); ok {
		return refused.ByLabel[input]
	}
	return ""
}

// linkMergeRequest presses Link merge request on the card and gives an address.
// Where the kind asks for a permanent fix, holds says which of the two it is.
func (a act) linkMergeRequest(ctx context.Context, who, address, holds string) error {
	p := a.person(who)
	return steps(
		func() error { return p.Click(ctx, *a.card(), "Link merge request") },
		func() error { return p.Type(ctx, "Merge request", address) },
		func() error {
			if holds == "" {
				return nil
			}
			return p.Select(ctx, "What does this merge request hold?", holds)
		},
		func() error { return p.Submit(ctx) },
	)
}

// finish presses Finish, and leaves the record that is asked for then for later.
func (a act) finish(ctx context.Context, who string) error {
	return steps(
		func() error { return a.press(ctx, who, "Finish") },
		func() error { return a.person(who).CloseView(ctx) },
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
