package aws

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Access is somebody's access as it is, whatever lists show.
type Access struct {
	Key      Key
	Group    bool // UserID is a group's id
	Standing bool // planted
	Since    time.Time
}

// Interval is an access from when it became real until it ceased to be.
type Interval struct {
	Key      Key
	Group    bool
	Standing bool
	From     time.Time
	To       time.Time // zero while it lasts
}

// Call is a create or a delete that reached the stand-in.
type Call struct {
	Operation string // CreateAccountAssignment or DeleteAccountAssignment
	Key       Key
	Group     bool
	At        time.Time
	UserAgent string
	Refused   string    // the exception; empty when it was accepted
	RequestID string    // empty when it was refused
	State     string    // IN_PROGRESS, SUCCEEDED or FAILED; empty when it was refused
	Reason    string    // of FAILED
	Settled   time.Time // zero while in progress
}

// Assignments answers who has what now.
func (s *Server) Assignments() []Access {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.opt.Now())
	var all []Access
	for _, k := range s.sorted() {
		if e := s.entries[k]; e.present {
			all = append(all, Access{Key: k.Key, Group: k.principalType == groupPrincipal, Standing: e.standing, Since: e.since})
		}
	}
	return all
}

// Has says whether a user has this access now.
func (s *Server) Has(k Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.opt.Now())
	e := s.entries[entryKey{k, userPrincipal}]
	return e != nil && e.present
}

// Intervals answers every access that ever was, in the order of their beginnings.
func (s *Server) Intervals() []Interval {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.opt.Now())
	return slices.Clone(s.intervals)
}

// History answers every create and delete, refused ones too, oldest first. Calls
// that a fault kept from being carried out are not among them.
func (s *Server) History() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.opt.Now())
	return slices.Clone(s.calls)
}

// Violations answers what a careful caller would not have done.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Server) violate(format string, args ...any) {
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// Changed answers a channel that is closed at the next change: an access come or
// gone, a call made, an operation settled. What is due by the clock changes only
// when somebody looks; Settle looks.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Settle carries out what has come due by the clock.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.opt.Now())
}

// Wait looks after every change until ok is content, or ctx is done.
func (s *Server) Wait(ctx context.Context, ok func() bool) error {
	for {
		changed := s.Changed()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the stand-in: %w", ctx.Err())
		}
	}
}

// announce wakes whoever waits. The lock is held.
func (s *Server) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}
