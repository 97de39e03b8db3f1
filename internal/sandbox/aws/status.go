package aws

import (
	"slices"
	"time"
)

func statusMember(create bool) string {
	if create {
		return "AccountAssignmentCreationStatus"
	}
	return "AccountAssignmentDeletionStatus"
}

// status is an operation as AWS describes it.
func status(o *operation) map[string]any {
	told := map[string]any{
		"Status": o.state, "RequestId": o.id, "CreatedDate": epoch(o.accepted),
		"TargetId": o.key.AccountID, "TargetType": "AWS_ACCOUNT", "PermissionSetArn": o.key.PermissionSetARN,
		"PrincipalId": o.key.UserID, "PrincipalType": o.key.principalType,
	}
	if o.state == failed {
		told["FailureReason"] = o.reason
	}
	return told
}

func (s *Server) describeCreation(body []byte, c caller, now time.Time) (any, *failure) {
	in, f := decode[struct {
		InstanceArn string
		RequestID   string `json:"AccountAssignmentCreationRequestId"`
	}](body)
	if f != nil {
		return nil, f
	}
	return s.describe(true, in.InstanceArn, in.RequestID, c, now)
}

func (s *Server) describeDeletion(body []byte, c caller, now time.Time) (any, *failure) {
	in, f := decode[struct {
		InstanceArn string
		RequestID   string `json:"AccountAssignmentDeletionRequestId"`
	}](body)
	if f != nil {
		return nil, f
	}
	return s.describe(false, in.InstanceArn, in.RequestID, c, now)
}

func (s *Server) describe(create bool, instance, id string, c caller, now time.Time) (any, *failure) {
	if f := first(s.instance(instance, c), match("requestId", id, requestPattern)); f != nil {
		return nil, f
	}
	for _, o := range s.operations {
		if o.id == id && o.create == create && !o.hidden() {
			o.polls++
			s.settle(now)
			return map[string]any{statusMember(create): status(o)}, nil
		}
	}
	return nil, refuse(notFound, "Could not find the request %s", id)
}

func (s *Server) listStatuses(create bool, body []byte, c caller) (any, *failure) {
	in, f := decode[struct {
		InstanceArn string
		Filter      *struct{ Status string }
		paging
	}](body)
	if f == nil {
		f = s.instance(in.InstanceArn, c)
	}
	if f != nil {
		return nil, f
	}
	all := []map[string]any{}
	for _, o := range slices.Backward(s.operations) {
		if o.create != create || o.hidden() || (in.Filter != nil && in.Filter.Status != "" && in.Filter.Status != o.state) {
			continue
		}
		all = append(all, map[string]any{"Status": o.state, "RequestId": o.id, "CreatedDate": epoch(o.accepted)})
	}
	page, next, f := cut(s, all, in.paging)
	if f != nil {
		return nil, f
	}
	answer := map[string]any{"AccountAssignmentsCreationStatus": page}
	if !create {
		answer = map[string]any{"AccountAssignmentsDeletionStatus": page}
	}
	if next != nil {
		answer["NextToken"] = *next
	}
	return answer, nil
}
