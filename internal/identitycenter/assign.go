package identitycenter

import (
	"context"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// The names of the calls, as errors have them.
const (
	callCreate = "create assignment"
	callDelete = "delete assignment"
)

// Create asks AWS, once, for an assignment. label, such as EC-12, goes into the
// user agent and so into CloudTrail. The answer is an operation, mostly in
// progress; one that has failed is an answer and not an error. After an Unknown
// outcome the assignment may appear, even though nothing shows it yet.
func (c *Client) Create(ctx context.Context, key change.AssignmentKey, label string) (change.AWSOperation, error) {
	if err := sendable(ctx, callCreate, key); err != nil {
		return change.AWSOperation{}, err
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	out, err := c.writer.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: &key.InstanceARN, PermissionSetArn: &key.PermissionSetARN,
		PrincipalId: &key.UserID, PrincipalType: types.PrincipalTypeUser,
		TargetId: &key.AccountID, TargetType: types.TargetTypeAwsAccount,
	}, labelled(label))
	if err != nil {
		return change.AWSOperation{}, outside(callCreate, err)
	}
	return accepted(callCreate, key, out.AccountAssignmentCreationStatus)
}

// Delete asks AWS, once, to take an assignment away. It fails as Missing when AWS
// holds no such assignment, which proves nothing while a create is unresolved.
func (c *Client) Delete(ctx context.Context, key change.AssignmentKey, label string) (change.AWSOperation, error) {
	if err := sendable(ctx, callDelete, key); err != nil {
		return change.AWSOperation{}, err
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	out, err := c.writer.DeleteAccountAssignment(ctx, &ssoadmin.DeleteAccountAssignmentInput{
		InstanceArn: &key.InstanceARN, PermissionSetArn: &key.PermissionSetARN,
		PrincipalId: &key.UserID, PrincipalType: types.PrincipalTypeUser,
		TargetId: &key.AccountID, TargetType: types.TargetTypeAwsAccount,
	}, labelled(label))
	if err != nil {
		return change.AWSOperation{}, outside(callDelete, err)
	}
	return accepted(callDelete, key, out.AccountAssignmentDeletionStatus)
}

// labelled puts the change's number on the wire. Both guards against a retry are
// meant: the client's retryer and this call's.
func labelled(label string) func(*ssoadmin.Options) {
	return func(o *ssoadmin.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, awsmiddleware.AddUserAgentKeyValue("breakglass", label))
	}
}

// sendable refuses a mutation that must not be sent at all.
func sendable(ctx context.Context, call string, key change.AssignmentKey) error {
	if err := ctx.Err(); err != nil {
		return &change.OutsideError{System: change.SystemAWS, Call: call, Outcome: change.NotNow, Say: sayNoWay, Err: err}
	}
	if key.InstanceARN == "" || key.AccountID == "" || key.PermissionSetARN == "" || key.UserID == "" {
		return refused(call, "This access is not fully described, so AWS was not asked.")
	}
	return nil
}

// accepted reads the answer to a mutation. Without a request id, or about another
// assignment, it is not known what AWS did.
func accepted(call string, key change.AssignmentKey, s *types.AccountAssignmentOperationStatus) (change.AWSOperation, error) {
	op, err := operation(call, key.InstanceARN, s)
	if err != nil {
		return change.AWSOperation{}, err
	}
	if s.TargetId == nil && s.PrincipalId == nil && s.PermissionSetArn == nil {
		op.Key = key
	}
	if op.Key != key {
		return change.AWSOperation{}, unreadable(call, "the answer is about another assignment")
	}
	return op, nil
}

const maxReason = 500 // runes of AWS's words that are kept

// operation reads a status as AWS tells it.
func operation(call, instanceARN string, s *types.AccountAssignmentOperationStatus) (change.AWSOperation, error) {
	if s == nil || aws.ToString(s.RequestId) == "" {
		return change.AWSOperation{}, unreadable(call, "the answer holds no request id")
	}
	op := change.AWSOperation{
		RequestID: *s.RequestId,
		Key: change.AssignmentKey{
			InstanceARN: instanceARN, AccountID: aws.ToString(s.TargetId),
			PermissionSetARN: aws.ToString(s.PermissionSetArn), UserID: aws.ToString(s.PrincipalId),
		},
		Created: aws.ToTime(s.CreatedDate),
	}
	switch s.Status {
	case types.StatusValuesInProgress:
		op.State = change.OperationInProgress
	case types.StatusValuesSucceeded:
		op.State = change.OperationSucceeded
	case types.StatusValuesFailed:
		op.State = change.OperationFailed
		op.Reason = shortened(aws.ToString(s.FailureReason))
	default:
		return change.AWSOperation{}, unreadable(call, "the answer holds a state that is not known here")
	}
	return op, nil
}

func shortened(s string) string {
	if utf8.RuneCountInString(s) <= maxReason {
		return s
	}
	return string([]rune(s)[:maxReason]) + "…"
}
