package reconcile

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// theirs is an assignment that was there before us: it is never touched.
func (p *planner) theirs() step {
	if len(p.pick(p.lacks)) > 0 {
		switch {
		case p.seen == notLooked:
			return step{do: doLook}
		case p.seen == lookFailed:
			return p.backOff()
		case p.seen == listed:
			p.row.MissedAt = time.Time{}
			if who := p.pick(p.lacks); len(who) > 0 {
				return step{do: doVerify, who: who, standing: true}
			}
			return p.theirs()
		case !absentTwice(p.row), // a list that lags must not make it ours
			!p.row.MissedAt.IsZero() && p.row.LookedAt.Sub(p.row.AbsentSince) < longAbsence:
			return p.rest(absenceGap)
		}
		p.row.Standing = ledger.StandingUnknown
		return p.fresh()
	}
	if who := p.pick(func(x party) bool { return !x.wanted }); len(who) > 0 {
		return step{do: doGone, who: who}
	}
	return p.done()
}

// fresh is an assignment of which nothing is ours: whatever a list shows was
// there before.
func (p *planner) fresh() step {
	want := p.pick(p.lacks)
	over := p.pick(func(x party) bool { return !x.wanted })
	if len(want)+len(over) == 0 {
		p.row.Failure, p.row.AbsentSince = "", time.Time{}
		return p.done()
	}
	switch p.seen {
	case notLooked:
		return step{do: doLook}
	case lookFailed:
		return p.backOff()
	case listed:
		p.row.Standing, p.row.Failure = ledger.StandingFound, ""
		return p.theirs()
	case absent:
	}
	twice := absentTwice(p.row)
	switch {
	case len(over) > 0 && twice:
		return step{do: doGone, who: over}
	case p.row.Failure != "" && twice:
		return step{do: doFail, who: p.refused()}
	case len(want) == 0 || p.row.Failure != "" || (!twice && p.already()):
		return p.rest(absenceGap)
	}
	return step{do: doCreate}
}

// lacks tells whether a change is to have access that no list has shown it, or
// that the census missed since.
func (p *planner) lacks(x party) bool {
	return x.wanted && (!x.verified || !p.row.MissedAt.IsZero())
}

// already tells whether AWS listed the access when somebody asked for it.
func (p *planner) already() bool {
	return len(p.pick(func(x party) bool { return x.wanted && !x.verified && x.already })) > 0
}

// refused lists the changes that a failed create was for.
func (p *planner) refused() []change.Number {
	return p.pick(func(x party) bool { return x.wanted && x.intended && !x.verified })
}

// oursWanted is access that we make, or have made, and that somebody wants.
func (p *planner) oursWanted() step {
	r := &p.row
	want := p.pick(func(x party) bool { return p.lacks(x) || (x.wanted && !x.intended) })
	unseen := p.pick(func(x party) bool { return (x.wanted && (!x.verified || !x.intended)) || (x.intended && !x.verified) })
	if len(want) == 0 && !r.ClearSince.IsZero() && r.MissedAt.IsZero() {
		r.MissedAt = p.now // a delete settled under those who have it: it was sent when their time seemed over
		return p.oursWanted()
	}
	if len(want) == 0 {
		// All who want it have it. Who is over and was never seen to have it is
		// told so first, if the list shows it.
		if len(unseen) > 0 && p.seen == notLooked {
			return step{do: doLook}
		}
		if len(unseen) > 0 && p.seen == listed {
			return step{do: doVerify, who: unseen}
		}
		if who := p.pick(func(x party) bool { return !x.wanted && x.phase == change.Ended }); len(who) > 0 {
			return step{do: doGone, who: who, held: true}
		}
		return p.done()
	}
	switch {
	case r.OpenCreates > 0 && !p.searched:
		return step{do: doFind}
	case p.seen == notLooked:
		return step{do: doLook}
	case p.seen == lookFailed:
		return p.backOff()
	case p.seen == listed:
		if p.stale() {
			return p.wait()
		}
		r.ClearSince, r.Failure, r.Trouble, r.MissedAt = time.Time{}, "", "", time.Time{}
		if len(unseen) == 0 { // it had been missed, and is there
			return p.oursWanted()
		}
		return step{do: doVerify, who: unseen}
	}
	return p.oursMissing()
}

