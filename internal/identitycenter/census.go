package identitycenter

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// AssignedUsers lists the users to whom a permission set is assigned in an account
// directly, each once, and counts the groups to which it is, which are nobody's
// affair here. pace is called before each page and may wait; when it fails, so
// does the list. Unlike other reads no page is tried again: whoever lists many
// pairs is to give way when AWS throttles. It fails as Missing when AWS does not
// know the permission set or the account, and as Refused when it is not for us to
// look at.
func (c *Client) AssignedUsers(ctx context.Context, accountID, permissionSetARN string, pace func(context.Context) error) (users []string, groups int, err error) {
	all, err := pages(ctx, "take a census", func(ctx context.Context, token *string) ([]types.AccountAssignment, *string, error) {
		if err := pace(ctx); err != nil {
			return nil, nil, err
		}
		ctx, cancel := c.within(ctx)
		defer cancel()
		out, err := c.admin.ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{
			InstanceArn: &c.instanceARN, AccountId: &accountID, PermissionSetArn: &permissionSetARN,
			MaxResults: aws.Int32(pageSize), NextToken: token,
		}, func(o *ssoadmin.Options) { o.Retryer = aws.NopRetryer{} })
		if err != nil {
			return nil, nil, err
		}
		return out.AccountAssignments, out.NextToken, nil
	})
	if err != nil {
		return nil, 0, err
	}
	for _, a := range all {
		id := aws.ToString(a.PrincipalId)
		switch {
		case aws.ToString(a.AccountId) != accountID || aws.ToString(a.PermissionSetArn) != permissionSetARN:
			return nil, 0, unreadable("take a census", "the list is about another account or permission set")
		case a.PrincipalType != types.PrincipalTypeUser:
			groups++
		case id != "" && !slices.Contains(users, id):
			users = append(users, id)
		}
	}
	return users, groups, nil
}
