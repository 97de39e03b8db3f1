package aws

import (
	"net/http"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// What AWS itself allows, to the knowledge of its documentation.
const (
	CallsPerSecond    = 20 // of sso-admin, all operations together
	OutstandingCreate = 10 // creates in progress, in the whole organisation
)

// Options says how a stand-in behaves.
type Options struct {
	Now             func() time.Time // required
	Region          string           // the instance's; calls signed for another region do not find it
	InstanceARN     string
	IdentityStoreID string

	// ManagementAccount owns the organisation: twelve digits, or empty.
	ManagementAccount string
	// Delegated makes every caller a delegated administrator, who cannot touch
	// permission sets provisioned in the management account.
	Delegated bool

	// An operation settles SettleAfter after it was accepted, or when it has been
	// described SettlePolls times, whichever is sooner. A zero of one of them takes
	// it out of play; with both zero, it has settled when it is next looked at.
	SettleAfter time.Duration
	SettlePolls int
	// SpreadFor is how long after a write another one to the same role (account and
	// permission set) is refused with ConflictException; it is always refused while
	// the first is in progress.
	SpreadFor time.Duration
	// Lists of assignments stay as they were for ListLag after a change, and for the
	// next ListLagReads lists that would show it.
	ListLag      time.Duration
	ListLagReads int

	// GoneUsersStay makes a delete for a user who has left the identity store end
	// FAILED, as AWS has been seen to do; otherwise it succeeds.
	GoneUsersStay bool

	// PageSize bounds every page; zero: 2.
	PageSize int
	// EmptyPages puts an empty page with a token before every list.
	EmptyPages bool

	// CallsPerSecond and OutstandingCreates throttle; zero: as AWS does; below zero:
	// no limit. A test whose clock stands still wants no limit on calls.
	CallsPerSecond     int
	OutstandingCreates int

	// OneUpdatePerAccount refuses a write with ConflictException also while another
	// role of the same account is being written.
	OneUpdatePerAccount bool

	// Record keeps every call of sso-admin for Heard.
	Record bool
}

// Server is the stand-in. It is an http.Handler, and safe for concurrent use.
type Server struct {
	// Faults spoils calls by operation name, such as CreateAccountAssignment.
	Faults fault.Plan

	opt     Options
	handler http.Handler

	mu         sync.Mutex
	users      map[string]User
	accounts   map[string]account
	sets       map[string]PermissionSet
	entries    map[entryKey]*entry
	operations []*operation // in the order in which they were accepted
	calls      []Call
	intervals  []Interval
	violations []string
	invoked    map[string]bool // invocation ids of mutations
	recent     []time.Time     // calls of the last second
	plans      []plan
	heard      []Heard
	changed    chan struct{}
}

// New makes a stand-in without users, accounts or permission sets.
func New(opt Options) *Server {
	if opt.PageSize <= 0 {
		opt.PageSize = 2
	}
	if opt.CallsPerSecond == 0 {
		opt.CallsPerSecond = CallsPerSecond
	}
	if opt.OutstandingCreates == 0 {
		opt.OutstandingCreates = OutstandingCreate
	}
	s := &Server{
		opt:      opt,
		users:    map[string]User{},
		accounts: map[string]account{},
		sets:     map[string]PermissionSet{},
		entries:  map[entryKey]*entry{},
		invoked:  map[string]bool{},
		changed:  make(chan struct{}),
	}
	s.handler = s.Faults.Handler(operationName, http.HandlerFunc(s.serve))
	return s
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// overCalls counts a call and says whether there were too many in the last
// second of the stand-in's clock.
func (s *Server) overCalls(now time.Time) bool {
	if s.opt.CallsPerSecond < 0 {
		return false
	}
	kept := s.recent[:0]
	for _, at := range s.recent {
		if now.Sub(at) < time.Second {
			kept = append(kept, at)
		}
	}
	s.recent = kept
	if len(s.recent) >= s.opt.CallsPerSecond {
		return true
	}
	s.recent = append(s.recent, now)
	return false
}
