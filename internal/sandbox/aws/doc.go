// Package aws is a stand-in for AWS IAM Identity Center: the parts of sso-admin
// and identitystore that granting and taking back access needs, over their real
// wire protocol (AWS JSON 1.1), with state, with their delays, and with their
// ways of going wrong.
//
// It keeps no time of its own: operations settle on the clock it is given, or
// after having been asked about a number of times. It imports nothing of the
// program that it stands in front of, so that a mistake there is not repeated
// here. Key has the fields of change.AssignmentKey and converts from it.
package aws