// oursMissing is what somebody wants and the list does not show.
func (p *planner) oursMissing() step {
	r := &p.row
	twice, failed := absentTwice(*r), r.Failure != ""
	switch {
	case failed && twice && r.OpenCreates == 0:
		if who := p.refused(); len(who) > 0 {
			return step{do: doFail, who: who}
		}
		p.trouble(r.Failure) // nobody waits for it to begin, but somebody had it
		r.Failure = ""
		return p.wait()
	case failed:
		return p.wait()
	case r.OpenCreates > 0:
		// Another may have succeeded since, and lists lag behind it.
		sure := !r.AbsentSince.IsZero() && r.LookedAt.Sub(r.AbsentSince) >= listGrace
		if sure && p.searchOK && !p.now.Before(r.CreateOpenSince.Add(createAgain)) {
			return step{do: doCreate}
		}
		return p.wait()
	case !r.ClearSince.IsZero(): // a delete settled: first be sure that it is gone
		if !twice {
			return p.rest(absenceGap)
		}
		if r.WatchUntil.IsZero() {
			forget(r)
			return p.fresh()
		}
		return step{do: doCreate}
	case !r.AbsentSince.IsZero() && r.LookedAt.Sub(r.AbsentSince) >= longAbsence: // somebody else took it away
		return step{do: doCreate}
	}
	return p.wait()
}

// oursUnwanted is access that has to go.
func (p *planner) oursUnwanted() step {
	r := &p.row
	switch {
	case r.OpenCreates > 0 && !p.searched:
		return step{do: doFind}
	case p.seen == notLooked && p.plainlyThere():
		return step{do: doDelete}
	case p.seen == notLooked:
		return step{do: doLook}
	case p.seen == listed && p.back:
		r.ClearSince = time.Time{}
		return step{do: doBack}
	case p.seen == listed:
		if p.stale() {
			return p.wait()
		}
		if who := p.pick(func(x party) bool { return x.intended && !x.verified }); len(who) > 0 {
			return step{do: doVerify, who: who}
		}
		return step{do: doDelete}
	case r.ClearSince.IsZero() && p.seen == absent && r.OpenCreates == 0 && r.LookedAt.Sub(r.AbsentSince) >= longAbsence:
		return p.gone()
	case r.ClearSince.IsZero(): // lists lag: what they do not show yet is deleted all the same
		return step{do: doDelete}
	case p.seen == lookFailed:
		return p.backOff()
	case r.OpenCreates > 0:
		return p.lieInWait()
	case !absentTwice(*r):
		return p.rest(absenceGap)
	}
	return p.gone()
}

// plainlyThere tells whether no look could alter that the access is deleted: the
// last one showed it, everybody has been told that it was there, and nothing was
// done about it since.
func (p *planner) plainlyThere() bool {
	r := p.row
	return r.ClearSince.IsZero() && r.OpenCreates == 0 && !r.SeenAt.IsZero() && r.AbsentSince.IsZero() &&
		len(p.pick(func(x party) bool { return x.intended && !x.verified })) == 0
}

// stale tells whether a list may still show what was deleted a moment ago. Where a
// create may yet come into effect, it is not taken for that for long.
func (p *planner) stale() bool {
	r, grace := p.row, listGrace
	if r.OpenCreates > 0 {
		grace = absenceGap
	}
	return !r.ClearSince.IsZero() && p.now.Before(r.ClearSince.Add(grace))
}

// lieInWait looks again and again for an access that an unresolved create may
// yet bring.
func (p *planner) lieInWait() step {
	age, d := p.now.Sub(p.row.CreateOpenSince), 5*time.Second
	switch {
	case age > 10*time.Minute:
		d = 30 * time.Second
	case age > 2*time.Minute:
		d = 15 * time.Second
	}
	if p.row.Polls++; p.say != "" && p.row.Polls >= patience { // AWS does not even tell of the requests
		p.trouble(p.say)
	}
	p.unheard()
	return p.rest(min(d, openFor-age))
}

// gone is the end: everybody is told, and the row forgets that it was ours once
// nothing can come back.
func (p *planner) gone() step {
	if who := p.pick(func(x party) bool { return !x.wanted }); len(who) > 0 {
		return step{do: doGone, who: who}
	}
	r := &p.row
	if r.ClearSince.IsZero() {
		r.ClearSince = p.now
	}
	if p.now.Before(r.WatchUntil) {
		s := p.done()
		s.next = p.now.Add(min(watchEvery, r.WatchUntil.Sub(p.now)))
		return s
	}
	forget(r)
	return p.done()
}
