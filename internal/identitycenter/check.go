package identitycenter

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// CheckInstance looks, when the program starts, whether the configured
// instance is there, in this region, with the configured identity store. It fails
// as Refused, with a sentence that says what to put right.
func (c *Client) CheckInstance(ctx context.Context) error {
	const call = "check instance"
	ctx, cancel := c.within(ctx)
	defer cancel()
	all, err := pages(ctx, call, func(ctx context.Context, token *string) ([]types.InstanceMetadata, *string, error) {
		out, err := c.admin.ListInstances(ctx, &ssoadmin.ListInstancesInput{MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Instances, out.NextToken, nil
	})
	if err != nil {
		return err
	}
	for _, i := range all {
		if aws.ToString(i.InstanceArn) != c.instanceARN {
			continue
		}
		if id := aws.ToString(i.IdentityStoreId); id != c.storeID {
			return refused(call, fmt.Sprintf("The identity store of %s is %q, not %q as configured.", c.instanceARN, id, c.storeID))
		}
		if i.Status != "" && i.Status != types.InstanceStatusActive {
			return refused(call, fmt.Sprintf("The Identity Center instance is in the state %q.", i.Status))
		}
		return nil
	}
	return refused(call, fmt.Sprintf("There is no Identity Center instance %s in %s that these AWS credentials can see; the region must be the instance's own.", c.instanceARN, c.region))
}

// defaultSession is AWS's, for a permission set that tells none.
const defaultSession = time.Hour

// SessionDuration answers how long a session of a permission set lives, and so by
// how much one may outlive the deleted assignment.
func (c *Client) SessionDuration(ctx context.Context, permissionSetARN string) (time.Duration, error) {
	const call = "describe permission set"
	ctx, cancel := c.within(ctx)
	defer cancel()
	out, err := c.admin.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{
		InstanceArn: &c.instanceARN, PermissionSetArn: &permissionSetARN,
	})
	if err != nil {
		return 0, outside(call, err)
	}
	if out.PermissionSet == nil {
		return 0, unreadable(call, "the answer holds no permission set")
	}
	told := aws.ToString(out.PermissionSet.SessionDuration)
	if told == "" {
		return defaultSession, nil
	}
	d, ok := parseISO8601(told)
	if !ok {
		return 0, unreadable(call, fmt.Sprintf("the session duration %q is no duration", told))
	}
	return d, nil
}

// Years and months have no fixed length, and no session lasts so long.
var iso8601 = regexp.MustCompile(`^P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.\d+)?S)?)?$`)

// parseISO8601 reads a duration such as PT1H or PT1H30M. It refuses one that is
// not longer than nothing.
func parseISO8601(s string) (time.Duration, bool) {
	parts := iso8601.FindStringSubmatch(s)
	if parts == nil {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.Atoi(parts[i+1])
		if err != nil {
			return 0, false
		}
		d += time.Duration(n) * unit
	}
	return d, d > 0
}
