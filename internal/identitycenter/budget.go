package identitycenter

import (
	"context"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Budget spends what AWS allows: so many calls a second, the most urgent first,
// and those of the same urgency in the order in which they came. It counts what
// a strict server would count, the calls of any one second: a call makes room for
// another a second after its answer, since the server saw it before that.
//
// When AWS throttles all the same, because others call it too (other replicas,
// other programs), the budget shrinks for all that wait, and grows again slowly.
// So replicas that share AWS's limit need not know of one another.
//
// It is safe for concurrent use.
type Budget struct {
	opt BudgetOptions

	mu      sync.Mutex
	queues  [len(urgencyNames)][]*turn
	open    int         // turns whose call has not been answered
	spent   []time.Time // when the calls of the last second were answered, oldest first
	spaced  time.Time   // when the last call began that was no revocation
	base    float64     // calls a second, as of changed; 0: as many as may be
	changed time.Time
	held    time.Time // nothing begins before
	grants  time.Time // no grant begins before
	holds   int       // throttled creates in a row
	alarm   time.Time // when a timer looks next; zero: none will
	figures BudgetFigures
}

var urgencyNames = [...]change.Urgency{change.UrgentRevoke, change.UrgentGrant, change.UrgentPoll, change.UrgentCensus}

// BudgetOptions says how much may be spent.
type BudgetOptions struct {
	PerSecond int // calls in any one second; 0: no limit but what AWS's throttling teaches
	Now       func() time.Time
	// After calls f once, d later; nil: by a timer of the runtime.
	After func(d time.Duration, f func())
}

// BudgetFigures are what is measured of a budget.
type BudgetFigures struct {
	Waiting   [len(urgencyNames)]int   // calls that wait for their turn, by urgency
	Calls     [len(urgencyNames)]int64 // calls that began, by urgency
	Throttled int64                    // answers by which AWS throttled
	PerSecond float64                  // calls a second that are allowed just now; 0: no limit
}

const (
	second       = time.Second
	cutTo        = 0.7              // of the budget is left when AWS throttles …
	growth       = 0.5              // … and so many calls a second are won back each second
	leastCalls   = 1.0              // a second are always allowed
	forgiven     = time.Minute      // without a limit of ours: after so long without throttling there is none again
	longestHold  = 5 * time.Second  // however long AWS, or a proxy before it, asks to be left alone
	longestGrant = 16 * time.Second // that grants are held up when AWS takes no more creates
)

// NewBudget makes a budget of which nothing is spent.
func NewBudget(opt BudgetOptions) *Budget {
	if opt.After == nil {
		opt.After = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	}
	return &Budget{opt: opt, base: float64(max(0, opt.PerSecond))}
}

// turn is somebody's turn to make a call.
type turn struct {
	budget *Budget
	ready  chan struct{} // closed when it has come

	mu   sync.Mutex
	used bool
}

type turnKey struct{}

// Turn waits until a call may begin, but no longer than within. The next call that
// is made in the context it answers begins at once; done gives the turn back if none
// was made, and must be called. So what has to be stored before a call is stored
// when the call's turn has come, and not long before. The urgency is that of ctx.
func (b *Budget) Turn(ctx context.Context, within time.Duration) (_ context.Context, done func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	t, err := b.wait(waiting)
	if err != nil {
		return ctx, func() {}, err
	}
	return context.WithValue(ctx, turnKey{}, t), t.giveBack, nil
}

// begin answers the turn that ctx holds, or waits for one, but no longer than within.
func (b *Budget) begin(ctx context.Context, within time.Duration) error {
	if t, ok := ctx.Value(turnKey{}).(*turn); ok && t.budget == b && t.use() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	t, err := b.wait(ctx)
	if err == nil {
		t.use()
	}
	return err
}

func (t *turn) use() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := !t.used
	t.used = true
	return fresh
}

// giveBack gives a turn back in which no call was made.
func (t *turn) giveBack() {
	if !t.use() {
		return
	}
	b := t.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	b.pump()
}

// wait waits for a turn.
func (b *Budget) wait(ctx context.Context) (*turn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err // it says all there is
	}
	t := &turn{budget: b, ready: make(chan struct{})}
	u := change.UrgencyOf(ctx)
	b.mu.Lock()
	b.queues[u] = append(b.queues[u], t)
	b.pump()
	b.mu.Unlock()
	select {
	case <-t.ready:
		return t, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.queues[u] {
		if other == t {
			b.queues[u] = append(b.queues[u][:i:i], b.queues[u][i+1:]...)
			return nil, ctx.Err() // it says all there is
		}
	}
	b.open-- // it came in the same moment
	b.pump()
	return nil, ctx.Err() // it says all there is
}

// pump lets begin whoever may, the most urgent first. Nobody overtakes whoever is
// more urgent. The lock is held.
func (b *Budget) pump() {
	for {
		u, waiting := b.first()
		if !waiting {
			return
		}
		now := b.opt.Now()
		if d := b.pause(u, now); d > 0 {
			b.arm(d)
			return
		}
		t := b.queues[u][0]
		b.queues[u] = b.queues[u][1:]
		b.open++
		b.figures.Calls[u]++
		if u != change.UrgentRevoke {
			b.spaced = now
		}
		close(t.ready)
	}
}

// first is the most urgent of those that wait, grants left out while AWS takes no
// creates.
func (b *Budget) first() (change.Urgency, bool) {
	for _, u := range urgencyNames {
		if len(b.queues[u]) == 0 || (u == change.UrgentGrant && b.opt.Now().Before(b.grants)) {
			continue
		}
		return u, true
	}
	if len(b.queues[change.UrgentGrant]) > 0 {
		b.arm(b.grants.Sub(b.opt.Now()))
	}
	return 0, false
}

// arm looks again after a while, unless a timer does so sooner. The lock is held.
func (b *Budget) arm(d time.Duration) {
	now := b.opt.Now()
	at := now.Add(d)
	if b.alarm.After(now) && !b.alarm.After(at) {
		return
	}
	b.alarm = at
	b.opt.After(d, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.alarm.Equal(at) {
			b.alarm = time.Time{}
		}
		b.pump()
	})
}
