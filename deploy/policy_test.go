package deploy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type policy struct {
	Statement []struct {
		Sid, Effect string
		Action      []string
		Resource    []string
	}
}

func TestThePolicyAllowsTheCallsMadeAndNoOthers(t *testing.T) {
	t.Parallel()
	var got []string
	for _, statement := range fromJSON[policy](t, "iam-policy.json").Statement {
		if statement.Effect != "Allow" {
			t.Errorf("%s: effect %q", statement.Sid, statement.Effect)
		}
		got = append(got, statement.Action...)
		if anything := slices.Contains(statement.Resource, "*"); anything && !slices.Equal(statement.Action, []string{"sso:ListInstances"}) {
			t.Errorf("%s is allowed on every resource; only sso:ListInstances knows no narrower one", statement.Sid)
		}
	}
	slices.Sort(got)
	want := []string{
		"identitystore:DescribeUser",
		"identitystore:GetUserId",
		"sso:CreateAccountAssignment",
		"sso:DeleteAccountAssignment",
		"sso:DescribeAccountAssignmentCreationStatus",
		"sso:DescribeAccountAssignmentDeletionStatus",
		"sso:DescribePermissionSet",
		"sso:ListAccountAssignmentCreationStatus",
		"sso:ListAccountAssignmentDeletionStatus",
		"sso:ListAccountAssignments",
		"sso:ListInstances",
		"sso:ListPermissionSetsProvisionedToAccount",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions, wanted (-), allowed (+):\n%s", diff)
	}
}

func TestThePolicyReachesTheTargetsOfTheExampleAndNoOthers(t *testing.T) {
	t.Parallel()
	configured := readExample(t)
	want := []string{configured.AWS.InstanceARN}
	for _, target := range configured.Targets {
		want = append(want, "arn:aws:sso:::account/"+target.AccountID)
		for _, set := range target.PermissionSets {
			want = append(want, set.ARN)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	for _, statement := range fromJSON[policy](t, "iam-policy.json").Statement {
		switch statement.Sid {
		case "AssignAndObserve", "KnowPermissionSets":
			got := slices.Sorted(slices.Values(statement.Resource))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: resources, wanted (-), allowed (+):\n%s", statement.Sid, diff)
			}
		case "FollowRequests":
			if diff := cmp.Diff([]string{configured.AWS.InstanceARN}, statement.Resource); diff != "" {
				t.Errorf("%s: resources, wanted (-), allowed (+):\n%s", statement.Sid, diff)
			}
		case "FindPeople":
			if !strings.HasSuffix(statement.Resource[0], ":identitystore/"+configured.AWS.IdentityStoreID) {
				t.Errorf("%s: %s is not the example's identity store", statement.Sid, statement.Resource[0])
			}
		}
	}
}
