package identitycenter

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	pageSize = 100  // AWS's largest
	maxPages = 1000 // a list longer than that, or without an end, is no answer
)

// Assigned says whether AWS lists this assignment for the user themselves; what
// they have through a group does not count. Lists lag behind: one that shows
// nothing is no proof alone. It fails as Missing when AWS does not know the
// instance or the permission set.
func (c *Client) Assigned(ctx context.Context, key change.AssignmentKey) (bool, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	all, err := pages(ctx, "list assignments", func(ctx context.Context, token *string) ([]types.AccountAssignment, *string, error) {
		out, err := c.admin.ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{
			InstanceArn: &key.InstanceARN, AccountId: &key.AccountID, PermissionSetArn: &key.PermissionSetARN,
			MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.AccountAssignments, out.NextToken, nil
	})
	if err != nil {
		return false, err
	}
	for _, a := range all {
		if a.PrincipalType == types.PrincipalTypeUser && aws.ToString(a.PrincipalId) == key.UserID &&
			aws.ToString(a.AccountId) == key.AccountID && aws.ToString(a.PermissionSetArn) == key.PermissionSetARN {
			return true, nil
		}
	}
	return false, nil
}

// pages collects a list to its end. A page may be empty and still have another
// behind it; an answer without the list is not an empty list but no answer.
func pages[T any](ctx context.Context, call string, page func(context.Context, *string) ([]T, *string, error)) ([]T, error) {
	var all []T
	var token *string
	for range maxPages {
		items, next, err := page(ctx, token)
		if err != nil {
			return nil, outside(call, err)
		}
		if items == nil {
			return nil, unreadable(call, "the answer holds no list")
		}
		all = append(all, items...)
		if aws.ToString(next) == "" {
			return all, nil
		}
		if aws.ToString(token) == *next {
			return nil, unreadable(call, "the list leads back to the same page")
		}
		token = next
	}
	return nil, unreadable(call, "the list has no end")
}
