package identitycenter

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The names of the calls, as errors have them.
const (
	callCreation      = "look at a creation"
	callDeletion      = "look at a deletion"
	callFindCreations = "find creations"
	callFindDeletions = "find deletions"
)

// CreationStatus answers how far a create has come. It fails as Missing when AWS
// does not know the request.
func (c *Client) CreationStatus(ctx context.Context, requestID string) (change.AWSOperation, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	s, err := c.creation(ctx, c.instanceARN, requestID)
	if err != nil {
		return change.AWSOperation{}, outside(callCreation, err)
	}
	return asked(callCreation, c.instanceARN, requestID, s)
}

// DeletionStatus answers how far a delete has come. It fails as Missing when AWS
// does not know the request.
func (c *Client) DeletionStatus(ctx context.Context, requestID string) (change.AWSOperation, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	s, err := c.deletion(ctx, c.instanceARN, requestID)
	if err != nil {
		return change.AWSOperation{}, outside(callDeletion, err)
	}
	return asked(callDeletion, c.instanceARN, requestID, s)
}

// FindCreations answers the creates of exactly this assignment that AWS accepted
// at since or later by its own clock, oldest first: the way to a request whose
// reply was lost. Leave room in since for clocks that differ. An empty answer
// proves nothing about a request sent a moment ago. Each request of that time is
// described, one call each, so keep since recent.
func (c *Client) FindCreations(ctx context.Context, key change.AssignmentKey, since time.Time) ([]change.AWSOperation, error) {
	list := func(ctx context.Context, token *string) ([]types.AccountAssignmentOperationStatusMetadata, *string, error) {
		out, err := c.admin.ListAccountAssignmentCreationStatus(ctx, &ssoadmin.ListAccountAssignmentCreationStatusInput{
			InstanceArn: &key.InstanceARN, MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.AccountAssignmentsCreationStatus, out.NextToken, nil
	}
	return c.find(ctx, callFindCreations, key, since, list, c.creation)
}

// FindDeletions is FindCreations for deletes.
func (c *Client) FindDeletions(ctx context.Context, key change.AssignmentKey, since time.Time) ([]change.AWSOperation, error) {
	list := func(ctx context.Context, token *string) ([]types.AccountAssignmentOperationStatusMetadata, *string, error) {
		out, err := c.admin.ListAccountAssignmentDeletionStatus(ctx, &ssoadmin.ListAccountAssignmentDeletionStatusInput{
			InstanceArn: &key.InstanceARN, MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.AccountAssignmentsDeletionStatus, out.NextToken, nil
	}
	return c.find(ctx, callFindDeletions, key, since, list, c.deletion)
}

type (
	statusLister func(ctx context.Context, token *string) ([]types.AccountAssignmentOperationStatusMetadata, *string, error)
	describer    func(ctx context.Context, instanceARN, requestID string) (*types.AccountAssignmentOperationStatus, error)
)

func (c *Client) find(ctx context.Context, call string, key change.AssignmentKey, since time.Time, list statusLister, describe describer) ([]change.AWSOperation, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	all, err := pages(ctx, call, list)
	if err != nil {
		return nil, err
	}
	var found []change.AWSOperation
	for _, m := range all {
		if m.CreatedDate != nil && m.CreatedDate.Before(since) {
			continue
		}
		s, err := describe(ctx, key.InstanceARN, aws.ToString(m.RequestId))
		if err != nil {
			e := outside(call, err)
			if isMissing(e) { // listed, yet not to be described: the search has a hole, so it is none
				e = &change.OutsideError{System: change.SystemAWS, Call: call, Outcome: change.NotNow, Say: sayBusy, Err: err}
			}
			return nil, e
		}
		op, err := asked(call, key.InstanceARN, aws.ToString(m.RequestId), s)
		if err != nil {
			return nil, err
		}
		if op.Key == key && s.PrincipalType == types.PrincipalTypeUser {
			found = append(found, op)
		}
	}
	slices.SortStableFunc(found, func(a, b change.AWSOperation) int { return a.Created.Compare(b.Created) })
	return found, nil
}

func (c *Client) creation(ctx context.Context, instanceARN, requestID string) (*types.AccountAssignmentOperationStatus, error) {
	out, err := c.admin.DescribeAccountAssignmentCreationStatus(ctx, &ssoadmin.DescribeAccountAssignmentCreationStatusInput{
		InstanceArn: &instanceARN, AccountAssignmentCreationRequestId: &requestID,
	})
	if err != nil {
		return nil, err
	}
	return out.AccountAssignmentCreationStatus, nil
}

func (c *Client) deletion(ctx context.Context, instanceARN, requestID string) (*types.AccountAssignmentOperationStatus, error) {
	out, err := c.admin.DescribeAccountAssignmentDeletionStatus(ctx, &ssoadmin.DescribeAccountAssignmentDeletionStatusInput{
		InstanceArn: &instanceARN, AccountAssignmentDeletionRequestId: &requestID,
	})
	if err != nil {
		return nil, err
	}
	return out.AccountAssignmentDeletionStatus, nil
}

// asked reads a described operation, which must be the one that was asked about.
func asked(call, instanceARN, requestID string, s *types.AccountAssignmentOperationStatus) (change.AWSOperation, error) {
	op, err := operation(call, instanceARN, s)
	if err != nil {
		return change.AWSOperation{}, err
	}
	if op.RequestID != requestID {
		return change.AWSOperation{}, unreadable(call, "the answer is about another request")
	}
	return op, nil
}
