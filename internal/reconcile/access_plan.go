package reconcile

import (
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// The times of the access reconciler.
const (
	absenceGap     = 5 * time.Second  // two looks that agree are at least so far apart
	longAbsence    = time.Minute      // absent for so long counts although no delete was confirmed
	createAgain    = time.Minute      // so long a create that left no trace is looked for before another is sent
	deleteAgain    = 10 * time.Second // the same for a delete, which does no harm twice
	listGrace      = 30 * time.Second // a list may show for so long what was deleted, and not show what was made
	stuckAfter     = 15 * time.Minute // an operation in progress for longer is stuck
	openFor        = time.Hour        // an unresolved create counts as resolved then
	unwatched      = 2 * time.Minute  // nobody looked for longer than any pause between looks
	watchFor       = 7 * 24 * time.Hour
	watchEvery     = 24 * time.Hour
	stuckPause     = 30 * time.Second
	slowestBackoff = 30 * time.Second
)

const (
	sayStuckCreate = "AWS has been working on the access for more than 15 minutes; breakglass keeps looking."
	sayStuckDelete = "AWS has been working on the removal of the access for more than 15 minutes; breakglass keeps trying."

	sayUnheardCreate = "AWS gave no clear answer when it was asked for the access; breakglass looks for what came of it."
	sayUnheardDelete = "AWS gave no clear answer when it was asked to take the access away; breakglass looks for what came of it."
)

// action is what the access reconciler does next.
type action string

const (
	doLook   action = "look"   // at the list of assignments
	doPoll   action = "poll"   // the operation in flight
	doFind   action = "find"   // requests whose id is not known
	doCreate action = "create" // with its intent
	doDelete action = "delete"
	doVerify action = "verify" // tell that a list shows the access
	doGone   action = "gone"   // tell that it is gone, or left alone, or held by another
	doFail   action = "fail"   // tell that AWS refused it
	doLate   action = "late"   // tell that the removal is late
	doBack   action = "back"   // tell that what was gone is listed again
	doRest   action = "rest"   // give the row back until next
)

// step is an action and what it is about.
type step struct {
	do       action
	who      []change.Number // whom to tell
	standing bool            // of doVerify: it was there before us
	held     bool            // of doGone: another change holds it
	next     time.Time       // of doRest: when to look again; zero: when something changes
}

// sight is what this run's look at the list brought.
type sight int

const (
	notLooked sight = iota
	listed
	absent
	lookFailed
)

// party is a change with a grant on the assignment, as far as it matters here.
type party struct {
	number   change.Number
	phase    change.Phase
	wanted   bool      // and its time is not over
	until    time.Time // when that will be; zero: not known
	intended bool      // its duty to revoke is committed
	verified bool      // a list has shown its access
	already  bool      // at the request, AWS listed the access
	late     bool      // people were told that the removal is late
	ended    time.Time // its time was over then; zero: it is not
	trouble  string
}

// view is everything that a plan is made from: the row, who wants what, and
// what this run has seen and tried so far.
type view struct {
	row     ledger.Assignment
	parties []party
	now     time.Time

	seen     sight
	polled   bool // the operation in flight was asked about, with or without an answer
	searched bool // requests were looked for, with or without an answer
	searchOK bool // … and there was an answer
	back     bool // before this run's look it was verifiably gone
	stop     bool // a mutation could not be sent, or failed: enough for this run
	after    time.Duration
	say      string // what went wrong in this run, for people
}

// plan decides what to do next, and what the row is to hold then. It is pure.
func plan(v view) (ledger.Assignment, step) {
	p := planner{v}
	p.expire()
	s := p.next()
	return p.row, s
}

type planner struct{ view }

// expire lets creates that nothing was heard of for openFor count as resolved. Where
// nobody looked meanwhile, that the access was not there, or deleted, is no news: what
// the create brought may have come since.
func (p *planner) expire() {
	r := &p.row
	unheard := r.Operation == ledger.CreateOperation && !p.now.Before(r.SentAt.Add(openFor))
	orphaned := r.OpenCreates > 0 && !p.now.Before(r.CreateOpenSince.Add(openFor))
	if (unheard || orphaned) && p.now.Sub(r.LookedAt) > unwatched {
		r.ClearSince, r.AbsentSince = time.Time{}, time.Time{}
	}
	if unheard {
		noOperation(r)
		r.ClearSince, r.WatchUntil = time.Time{}, p.now.Add(watchFor)
	}
	if orphaned {
		r.OpenCreates, r.CreateOpenSince, r.WatchUntil = 0, time.Time{}, p.now.Add(watchFor)
	}
}

func (p *planner) next() step {
	if who := p.late(); len(who) > 0 {
		return step{do: doLate, who: who}
	}
	if p.stop {
		return p.backOff()
	}
	switch p.row.Operation {
	case ledger.CreateOperation:
		return p.creating()
	case ledger.DeleteOperation:
		return p.deleting()
	case ledger.NoOperation:
	}
	return p.idle()
}

// creating follows a create until it is known what came of it.
func (p *planner) creating() step {
	r := &p.row
	if r.RequestID != "" {
		switch {
		case !p.polled:
			return step{do: doPoll}
		case p.now.Before(r.SentAt.Add(stuckAfter)):
			return p.wait()
		case p.seen == notLooked:
			p.trouble(sayStuckCreate)
			return step{do: doLook}
		case p.seen == listed:
			orphan(r)
			return p.idle()
		}
		p.trouble(sayStuckCreate)
		return p.rest(stuckPause)
	}
	switch {
	case !p.searched:
		return step{do: doFind}
	case p.seen == notLooked:
		return step{do: doLook}
	case p.seen == listed || !p.wanted():
		orphan(r)
		return p.idle()
	case p.seen == absent && p.searchOK && absentTwice(*r) && !p.now.Before(r.SentAt.Add(createAgain)):
		orphan(r)
		return p.idle()
	}
	return p.wait()
}

// deleting follows a delete. A second one does no harm, so that one of unknown
// outcome is soon sent again; but where somebody wants the access by now, an
// earlier one must not cut it off.
func (p *planner) deleting() step {
	r := &p.row
	if r.RequestID != "" {
		switch {
		case !p.polled:
			return step{do: doPoll}
		case p.now.Before(r.SentAt.Add(stuckAfter)):
			return p.wait()
		}
		p.trouble(sayStuckDelete)
		noOperation(r)
		return p.idle()
	}
	patience := deleteAgain
	if p.wanted() {
		patience = createAgain
	}
	switch {
	case !p.searched:
		return step{do: doFind}
	case p.now.Before(r.SentAt.Add(patience)):
		return p.wait()
	}
	noOperation(r)
	return p.idle()
}

func (p *planner) idle() step {
	if !p.wanted() {
		p.row.MissedAt = time.Time{}
	}
	switch p.row.Standing {
	case ledger.StandingFound, ledger.StandingKept:
		return p.theirs()
	case ledger.StandingOurs:
		if p.wanted() {
			return p.oursWanted()
		}
		return p.oursUnwanted()
	case ledger.StandingUnknown:
	}
	return p.fresh()
}

// late lists the changes whose access should have been gone for LateAfter, and
// may still be there. A create that nothing was ever seen of is no access.
func (p *planner) late() []change.Number {
	r := p.row
	if r.Standing != ledger.StandingOurs || p.wanted() || (!r.ClearSince.IsZero() && !r.AbsentSince.IsZero()) {
		return nil
	}
	return p.pick(func(x party) bool {
		over := x.phase == change.Ended || (x.phase == change.Active && !x.wanted) // the clock may not have come to it
		return over && !x.late && !x.ended.IsZero() && !p.now.Before(x.ended.Add(change.LateAfter))
	})
}

func (p *planner) wanted() bool { return len(p.pick(func(x party) bool { return x.wanted })) > 0 }

func (p *planner) pick(fits func(party) bool) []change.Number {
	var who []change.Number
	for _, x := range p.parties {
		if fits(x) {
			who = append(who, x.number)
		}
	}
	return who
}

// trouble keeps the first sentence until all is well again, so that nobody is
// told of every turn.
func (p *planner) trouble(say string) {
	if p.row.Trouble == "" {
		p.row.Trouble = say
	}
}

// done rests until a grant changes.
func (p *planner) done() step {
	p.row.Polls, p.row.Trouble = 0, ""
	return step{do: doRest}
}

func (p *planner) rest(d time.Duration) step { return step{do: doRest, next: p.now.Add(d)} }

// wait rests until the next look at something that takes its time.
func (p *planner) wait() step {
	if p.say != "" {
		return p.backOff()
	}
	pauses := [...]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}
	d := pauses[min(p.row.Polls, len(pauses)-1)]
	p.row.Polls++
	p.unheard()
	return p.rest(d)
}

// unheard says after a while that nobody knows what came of a request.
func (p *planner) unheard() {
	r := &p.row
	switch {
	case r.Polls < patience:
	case r.Operation == ledger.DeleteOperation && r.RequestID == "":
		p.trouble(sayUnheardDelete)
	case r.OpenCreates > 0 || (r.Operation == ledger.CreateOperation && r.RequestID == ""):
		p.trouble(sayUnheardCreate)
	}
}

// patience is how many failures in a row pass before people are told.
const patience = 3

// backOff rests after a failure: 1, 2, 4 s and so on, or as AWS asked.
func (p *planner) backOff() step {
	d := min(slowestBackoff, time.Second<<min(p.row.Polls, 5))
	if p.after > 0 {
		d = min(p.after, time.Minute)
	}
	p.row.Polls++
	if p.say != "" && p.row.Polls >= patience {
		p.trouble(p.say)
	}
	return p.rest(d)
}
