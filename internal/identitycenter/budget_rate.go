package identitycenter

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// pause is how long a call of an urgency has to wait; zero: it may begin. What is
// no revocation leaves a tenth of the budget alone, and comes evenly spaced, so
// that a revocation which falls due finds room at once. The lock is held.
func (b *Budget) pause(u change.Urgency, now time.Time) time.Duration {
	if d := b.held.Sub(now); d > 0 && d <= longestHold { // longer: the clock was set back
		return d
	}
	rate := b.rate(now)
	if rate == 0 {
		return 0
	}
	for len(b.spent) > 0 && (now.Sub(b.spent[0]) >= second || b.spent[0].After(now)) {
		b.spent = b.spent[1:]
	}
	room := int(rate)
	if u != change.UrgentRevoke {
		if kept := room / 10; kept > 0 {
			room -= kept
		}
		gap := time.Duration(float64(second) / rate)
		if d := b.spaced.Add(gap).Sub(now); d > 0 && d <= gap {
			return d
		}
	}
	over := b.open + len(b.spent) - room // so many must make room, and one more
	switch {
	case over < 0:
		return 0
	case over >= len(b.spent):
		return second // until an answer comes, which looks again
	}
	return b.spent[over].Add(second).Sub(now)
}

// rate is how many calls a second are allowed now; zero: no limit.
func (b *Budget) rate(now time.Time) float64 {
	most := float64(b.opt.PerSecond)
	if b.base == 0 || b.changed.IsZero() {
		return b.base
	}
	since := now.Sub(b.changed)
	if most <= 0 {
		if since >= forgiven || since < 0 {
			b.base, b.changed = 0, time.Time{}
			return 0
		}
		return b.base + growth*since.Seconds()
	}
	grown := b.base + growth*max(0, since.Seconds())
	if grown >= most {
		b.base, b.changed = most, time.Time{}
		return most
	}
	return grown
}

// answered takes in that a call that began is over, and what AWS said by it.
func (b *Budget) answered(a answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.opt.Now()
	b.open--
	b.spent = append(b.spent, now)
	if b.opt.PerSecond <= 0 && b.base == 0 && !a.throttled { // nobody counts
		for len(b.spent) > 0 && now.Sub(b.spent[0]) >= second {
			b.spent = b.spent[1:]
		}
	}
	switch {
	case a.throttled && a.create && a.after == 0:
		b.figures.Throttled++
		b.holdGrants(now)
	case a.throttled:
		b.figures.Throttled++
		b.shrink(now, a.after)
	case a.create:
		b.holds = 0
	}
	b.pump()
}

// shrink takes from the budget, at most once a second: what was under way
// together is throttled together.
func (b *Budget) shrink(now time.Time, after time.Duration) {
	if after > 0 {
		b.held = now.Add(min(after, longestHold))
	}
	if !b.changed.IsZero() && now.Sub(b.changed) < second && !b.changed.After(now) {
		return
	}
	rate := b.rate(now)
	if rate == 0 {
		rate = float64(len(b.spent) + b.open)
	}
	b.base, b.changed = max(leastCalls, rate*cutTo), now
}

// holdGrants keeps grants back for a while. AWS throttles a create also because too
// many are under way in the organisation, which is nothing that fewer calls would
// mend; and if there were too many calls, the others would hear so.
func (b *Budget) holdGrants(now time.Time) {
	if now.Before(b.grants) {
		return
	}
	d := min(longestGrant, second<<min(b.holds, 4))
	b.holds++
	b.grants = now.Add(d)
}

// Figures measures the budget.
func (b *Budget) Figures() BudgetFigures {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.figures
	for u, q := range b.queues {
		f.Waiting[u] = len(q)
	}
	f.PerSecond = b.rate(b.opt.Now())
	return f
}
