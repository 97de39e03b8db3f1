package identitycenter

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/breakglass-bot/breakglass/internal/change"
)

const (
	callList = "list assignments"
	pageSize = 100  // AWS's largest
	maxPages = 1000 // a list longer than that, or without an end, is no answer
)

// Assigned says whether AWS lists this assignment for the user themselves; what
// they have through a group does not count. Lists lag behind: one that shows
// nothing is no proof alone. It fails as Missing when AWS does not know the
// instance or the permission set.
//
// Those who ask about the same account and permission set while a list of it waits
// for its turn share that list: it is begun after each of them has asked.
func (c *Client) Assigned(ctx context.Context, key change.AssignmentKey) (bool, error) {
	users, err := c.look(ctx, pairOf(key))
	if err != nil {
		return false, err
	}
	return slices.Contains(users, key.UserID), nil
}

// listUsers lists the users to whom a permission set is assigned directly.
func (c *Client) listUsers(ctx context.Context, p pair) ([]string, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	all, err := pages(ctx, callList, func(ctx context.Context, token *string) ([]types.AccountAssignment, *string, error) {
		out, err := c.admin.ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{
			InstanceArn: &p.instanceARN, AccountId: &p.accountID, PermissionSetArn: &p.permissionSetARN,
			MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.AccountAssignments, out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	var users []string
	for _, a := range all {
		if a.PrincipalType == types.PrincipalTypeUser && aws.ToString(a.AccountId) == p.accountID && aws.ToString(a.PermissionSetArn) == p.permissionSetARN {
			users = append(users, aws.ToString(a.PrincipalId))
		}
	}
	return users, nil
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
