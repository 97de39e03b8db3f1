package slackapp_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// What a form and its submission look up in other systems than Slack.
const (
	lookUser         = "AWS user"
	lookAccess       = "AWS access"
	lookTicket       = "ticket"
	lookIncident     = "incident"
	lookIncidents    = "incidents"
	lookSeverities   = "severities"
	lookMergeRequest = "merge request"
)

// wayOut is how a system fails to answer: as every adapter reports it, once it has
// read what came over the wire.
type wayOut struct {
	outcome change.Outcome // empty: an error that no adapter has classified
	stalls  bool           // until whoever asks gives up
}

func waysOut() map[string]wayOut {
	return map[string]wayOut{
		"refused": {outcome: change.Refused}, "missing": {outcome: change.Missing}, "not now": {outcome: change.NotNow},
		"unknown": {outcome: change.Unknown}, "unclassified": {}, "no answer": {outcome: change.Unknown, stalls: true},
	}
}

// spoilt answers as the systems outside do, but for the look-ups that are spoiled.
type spoilt struct {
	*outside
	lab *gitlabOutside

	held  sync.Mutex
	calls []string
	way   wayOut
	hits  int
}

func (s *spoilt) spoil(way wayOut, calls ...string) {
	s.held.Lock()
	defer s.held.Unlock()
	s.way, s.calls = way, calls
}

func (s *spoilt) failed() int { s.held.Lock(); defer s.held.Unlock(); return s.hits }

// fails is the error of a look-up that is spoiled. One that stalls lasts until it is
// given up; a look-up that nobody bounds lasts longer than Slack waits for an answer.
func (s *spoilt) fails(ctx context.Context, call string) error {
	s.held.Lock()
	way, spoils := s.way, slices.Contains(s.calls, call)
	if spoils {
		s.hits++
	}
	s.held.Unlock()
	switch {
	case !spoils:
		return nil
	case way.stalls:
		<-ctx.Done()
	case way.outcome == "":
		return errors.New("broken pipe")
	}
	return &change.OutsideError{Call: call, Outcome: way.outcome}
}

func (s *spoilt) FindUser(ctx context.Context, email string) (change.AWSUser, error) {
	if err := s.fails(ctx, lookUser); err != nil {
		return change.AWSUser{}, err
	}
	return s.outside.FindUser(ctx, email)
}

func (s *spoilt) Assigned(ctx context.Context, key change.AssignmentKey) (bool, error) {
	if err := s.fails(ctx, lookAccess); err != nil {
		return false, err
	}
	return s.outside.Assigned(ctx, key)
}

func (s *spoilt) Ticket(ctx context.Context, key string) (change.Ticket, error) {
	if err := s.fails(ctx, lookTicket); err != nil {
		return change.Ticket{}, err
	}
	return s.outside.Ticket(ctx, key)
}

func (s *spoilt) Live(ctx context.Context) ([]change.Incident, error) {
	if err := s.fails(ctx, lookIncidents); err != nil {
		return nil, err
	}
	return s.outside.Live(ctx)
}

func (s *spoilt) Recent(ctx context.Context) ([]change.Incident, error) {
	if err := s.fails(ctx, lookIncidents); err != nil {
		return nil, err
	}
	return s.outside.Recent(ctx)
}

func (s *spoilt) Incident(ctx context.Context, id string) (change.Incident, error) {
	if err := s.fails(ctx, lookIncident); err != nil {
		return change.Incident{}, err
	}
	return s.outside.Incident(ctx, id)
}

func (s *spoilt) ByReferenceOrURL(ctx context.Context, given string) (change.Incident, error) {
	return s.Incident(ctx, given)
}

func (s *spoilt) Severities(ctx context.Context) ([]change.IncidentSeverity, error) {
	if err := s.fails(ctx, lookSeverities); err != nil {
		return nil, err
	}
	return s.outside.Severities(ctx)
}

func (s *spoilt) Parse(address string) (change.MergeRequestRef, error) { return s.lab.Parse(address) }

func (s *spoilt) Look(ctx context.Context, ref change.MergeRequestRef) (change.MergeRequest, error) {
	if err := s.fails(ctx, lookMergeRequest); err != nil {
		return change.MergeRequest{}, err
	}
	return s.lab.Look(ctx, ref)
}
