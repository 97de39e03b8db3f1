package deploy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type policy struct {
	Version   string
	Statement []struct {
		Sid, Effect string
		Action      []string
		Resource    []string
	}
}

// allowed is what one statement allows, each list in order.
type allowed struct{ Actions, Resources []string }

func ordered(names ...string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// TestThePolicyAllowsTheCallsMadeOnTheExamplesTargetsAndNothingElse compares the
// whole: each statement, its actions and its resources.
func TestThePolicyAllowsTheCallsMadeOnTheExamplesTargetsAndNothingElse(t *testing.T) {
	t.Parallel()
	configured := readExample(t)
	instance := configured.AWS.InstanceARN
	var sets, accounts []string
	for _, target := range configured.Targets {
		accounts = append(accounts, "arn:aws:sso:::account/"+target.AccountID)
		for _, set := range target.PermissionSets {
			sets = append(sets, set.ARN)
		}
	}
	const someAccount = "arn:aws:identitystore::999900001111:identitystore/" // whoever uses it puts their own here
	want := map[string]allowed{
		"AssignAndObserve": {
			ordered("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment", "sso:ListAccountAssignments"),
			ordered(slices.Concat([]string{instance}, sets, accounts)...),
		},
		"FollowRequests": {
			ordered("sso:DescribeAccountAssignmentCreationStatus", "sso:DescribeAccountAssignmentDeletionStatus",
				"sso:ListAccountAssignmentCreationStatus", "sso:ListAccountAssignmentDeletionStatus"),
			ordered(instance),
		},
		"KnowPermissionSets": {ordered("sso:DescribePermissionSet"), ordered(append([]string{instance}, sets...)...)},
		"FindTheInstance":    {ordered("sso:ListInstances"), ordered("*")}, // it knows no narrower resource
		"FindPeople": {
			ordered("identitystore:DescribeUser", "identitystore:GetUserId"),
			ordered(someAccount+configured.AWS.IdentityStoreID, "arn:aws:identitystore:::user/*"),
		},
	}
	p := fromJSON[policy](t, "iam-policy.json")
	if p.Version != "2012-10-17" {
		t.Errorf("version %q", p.Version)
	}
	got := map[string]allowed{}
	for _, statement := range p.Statement {
		if _, twice := got[statement.Sid]; twice || statement.Effect != "Allow" {
			t.Errorf("%q stands there twice, or its effect is %q", statement.Sid, statement.Effect)
		}
		got[statement.Sid] = allowed{ordered(statement.Action...), ordered(statement.Resource...)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), allowed (+):\n%s", diff)
	}
}

// TestEveryAllowedActionIsCalled holds the policy against the calls of the SDK in
// internal/identitycenter.
func TestEveryAllowedActionIsCalled(t *testing.T) {
	t.Parallel()
	calls := source(t, "identitycenter")
	for _, statement := range fromJSON[policy](t, "iam-policy.json").Statement {
		for _, action := range statement.Action {
			if _, name, _ := strings.Cut(action, ":"); !strings.Contains(calls, "."+name+"(ctx,") {
				t.Errorf("%s is allowed, and nothing calls it", action)
			}
		}
	}
}
