package wake

import (
	"context"
	"errors"
	"time"
)

// Lane is a part of the assignments that is worked off by itself, so that nothing
// in it waits behind what is in others.
type Lane struct {
	Name string
	Due  func(ctx context.Context, limit int) ([]int64, error) // whose turn it is, the most urgent first
	Work int                                                   // at once

	kick chan struct{}
}

// NewLane makes a lane in which so many are worked on at once.
func NewLane(name string, atOnce int, due func(ctx context.Context, limit int) ([]int64, error)) Lane {
	return Lane{Name: name, Due: due, Work: atOnce, kick: make(chan struct{}, 1)}
}

// lanes are those that were given, or one for everything.
func (t *Ticker) lanes() []Lane {
	if t.Lanes == nil {
		t.Lanes = []Lane{NewLane("access", atOnce, func(ctx context.Context, limit int) ([]int64, error) {
			return t.Ledger.DueAssignments(ctx, t.Now(), limit)
		})}
	}
	return t.Lanes
}

// Kick has every lane look at once for what is due. It never waits.
func (t *Ticker) Kick() {
	for _, l := range t.Lanes {
		select {
		case l.kick <- struct{}{}:
		default: // it is about to look
		}
	}
}

// betweenLooks is how long a lane that is kicked again and again waits between two
// looks, so that a thousand kicks are not a thousand looks.
const betweenLooks = 10 * time.Millisecond

// drive works a lane off: it looks whenever it is kicked, whenever time has passed,
// and whenever somebody becomes free while there may be more to do.
func (t *Ticker) drive(ctx context.Context, every time.Duration, l Lane) {
	inHand := map[int64]bool{}
	over := make(chan int64, l.Work)
	defer func() {
		for range inHand {
			<-over
		}
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		more, err := t.begin(ctx, l, inHand, over)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Log.ErrorContext(ctx, "a look for due work failed", "what", l.Name, "error", err)
		}
		free := over
		if len(inHand) == 0 {
			free = nil
		}
		select { // a moment in which more may come together
		case <-t.stopping:
			return
		case <-ctx.Done():
			return
		case <-time.After(min(betweenLooks, every)):
		}
		for waiting := true; waiting; {
			select {
			case <-t.stopping:
				return
			case <-ctx.Done():
				return
			case <-l.kick:
				waiting = false
			case <-tick.C:
				waiting = false
			case id := <-free:
				delete(inHand, id)
				waiting = !more
			}
		}
		for drained := false; !drained; {
			select {
			case id := <-over:
				delete(inHand, id)
			default:
				drained = true
			}
		}
	}
}

// begin begins on what is due, as far as there are hands free. It tells whether
// there may be more.
func (t *Ticker) begin(ctx context.Context, l Lane, inHand map[int64]bool, over chan<- int64) (more bool, err error) {
	free := l.Work - len(inHand)
	if free <= 0 {
		return true, nil
	}
	ids, err := l.Due(ctx, l.Work) // some may be in hand, and not claimed yet
	if err != nil {
		return false, err
	}
	for i, id := range ids {
		if free == 0 {
			return i < len(ids), nil
		}
		if inHand[id] {
			continue
		}
		inHand[id] = true
		free--
		t.done.Go(func() {
			defer func() { over <- id }()
			if err := safely(func() error { return t.Jobs.Assign(ctx, id) }); err != nil && !errors.Is(err, context.Canceled) {
				t.Log.ErrorContext(ctx, "work on an assignment failed", "what", l.Name, "assignment", id, "error", err)
			}
		})
	}
	return len(ids) >= l.Work, nil
}
