package identitycenter

import (
	"context"
	"sync"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// pair is what one list of assignments is about.
type pair struct{ instanceARN, accountID, permissionSetARN string }

func pairOf(k change.AssignmentKey) pair {
	return pair{k.InstanceARN, k.AccountID, k.PermissionSetARN}
}

// looks are the lists of assignments that wait for their turn.
type looks struct {
	mu      sync.Mutex
	waiting map[pair]*look
}

// look is one list that others may share until it begins.
type look struct {
	urgency change.Urgency
	done    chan struct{}
	users   []string
	err     error
	unbegun bool // its turn never came
}

// look answers the users of a pair, by a list that begins after now.
func (c *Client) look(ctx context.Context, p pair) ([]string, error) {
	for {
		l, first := c.looks.join(p, change.UrgencyOf(ctx))
		if first {
			c.lead(ctx, p, l)
			return l.users, l.err
		}
		select {
		case <-ctx.Done():
			return nil, outside(callList, &noTurnError{ctx.Err()})
		case <-l.done:
		}
		if !l.unbegun { // else who was to make the list gave up
			return l.users, l.err
		}
	}
}

// join answers the list of a pair that waits and is as urgent, or a new one, which
// the caller has to make.
func (all *looks) join(p pair, u change.Urgency) (l *look, first bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if l := all.waiting[p]; l != nil && l.urgency <= u {
		return l, false
	}
	if all.waiting == nil {
		all.waiting = map[pair]*look{}
	}
	l = &look{urgency: u, done: make(chan struct{})}
	all.waiting[p] = l // a less urgent one goes on for those who share it
	return l, true
}

// begun keeps others from sharing a list from now on.
func (all *looks) begun(p pair, l *look) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.waiting[p] == l {
		delete(all.waiting, p)
	}
}

// lead makes a list when its turn has come.
func (c *Client) lead(ctx context.Context, p pair, l *look) {
	defer close(l.done)
	ctx, done, err := c.Turn(ctx, c.turnWithin)
	c.looks.begun(p, l)
	if err != nil {
		l.err, l.unbegun = err, true
		return
	}
	defer done()
	l.users, l.err = c.listUsers(ctx, p)
}
