package aws

import (
	"slices"
	"time"
)

// The states of an operation.
const (
	inProgress = "IN_PROGRESS"
	succeeded  = "SUCCEEDED"
	failed     = "FAILED"
)

// operation is an accepted create or delete.
type operation struct {
	id       string
	create   bool
	key      entryKey
	accepted time.Time
	polls    int
	state    string
	reason   string // of the failure that it ends in, or will end in
	willFail bool
	stalled  bool
	ghostFor time.Duration // not zero: seen by nobody until so long after it was accepted
	call     int           // its place in calls
}

func (o *operation) hidden() bool { return o.ghostFor > 0 && o.state == inProgress }

// due says when the operation settles, if the clock or the polls have come so far.
func (s *Server) due(o *operation, now time.Time) (time.Time, bool) {
	at := o.accepted.Add(s.opt.SettleAfter)
	switch {
	case o.state != inProgress || o.stalled:
		return time.Time{}, false
	case o.ghostFor > 0:
		at = o.accepted.Add(o.ghostFor)
		return at, !now.Before(at)
	case s.opt.SettlePolls > 0 && o.polls >= s.opt.SettlePolls:
		return now, true
	case s.opt.SettleAfter == 0 && s.opt.SettlePolls > 0:
		return time.Time{}, false
	}
	return at, !now.Before(at)
}

// settle carries out whatever has come due, in the order in which it came due.
func (s *Server) settle(now time.Time) {
	type step struct {
		at time.Time
		op *operation
	}
	var steps []step
	for _, o := range s.operations {
		if at, ok := s.due(o, now); ok {
			steps = append(steps, step{at, o})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	for _, st := range steps {
		s.finish(st.op, st.at)
	}
}

func (s *Server) finish(o *operation, at time.Time) {
	o.state = succeeded
	if o.willFail {
		o.state = failed
	} else {
		s.set(o.key, o.create, false, at)
	}
	c := &s.calls[o.call]
	c.State, c.Reason, c.Settled = o.state, o.reason, at
	s.announce()
}

// plan is a way in which the next operations of a kind go wrong.
type plan struct {
	create   bool
	left     int
	reason   string
	stall    bool
	ghostFor time.Duration
}

// FailCreates makes the next n creates end FAILED for this reason.
func (s *Server) FailCreates(n int, reason string) {
	s.plan(plan{create: true, left: n, reason: reason})
}

// FailDeletes makes the next n deletes end FAILED for this reason.
func (s *Server) FailDeletes(n int, reason string) { s.plan(plan{left: n, reason: reason}) }

// StallCreates leaves the next n creates in progress until Release.
func (s *Server) StallCreates(n int) { s.plan(plan{create: true, left: n, stall: true}) }

// StallDeletes leaves the next n deletes in progress until Release.
func (s *Server) StallDeletes(n int) { s.plan(plan{left: n, stall: true}) }

// GhostCreates loses the reply of the next n creates; each takes effect, and is
// told of in any list, only so long after it was accepted, which is more than zero.
func (s *Server) GhostCreates(n int, after time.Duration) {
	s.plan(plan{create: true, left: n, ghostFor: after})
}

// Release lets every stalled operation settle like any other.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.operations {
		o.stalled = false
	}
	s.settle(s.opt.Now())
}

// Unplan forgets how coming operations were to go wrong.
func (s *Server) Unplan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plans = nil
}

func (s *Server) plan(p plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plans = append(s.plans, p)
}

// apply makes a new operation go wrong as planned.
func (s *Server) apply(o *operation) {
	for i := range s.plans {
		p := &s.plans[i]
		if p.create != o.create {
			continue
		}
		o.willFail, o.reason = p.reason != "", p.reason
		o.stalled, o.ghostFor = p.stall, p.ghostFor
		if p.left--; p.left <= 0 {
			s.plans = slices.Delete(s.plans, i, i+1)
		}
		return
	}
}
