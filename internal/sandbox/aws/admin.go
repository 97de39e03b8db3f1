package aws

import (
	"net/http"
	"strings"
	"time"
)

// admin answers an operation of sso-admin.
func (s *Server) admin(name string, body []byte, c caller, now time.Time) (any, *failure) {
	switch name {
	case "CreateAccountAssignment", "DeleteAccountAssignment":
		create := name == operationNames[true]
		o, f := s.mutate(create, body, c, now)
		if f != nil {
			if f.kind == ghostKind {
				panic(http.ErrAbortHandler)
			}
			return nil, f
		}
		return map[string]any{statusMember(create): status(o)}, nil
	case "DescribeAccountAssignmentCreationStatus":
		return s.describeCreation(body, c, now)
	case "DescribeAccountAssignmentDeletionStatus":
		return s.describeDeletion(body, c, now)
	case "ListAccountAssignmentCreationStatus":
		return s.listStatuses(true, body, c)
	case "ListAccountAssignmentDeletionStatus":
		return s.listStatuses(false, body, c)
	case "ListAccountAssignments":
		return s.listAssignments(body, c, now)
	case "DescribePermissionSet":
		return s.describePermissionSet(body, c)
	case "ListInstances":
		return s.listInstances(body, c)
	}
	return nil, refuse("UnknownOperationException", "no operation %q", name)
}

func (s *Server) listAssignments(body []byte, c caller, now time.Time) (any, *failure) {
	in, f := decode[struct {
		InstanceArn      string
		AccountID        string `json:"AccountId"`
		PermissionSetArn string
		paging
	}](body)
	if f == nil {
		f = first(match("accountId", in.AccountID, accountPattern), s.instance(in.InstanceArn, c), s.permissionSet(in.PermissionSetArn))
	}
	if f != nil {
		return nil, f
	}
	all := []map[string]any{}
	for _, k := range s.sortedOf(func(k entryKey) bool { return k.AccountID == in.AccountID && k.PermissionSetARN == in.PermissionSetArn }) {
		e := s.entries[k]
		shown := e.shown
		if in.NextToken == "" { // the later pages of a list spend no stale read
			shown = e.listed(now)
		}
		if shown {
			all = append(all, map[string]any{
				"AccountId": k.AccountID, "PermissionSetArn": k.PermissionSetARN,
				"PrincipalId": k.UserID, "PrincipalType": k.principalType,
			})
		}
	}
	page, next, f := cut(s, all, in.paging)
	if f != nil {
		return nil, f
	}
	return struct {
		AccountAssignments []map[string]any
		NextToken          *string `json:",omitempty"`
	}{page, next}, nil
}

// provisioned says whether an account holds the role of a permission set: it does
// while anybody is assigned.
func (s *Server) provisioned(accountID, set string) bool {
	for k, e := range s.entries {
		if e.present && k.AccountID == accountID && k.PermissionSetARN == set {
			return true
		}
	}
	return false
}

func (s *Server) describePermissionSet(body []byte, c caller) (any, *failure) {
	in, f := decode[struct{ InstanceArn, PermissionSetArn string }](body)
	if f == nil {
		f = first(s.instance(in.InstanceArn, c), s.permissionSet(in.PermissionSetArn))
	}
	if f != nil {
		return nil, f
	}
	set := s.sets[in.PermissionSetArn]
	told := map[string]any{"Name": set.Name, "PermissionSetArn": set.ARN}
	if set.SessionDuration != "" {
		told["SessionDuration"] = set.SessionDuration
	}
	return map[string]any{"PermissionSet": told}, nil
}

func (s *Server) listInstances(body []byte, c caller) (any, *failure) {
	in, f := decode[struct {
		RegionScope string
		paging
	}](body)
	if f != nil {
		return nil, f
	}
	all := []map[string]any{}
	if c.region == s.opt.Region {
		owner := s.opt.ManagementAccount
		if owner == "" {
			owner = strings.Repeat("0", 12)
		}
		all = append(all, map[string]any{
			"InstanceArn": s.opt.InstanceARN, "IdentityStoreId": s.opt.IdentityStoreID, "OwnerAccountId": owner, "Status": "ACTIVE",
		})
	}
	page, next, f := cut(s, all, in.paging)
	if f != nil {
		return nil, f
	}
	return struct {
		Instances []map[string]any
		NextToken *string `json:",omitempty"`
	}{page, next}, nil
}
