package aws

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// assignmentRequest is the input of both mutations.
type assignmentRequest struct {
	InstanceArn      string
	TargetID         string `json:"TargetId"`
	TargetType       string
	PermissionSetArn string
	PrincipalType    string
	PrincipalID      string `json:"PrincipalId"`
}

func (in assignmentRequest) key() entryKey {
	return entryKey{Key{in.InstanceArn, in.TargetID, in.PermissionSetArn, in.PrincipalID}, in.PrincipalType}
}

// mutate carries out a create or a delete as far as AWS does before it answers.
func (s *Server) mutate(create bool, body []byte, c caller, now time.Time) (*operation, *failure) {
	in, f := decode[assignmentRequest](body)
	if f != nil {
		return nil, f
	}
	k := in.key()
	call := Call{Operation: operationNames[create], Key: k.Key, Group: in.PrincipalType == groupPrincipal, At: now, UserAgent: c.userAgent}
	s.watchMutation(create, k, c, now)
	f = first(s.wellFormed(in, c), s.allowed(k))
	if f == nil {
		f = s.timely(create, k, now)
	}
	if f != nil {
		call.Refused = f.kind
		s.calls = append(s.calls, call)
		s.announce()
		return nil, f
	}
	o := &operation{id: newID(), create: create, key: k, accepted: now, state: inProgress, call: len(s.calls)}
	s.apply(o)
	s.foredoom(o)
	call.RequestID, call.State = o.id, inProgress
	s.calls = append(s.calls, call)
	s.operations = append(s.operations, o)
	s.announce()
	if o.ghostFor > 0 {
		return nil, &failure{status: http.StatusInternalServerError, kind: ghostKind}
	}
	return o, nil
}

var operationNames = map[bool]string{true: "CreateAccountAssignment", false: "DeleteAccountAssignment"}

// ghostKind never reaches a caller: the connection breaks instead.
const ghostKind = "ghost"

func (s *Server) wellFormed(in assignmentRequest, c caller) *failure {
	if in.TargetType != "AWS_ACCOUNT" || (in.PrincipalType != userPrincipal && in.PrincipalType != groupPrincipal) {
		return refuse(invalid, "targetType must be AWS_ACCOUNT, principalType USER or GROUP")
	}
	return first(
		match("targetId", in.TargetID, accountPattern),
		match("principalId", in.PrincipalID, principalPattern),
		s.instance(in.InstanceArn, c),
		s.permissionSet(in.PermissionSetArn),
	)
}

// allowed refuses what no time changes: accounts of others, and for a delegated
// administrator whatever touches the management account.
func (s *Server) allowed(k entryKey) *failure {
	if _, ok := s.accounts[k.AccountID]; !ok {
		return refuse(notFound, "Account %s not found", k.AccountID)
	}
	if !s.opt.Delegated {
		return nil
	}
	if k.AccountID == s.opt.ManagementAccount || s.provisioned(s.opt.ManagementAccount, k.PermissionSetARN) {
		return refuse(accessDenied, "A delegated administrator cannot manage permission sets provisioned in the management account")
	}
	return nil
}

// timely refuses what may be asked again later, and a delete of nothing.
func (s *Server) timely(create bool, k entryKey, now time.Time) *failure {
	if e := s.entries[k]; !create && (e == nil || !e.present) {
		return refuse(notFound, "Could not find the assignment")
	}
	creates := 0
	for _, o := range s.operations {
		busy := o.state == inProgress && !o.stalled && o.ghostFor == 0
		if o.create && o.state == inProgress {
			creates++
		}
		if s.clash(o.key, k) && (busy || (!o.hidden() && now.Before(o.accepted.Add(s.opt.SpreadFor)))) {
			return refuse(conflict, "There is a conflict with a previous successful write")
		}
	}
	if create && s.opt.OutstandingCreates >= 0 && creates >= s.opt.OutstandingCreates {
		s.violate("create number %d while %d were outstanding", creates+1, creates)
		return refuse(throttled, "There are too many requests processing. Please try again later.")
	}
	return nil
}

// clash tells whether two writes keep each other from being made at once.
func (s *Server) clash(a, b entryKey) bool {
	return a.role() == b.role() || (s.opt.OneUpdatePerAccount && a.AccountID == b.AccountID)
}

// foredoom decides what AWS finds out only while it works on an operation.
func (s *Server) foredoom(o *operation) {
	if o.willFail {
		return
	}
	_, known := s.users[o.key.UserID]
	gone := o.key.principalType == userPrincipal && !known
	switch {
	case o.create && s.accounts[o.key.AccountID].suspended:
		o.willFail, o.reason = true, "Received a 403 status error: the account is suspended"
	case gone && (o.create || s.opt.GoneUsersStay):
		o.willFail = true
		o.reason = fmt.Sprintf("Received a 404 status error: the USER assignee %s was not found in directory %s", o.key.UserID, s.opt.IdentityStoreID)
	}
}

// A careful caller does not ask for the same so often: not even when it is throttled,
// or when lists lag.
const (
	oftenWithin = 10 * time.Second
	often       = 12
)

// watchMutation notes what a careful caller never does.
func (s *Server) watchMutation(create bool, k entryKey, c caller, now time.Time) {
	asked := 1
	for _, before := range slices.Backward(s.calls) {
		if now.Sub(before.At) > oftenWithin {
			break
		}
		if before.Key == k.Key && before.Operation == operationNames[create] {
			asked++
		}
	}
	if asked > often {
		s.violate("%s of %s for %s: asked %d times within %s", operationNames[create], k.role(), k.UserID, asked, oftenWithin)
	}
	if c.invocation != "" {
		if s.invoked[c.invocation] {
			s.violate("%s was sent again by the SDK", operationNames[create])
		}
		s.invoked[c.invocation] = true
	}
	for _, o := range s.operations {
		if create && o.create && o.key == k && o.state == inProgress && o.ghostFor == 0 {
			s.violate("create of %s for %s while the first is in progress", k.role(), k.UserID)
			return
		}
	}
}
