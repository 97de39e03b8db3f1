package main

import (
	"context"
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
)

// turnTime moves the clock of everything: to the next moment at which anything
// is due, and only when nothing is due now, nobody who is alive works on
// anything, and all people wait for something that has not come to pass. So no
// time passes while somebody is in the middle of a call, as it would not in
// reality, and none is waited for.
func (a *arena) turnTime(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := a.jump(ctx); err != nil && ctx.Err() == nil {
			a.fail(fmt.Errorf("move the clock: %w", err))
			return
		}
	}
}

func (a *arena) jump(ctx context.Context) error {
	by, err := a.untilDue(ctx, a.awaited())
	if err != nil || by <= 0 {
		return err
	}
	a.people.Lock()
	defer a.people.Unlock()
	if a.acting > 0 || len(a.waiting) == 0 {
		return nil
	}
	for _, holds := range a.waiting {
		if holds() {
			return nil
		}
	}
	// Somebody may have done something since: look again, with everybody held still.
	if by, err = a.untilDue(ctx, a.moment); err != nil || by <= 0 {
		return err
	}
	return a.forward(by + time.Millisecond)
}

// passTo lets the clock come to a moment at which nothing is due that the arena knows of.
func (a *arena) passTo(at time.Time) { a.people.Lock(); a.moment = at; a.people.Unlock() }

func (a *arena) awaited() time.Time { a.people.Lock(); defer a.people.Unlock(); return a.moment }

// untilDue is how long nothing is due, and no moment comes that somebody waits for; not
// positive when something is due, or when somebody works on something.
func (a *arena) untilDue(ctx context.Context, moment time.Time) (time.Duration, error) {
	marks := []string{}
	for _, r := range a.replicas {
		r.mu.Lock()
		if r.child != nil {
			marks = append(marks, r.mark+"%")
		}
		r.mu.Unlock()
	}
	if len(marks) < len(a.replicas) {
		return 0, nil // somebody is being started
	}
	now := a.now()
	var working, assign bool
	var due *time.Time
	err := a.pool.QueryRow(ctx, `WITH due AS (
			SELECT next_at AS at, '' AS claim, FALSE AS assignment FROM changes WHERE next_at IS NOT NULL
			UNION ALL SELECT GREATEST(next_try, lease_until), claim, FALSE FROM deliveries WHERE next_try IS NOT NULL
			UNION ALL SELECT GREATEST(next_try, lease_until), claim, TRUE FROM assignments WHERE next_try IS NOT NULL
		) SELECT coalesce(bool_or(claim LIKE ANY ($1)), FALSE), coalesce(bool_or(assignment AND at <= $2), FALSE),
			min(at) FILTER (WHERE NOT assignment OR at > $2) FROM due`, marks, now).Scan(&working, &assign, &due)
	if moment.After(now) && (due == nil || moment.Before(*due)) {
		due = &moment
	}
	if err != nil || working || due == nil {
		return 0, err
	}
	if assign {
		if its, err := a.turns(ctx, now); err != nil || its {
			return 0, err
		}
	}
	return due.Sub(now), nil
}

// turns tells whether it is the turn of any assignment that is due. Others wait for
// one that is under way, or that somebody who has died had in hand.
func (a *arena) turns(ctx context.Context, now time.Time) (bool, error) {
	access := reconcile.Access{Ledger: ledger.New(a.pool), Now: func() time.Time { return now }}
	for _, lane := range ledger.Lanes() {
		if due, err := access.DueIn(ctx, lane, 1); err != nil || len(due) > 0 {
			return true, err
		}
	}
	return false, nil
}
