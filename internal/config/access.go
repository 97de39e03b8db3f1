package config

import (
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func (b *builder) access() {
	raw := &b.file.Access
	rules := change.AccessRules{
		GrantWithin:      raw.GrantWithin.or(30 * time.Minute),
		NoneEndsAfter:    raw.NoneEndsAfter.or(24 * time.Hour),
		WarnBeforeEnd:    raw.WarnBeforeEnd.or(10 * time.Minute),
		MaxTotal:         raw.MaxTotal.or(12 * time.Hour),
		BlockWhenOverdue: raw.BlockWhenOverdue.or(true),
	}
	rules.Durations = b.durations(raw)
	if b.someKindHasAccess() {
		b.durationsFit(raw, rules)
	}
	b.out.Rules.Access = rules
}

// durations reads what can be chosen, and sorts it as the form shows it.
func (b *builder) durations(raw *fileAccess) []time.Duration {
	if n := len(raw.Durations.items); n > maxOptions {
		b.problem(raw.Durations.spot, "`access.durations` has %d members; it may have %d, because Slack shows no more in a select", n, maxOptions)
	}
	var durations []time.Duration
	for _, d := range raw.Durations.items {
		if !d.given {
			continue
		}
		if slices.Contains(durations, d.value) {
			b.problem(d.spot, "%s is %s a second time; keep one", d.whole(), short(d.value))
		}
		durations = append(durations, d.value)
	}
	slices.Sort(durations)
	return durations
}

func (b *builder) someKindHasAccess() bool {
	return slices.ContainsFunc(b.out.Rules.Kinds, func(k change.Kind) bool {
		return k.Access == change.NeedRequired || k.Access == change.NeedOptional
	})
}

// durationsFit checks that each duration can be chosen somewhere, and that
// each permission set has one.
func (b *builder) durationsFit(raw *fileAccess, rules change.AccessRules) {
	if len(raw.Durations.items) == 0 {
		at := raw.spot
		if raw.Durations.line > 0 {
			at = raw.Durations.spot
		}
		if raw.Durations.given || raw.Durations.line == 0 {
			b.problem(at, "`access.durations` names no duration, but a kind has access; name at least one")
		}
		return
	}
	longest, known := time.Duration(0), true
	for _, target := range b.file.Targets.items {
		for _, set := range target.PermissionSets.items {
			longest = max(longest, set.MaxDuration.value)
			known = known && set.MaxDuration.given
			if set.MaxDuration.given && len(rules.Durations) > 0 && rules.Durations[0] > min(set.MaxDuration.value, rules.MaxTotal) {
				b.problem(set.MaxDuration.spot, "%s is %s, and none of `access.durations` is that short; add one of at most %s", set.MaxDuration.whole(), short(set.MaxDuration.value), short(min(set.MaxDuration.value, rules.MaxTotal)))
			}
		}
	}
	for _, d := range raw.Durations.items {
		switch {
		case !d.given:
		case d.value > rules.MaxTotal:
			b.problem(d.spot, "%s is %s, longer than a change may last (`access.max_total`, %s), so nobody could choose it; take it out", d.whole(), short(d.value), short(rules.MaxTotal))
		case known && longest > 0 && d.value > longest:
			b.problem(d.spot, "%s is %s, longer than every permission set's `max_duration` (at most %s), so nobody could choose it; take it out", d.whole(), short(d.value), short(longest))
		}
	}
	if len(rules.Durations) > 0 && rules.WarnBeforeEnd >= rules.Durations[0] {
		at := raw.WarnBeforeEnd.spot
		if at.line == 0 {
			at = raw.Durations.spot
		}
		b.warn(at, "`access.warn_before_end` is %s, not shorter than the shortest of `access.durations`, %s; its warning comes as soon as the access does", short(rules.WarnBeforeEnd), short(rules.Durations[0]))
	}
}
