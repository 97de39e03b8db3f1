package config

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func (b *builder) approval() {
	raw := b.file.Approval
	rules := change.ApprovalRules{
		EscalateAfter: raw.EscalateAfter.or(10 * time.Minute),
		LapseAfter:    raw.LapseAfter.or(time.Hour),
	}
	if rules.EscalateAfter >= rules.LapseAfter {
		at := raw.EscalateAfter.spot
		if at.line == 0 {
			at = raw.LapseAfter.spot
		}
		b.problem(at, "`approval.escalate_after` is %s, but a request lapses after %s (`approval.lapse_after`), so the fallback would never be asked; make it shorter", short(rules.EscalateAfter), short(rules.LapseAfter))
	}
	b.out.Rules.Approval = rules
}

func (b *builder) mergeRequests() {
	raw := b.file.MergeRequests
	rules := change.MergeRequestRules{
		ReviewWithin:       raw.ReviewWithin.or(72 * time.Hour),
		PermanentFixWithin: raw.PermanentFixWithin.or(336 * time.Hour),
		RemindOverdueEvery: raw.RemindOverdueEvery.or(24 * time.Hour),
	}
	// One ladder serves both, so a late rung may be for the later of the two.
	rules.Remind = b.rungs(raw.Remind, max(rules.ReviewWithin, rules.PermanentFixWithin),
		"the later of `review_within` and `permanent_fix_within`",
		rungsBefore(rules.ReviewWithin, 24*time.Hour, 48*time.Hour, 71*time.Hour))
	b.out.Rules.MergeRequests = rules
}

func (b *builder) review() {
	raw := b.file.Review
	rules := change.ReviewRules{
		Within:             raw.Within.or(120 * time.Hour),
		RemindOverdueEvery: raw.RemindOverdueEvery.or(24 * time.Hour),
		NeedsAction:        raw.NeedsAction.or(true),
	}
	rules.Remind = b.rungs(raw.Remind, rules.Within, "`within`",
		rungsBefore(rules.Within, 24*time.Hour, 72*time.Hour, 96*time.Hour))
	b.out.Rules.Review = rules
}

// rungs reads the times of reminders: each later than the one before it, and
// all before the deadline. An empty list means no reminder before it.
func (b *builder) rungs(raw list[span], deadline time.Duration, deadlineName string, fallback []time.Duration) []time.Duration {
	if !raw.given {
		return fallback
	}
	var rungs []time.Duration
	var last time.Duration
	for _, rung := range raw.items {
		if !rung.given {
			continue
		}
		if rung.value <= last {
			b.problem(rung.spot, "%s is %s, not later than the %s before it; put the reminders in ascending order", rung.whole(), short(rung.value), short(last))
		}
		if rung.value >= deadline {
			b.problem(rung.spot, "%s is %s, not before the deadline of %s (%s); reminders come before it, and `remind_overdue_every` after it", rung.whole(), short(rung.value), short(deadline), deadlineName)
		}
		last = rung.value
		rungs = append(rungs, rung.value)
	}
	return rungs
}

// rungsBefore gives those default rungs that a shortened deadline leaves.
func rungsBefore(deadline time.Duration, rungs ...time.Duration) []time.Duration {
	var left []time.Duration
	for _, rung := range rungs {
		if rung < deadline {
			left = append(left, rung)
		}
	}
	return left
}

// short writes a duration as people do: 24h, not 24h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if d%time.Minute == 0 && len(s) > 2 {
		s = s[:len(s)-2]
	}
	if d%time.Hour == 0 && len(s) > 2 {
		s = s[:len(s)-2]
	}
	return quote(s)
}
