package reconcile

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Pauses tells whose notifications are paused.
type Pauses interface {
	// PausedUntil tells until when somebody's notifications are paused; the zero
	// time when they are not.
	PausedUntil(ctx context.Context, p change.PersonID, now time.Time) (time.Time, error)
}

// pausesWithin bounds the look at whose notifications are paused. They have been
// asked by then, so nothing waits for it.
const pausesWithin = 5 * time.Second

// everybodyPaused is why the fallback is asked at once.
const everybodyPaused = "everybody of the first groups has notifications paused"

// lookAway finds who of those that were asked has notifications paused: the
// requester is told, and where nobody of the first groups would notice, the
// fallback is asked at once. A look that fails is no hindrance.
func (d *Deliverer) lookAway(ctx context.Context, c *change.Change, asked []change.PersonID, ref change.Ref) error {
	if d.Pauses == nil {
		return nil
	}
	away := d.away(ctx, asked)
	for _, p := range asked {
		if until, paused := away[p]; paused {
			if _, err := d.Workflow.Do(ctx, c.Number, change.ApproverAway{Ask: ref.Ask, Person: p, Until: until}, change.Itself("slack")); err != nil {
				return err
			}
		}
	}
	if ref.Fallback || len(away) == 0 {
		return nil
	}
	view := d.Directory.Groups(ctx, c.GroupsOf(d.Workflow.Rules))
	for _, rule := range c.Missing() {
		some, known := c.Candidates(view, rule, rule.From)
		here := func(p change.PersonID) bool { _, paused := away[p]; return !paused }
		if known && len(some) > 0 && !slices.ContainsFunc(some, here) {
			return d.escalate(ctx, c.Number, ref.Ask, everybodyPaused)
		}
	}
	return nil
}

// away looks at everybody's notifications, side by side.
func (d *Deliverer) away(ctx context.Context, people []change.PersonID) map[change.PersonID]time.Time {
	ctx, cancel := context.WithTimeout(ctx, pausesWithin)
	defer cancel()
	now := d.Now()
	var mu sync.Mutex
	away := map[change.PersonID]time.Time{}
	var all sync.WaitGroup
	for _, p := range people {
		all.Go(func() {
			until, err := d.pausedUntil(ctx, p, now)
			if err != nil {
				d.Log.InfoContext(ctx, "whether somebody has notifications paused could not be looked up", "person", string(p), "error", err)
				return
			}
			if until.After(now) {
				mu.Lock()
				defer mu.Unlock()
				away[p] = until
			}
		})
	}
	all.Wait()
	return away
}

// pausedUntil asks for one person's notifications. A panic is an error of this look: on
// a goroutine of its own it would end the program.
func (d *Deliverer) pausedUntil(ctx context.Context, p change.PersonID, now time.Time) (until time.Time, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return d.Pauses.PausedUntil(ctx, p, now)
}

// coordinatePause is how long to wait before looking again for somebody who
// coordinates a change.
const coordinatePause = 2 * time.Minute

// coordinateOut finds who coordinates the change with its approvers. Nobody may
// be on call just now: it is looked again until the change is over.
func (d *Deliverer) coordinateOut(ctx context.Context, c change.Change, _ *ledger.Delivery) (result, error) {
	switch {
	case len(c.Coordinators) > 0:
		return result{}, nil
	case c.Phase.Final() || c.Phase == change.Ended:
		return result{cancel: "the change is over"}, nil
	}
	people, known := d.Directory.Groups(ctx, c.Plan.CoordinateWith).People(c.Plan.CoordinateWith...)
	if !known {
		return result{later: d.Now().Add(groupPause), waitsFor: "Who coordinates this could not be looked up; asking again."}, nil
	}
	if len(people) == 0 {
		return result{later: d.Now().Add(coordinatePause)}, nil
	}
	_, err := d.Workflow.Do(ctx, c.Number, change.Coordinated{People: people}, change.Itself("directory"))
	return result{}, err
}
