package aws

import (
	"slices"
	"strings"
	"time"
)

// The types of principal.
const (
	userPrincipal  = "USER"
	groupPrincipal = "GROUP"
)

// Key is one possible access. It has the fields of change.AssignmentKey.
type Key struct {
	InstanceARN      string
	AccountID        string
	PermissionSetARN string
	UserID           string
}

// entryKey is a Key for either type of principal.
type entryKey struct {
	Key
	principalType string
}

// role names what AWS makes in an account for a permission set.
func (k entryKey) role() string { return k.AccountID + " " + k.PermissionSetARN }

// entry is what is so, and what lists still show.
type entry struct {
	present  bool
	since    time.Time
	standing bool // planted, not created over the wire

	shown    bool
	lagUntil time.Time
	lagReads int
}

// catchUp lets lists see what is so when their lag is over.
func (e *entry) catchUp(now time.Time) {
	if e.lagReads == 0 && !now.Before(e.lagUntil) {
		e.shown = e.present
	}
}

// listed answers what a list shows of the entry now; it spends one stale read.
func (e *entry) listed(now time.Time) bool {
	e.catchUp(now)
	if e.lagReads > 0 && e.shown != e.present {
		e.lagReads--
	}
	return e.shown
}

// set makes an access present or absent at a moment. Nothing changes when it is
// so already.
func (s *Server) set(k entryKey, present, standing bool, at time.Time) {
	e := s.entries[k]
	if e == nil {
		e = &entry{}
		s.entries[k] = e
	}
	if e.present == present {
		return
	}
	e.catchUp(at)
	e.present, e.since, e.standing = present, at, standing
	e.lagUntil, e.lagReads = at.Add(s.opt.ListLag), s.opt.ListLagReads
	if standing { // was there long before anybody looked
		e.shown, e.lagUntil, e.lagReads = present, at, 0
	}
	if present {
		s.intervals = append(s.intervals, Interval{Key: k.Key, Group: k.principalType == groupPrincipal, Standing: standing, From: at})
	} else {
		for i := range slices.Backward(s.intervals) {
			if in := &s.intervals[i]; in.Key == k.Key && in.Group == (k.principalType == groupPrincipal) {
				in.To = at
				break
			}
		}
	}
	s.announce()
}

// Plant makes an access that somebody else gave, as if it had always been there.
func (s *Server) Plant(k Key) { s.plant(entryKey{k, userPrincipal}, true) }

// PlantGroup gives the access to a group, whose id stands in UserID.
func (s *Server) PlantGroup(k Key) { s.plant(entryKey{k, groupPrincipal}, true) }

// Uproot takes an access away as somebody else in the AWS console would.
func (s *Server) Uproot(k Key) { s.plant(entryKey{k, userPrincipal}, false) }

func (s *Server) plant(k entryKey, present bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opt.Now()
	s.settle(now)
	s.set(k, present, present, now)
	s.entries[k].shown, s.entries[k].lagReads, s.entries[k].lagUntil = present, 0, now
}

// sorted answers the entries in the order in which lists give them.
func (s *Server) sorted() []entryKey {
	return s.sortedOf(func(entryKey) bool { return true })
}

// sortedOf is sorted for some of them.
func (s *Server) sortedOf(is func(entryKey) bool) []entryKey {
	keys := make([]entryKey, 0, 8)
	for k := range s.entries {
		if is(k) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b entryKey) int {
		return strings.Compare(a.role()+a.UserID+a.principalType, b.role()+b.UserID+b.principalType)
	})
	return keys
}
