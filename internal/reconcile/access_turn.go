package reconcile

import (
	"context"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

const (
	turnWithin   = 15 * time.Second // a call whose turn has not come by then is left for a later run
	crowdedPause = time.Second      // until that
	roleBusy     = 5 * time.Second  // so long AWS is known to be busy with an operation, if nothing is heard of it
	enoughDue    = 20               // revocations: a second's worth of calls, which leaves nothing for others
)

// DueIn lists the assignments of a lane whose turn it is, at most limit: no more
// grants than may be under way at once, and nothing else while there are so many
// revocations to begin that AWS would be kept from them, by whichever replica.
func (a *Access) DueIn(ctx context.Context, lane ledger.Lane, limit int) ([]int64, error) {
	now := a.Now()
	if lane != ledger.RevokeLane {
		due, err := a.Ledger.RevokesDue(ctx, now, now.Add(-roleBusy), enoughDue)
		if err != nil || due >= enoughDue {
			return nil, err
		}
	}
	if lane == ledger.GrantLane {
		taken, err := a.Ledger.CreatesUnderWay(ctx, now, now.Add(-stuckAfter))
		if err != nil {
			return nil, err
		}
		limit = min(limit, a.slots()-taken)
	}
	if limit <= 0 {
		return nil, nil
	}
	return a.Ledger.DueInLane(ctx, lane, now, now.Add(-roleBusy), limit)
}

// RevokesDue counts the revocations that could be begun and that nobody has, up to
// most.
func (a *Access) RevokesDue(ctx context.Context, most int) (int, error) {
	now := a.Now()
	return a.Ledger.RevokesDue(ctx, now, now.Add(-roleBusy), most)
}

// urgency is how urgent the calls of a step are: what takes access away, and what
// must be known before it can be, comes first.
func (w *accessRun) urgency(do action) change.Urgency {
	p := planner{w.view}
	r := w.row
	begins := r.Operation == ledger.NoOperation
	switch {
	case do == doDelete:
		return change.UrgentRevoke
	case do == doCreate:
		return change.UrgentGrant
	case !p.wanted() && r.Standing == ledger.StandingOurs &&
		(r.Operation == ledger.CreateOperation || (begins && r.ClearSince.IsZero()) || (!begins && r.RequestID == "")):
		return change.UrgentRevoke
	case p.wanted() && begins && (r.Standing == ledger.StandingUnknown || !r.ClearSince.IsZero()):
		return change.UrgentGrant
	}
	return change.UrgentPoll
}

// turn waits until the next call may be made. Where its turn does not come soon,
// the run ends.
func (w *accessRun) turn(ctx context.Context) (_ context.Context, done func(), ok bool) {
	ctx, done, err := w.AWS.Turn(ctx, turnWithin)
	w.now = w.Now()
	if err != nil {
		w.crowded()
	}
	return ctx, done, err == nil
}

// crowded ends the run because others are before us. That is no failure, and
// nobody is told of it.
func (w *accessRun) crowded() {
	w.stop, w.after, w.say = true, crowdedPause, ""
}

// conflicts are the accounts of which AWS said that it is busy with another
// operation. One of those who wait tries again, after a pause that grows; the others
// wait for what it hears.
type conflicts struct {
	mu       sync.Mutex
	accounts map[string]conflict
}

type conflict struct {
	until time.Time
	pause time.Duration
}

const (
	firstConflict = 500 * time.Millisecond
	worstConflict = 8 * time.Second
)

// wait is how long an account has to be left alone. Who is told that it need not
// be is the one who tries.
func (c *conflicts) wait(account string, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.accounts[account]
	if !ok {
		return 0
	}
	if d := known.until.Sub(now); d > 0 && d <= worstConflict { // longer: the clock was set back
		return d
	}
	known.until = now.Add(known.pause)
	c.accounts[account] = known
	return 0
}

// heard takes in whether AWS was busy with another operation in an account, and
// answers how long it has to be left alone.
func (c *conflicts) heard(account string, busy bool, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !busy {
		delete(c.accounts, account)
		return 0
	}
	if c.accounts == nil {
		c.accounts = map[string]conflict{}
	}
	known := c.accounts[account]
	known.pause = min(worstConflict, max(firstConflict, 2*known.pause))
	known.until = now.Add(known.pause)
	c.accounts[account] = known
	return known.pause
}
