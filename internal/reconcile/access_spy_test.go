package reconcile_test

import (
	"context"
	"sync"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
)

// spy counts calls to AWS, and acts before and after each. It is AWS over the
// wire all the same.
type spy struct {
	reconcile.AWS
	mu     sync.Mutex
	counts map[string]int
	before func(call string)
	after  func(call string)
}

func (s *spy) around(call string) func() {
	s.mu.Lock()
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	s.counts[call]++
	s.mu.Unlock()
	if s.before != nil {
		s.before(call)
	}
	return func() {
		if s.after != nil {
			s.after(call)
		}
	}
}

func (s *spy) Turn(ctx context.Context, within time.Duration) (context.Context, func(), error) {
	after := s.around("turn")
	ctx, done, err := s.AWS.Turn(ctx, within)
	after()
	return ctx, done, err
}

func (s *spy) Assigned(ctx context.Context, key change.AssignmentKey) (bool, error) {
	after := s.around("list")
	there, err := s.AWS.Assigned(ctx, key)
	after()
	return there, err
}

func (s *spy) Create(ctx context.Context, key change.AssignmentKey, label string) (change.AWSOperation, error) {
	after := s.around("create")
	op, err := s.AWS.Create(ctx, key, label)
	after()
	return op, err
}

func (s *spy) Delete(ctx context.Context, key change.AssignmentKey, label string) (change.AWSOperation, error) {
	after := s.around("delete")
	op, err := s.AWS.Delete(ctx, key, label)
	after()
	return op, err
}

func (s *spy) CreationStatus(ctx context.Context, id string) (change.AWSOperation, error) {
	after := s.around("creation")
	op, err := s.AWS.CreationStatus(ctx, id)
	after()
	return op, err
}

func (s *spy) DeletionStatus(ctx context.Context, id string) (change.AWSOperation, error) {
	after := s.around("deletion")
	op, err := s.AWS.DeletionStatus(ctx, id)
	after()
	return op, err
}

func (s *spy) FindCreations(ctx context.Context, key change.AssignmentKey, since time.Time) ([]change.AWSOperation, error) {
	after := s.around("find creations")
	ops, err := s.AWS.FindCreations(ctx, key, since)
	after()
	return ops, err
}

func (s *spy) FindDeletions(ctx context.Context, key change.AssignmentKey, since time.Time) ([]change.AWSOperation, error) {
	after := s.around("find deletions")
	ops, err := s.AWS.FindDeletions(ctx, key, since)
	after()
	return ops, err
}
