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

// A lane that is kicked again and again waits between two looks, so that a thousand
// kicks are not a thousand looks: longer where looks take long, since so much is due,
// but never longer than it would without a kick.
const (
	betweenLooks = 10 * time.Millisecond
	lookShare    = 20 // times as long as it took, each look is to be paid for by waiting
)

// pace says when a lane that is kicked may look again. Looks are paid for later as long
// as they are few, so that one kick is not held up by the look before it.
type pace struct {
	every time.Duration // what may be owed, and the longest pause
	paid  time.Time     // when all looks so far are paid for
}

// pause is how long the lane waits behind a look that began and ended then.
func (p *pace) pause(began, ended time.Time) time.Duration {
	if p.paid.Before(began) {
		p.paid = began
	}
	p.paid = p.paid.Add(lookShare * ended.Sub(began))
	if most := ended.Add(2 * p.every); p.paid.After(most) {
		p.paid = most
	}
	return max(betweenLooks, p.paid.Sub(ended)-p.every)
}

// ahead is how many times as many as are worked on at once a look lists, so that
// not every free hand has to look.
const ahead = 8

// driven is a lane that is being worked off.
type driven struct {
	*Ticker
	Lane
	next   []int64 // listed by the last look, and not begun
	inHand map[int64]bool
	over   chan int64
}

// drive works a lane off: it looks whenever it is kicked, whenever time has passed,
// and whenever what it has listed is used up and there may be more.
func (t *Ticker) drive(ctx context.Context, every time.Duration, l Lane) {
	d := &driven{Ticker: t, Lane: l, inHand: map[int64]bool{}, over: make(chan int64, l.Work)}
	defer func() {
		for range d.inHand {
			<-d.over
		}
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	pace := pace{every: every}
	for {
		began := t.Now()
		more, err := d.look(ctx)
		pause := pace.pause(began, t.Now())
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Log.ErrorContext(ctx, "a look for due work failed", "what", l.Name, "error", err)
		}
		rest.Reset(pause)
		for rested, again := false, false; !rested || !again; {
			d.begin(ctx)
			again = again || (more && len(d.next) == 0 && len(d.inHand) < l.Work)
			if rested && again {
				break
			}
			select {
			case <-t.stopping:
				return
			case <-ctx.Done():
				return
			case <-rest.C:
				rested = true
			case <-l.kick:
				again = true
			case <-tick.C:
				again = true
			case id := <-d.over:
				delete(d.inHand, id)
			}
		}
	}
}

// look lists what is due. It tells whether there may be more.
func (d *driven) look(ctx context.Context) (more bool, err error) {
	most := d.Work * ahead
	d.next, err = d.Due(ctx, most) // some may be in hand, and not claimed yet
	return len(d.next) >= most, err
}

// begin begins on what was listed, as far as there are hands free.
func (d *driven) begin(ctx context.Context) {
	for len(d.next) > 0 && len(d.inHand) < d.Work {
		id := d.next[0]
		d.next = d.next[1:]
		if d.inHand[id] {
			continue
		}
		d.inHand[id] = true
		d.done.Go(func() {
			defer func() { d.over <- id }()
			if err := safely(func() error { return d.Jobs.Assign(ctx, id) }); err != nil && !errors.Is(err, context.Canceled) {
				d.Log.ErrorContext(ctx, "work on an assignment failed", "what", d.Name, "assignment", id, "error", err)
			}
		})
	}
}
