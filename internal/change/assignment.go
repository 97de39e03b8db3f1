package change

import "time"

// AssignmentKey is one possible access in AWS: this person, with this
// permission set, in this account of this Identity Center instance.
type AssignmentKey struct {
	InstanceARN      string
	AccountID        string
	PermissionSetARN string
	UserID           string // Identity Center user id, frozen at the request
}

// AWSUser is a person in the identity store.
type AWSUser struct {
	ID       string
	UserName string
	Email    string
}

// AWSOperationState is how far an asynchronous request to AWS has come.
type AWSOperationState string

// The states of an asynchronous request.
const (
	OperationInProgress AWSOperationState = "in progress"
	OperationSucceeded  AWSOperationState = "succeeded"
	OperationFailed     AWSOperationState = "failed"
)

// AWSOperation is an asynchronous create or delete as AWS tells of it.
type AWSOperation struct {
	RequestID string
	State     AWSOperationState
	Key       AssignmentKey
	Reason    string    // AWS's words, when it failed
	Created   time.Time // zero when AWS did not say
}
