package identitycenter

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// What people are told about their own AWS user.
const (
	sayNoEmail  = "Slack tells no e-mail address of yours, so your AWS user cannot be found; an Identity Center user id can be configured for you instead."
	sayNoUser   = "There is no AWS user with your e-mail address; somebody must create one, or configure the id of the one you have."
	sayTwoUsers = "More than one AWS user has your e-mail address; the id of the right one must be configured."
	sayOther    = "The AWS user that was found has another e-mail address than you; the id of the right one must be configured."
	sayDisabled = "Your AWS user is disabled; somebody must enable it in IAM Identity Center."
	sayGone     = "There is no AWS user with this id any more."
)

// FindUser finds the one enabled user with this e-mail address. AWS looks for
// exactly the spelling that it is given, so the address is tried as typed and in
// lower case; letters outside ASCII are never folded, because some of them fold
// onto an ASCII letter and so onto somebody else's address. It fails as Missing
// when there is no such user, and as Refused when there are two, or the one is
// disabled. Freeze the user's id: the address may belong to another person later.
func (c *Client) FindUser(ctx context.Context, email string) (change.AWSUser, error) {
	const call = "find user"
	ctx, cancel := c.within(ctx)
	defer cancel()
	email = strings.TrimSpace(email)
	if email == "" {
		return change.AWSUser{}, refused(call, sayNoEmail)
	}
	spellings := []string{email}
	if lower := lowerASCII(email); lower != email {
		spellings = append(spellings, lower)
	}
	id := ""
	for _, spelling := range spellings {
		found, err := c.userID(ctx, call, spelling)
		switch {
		case isMissing(err):
			continue
		case err != nil:
			return change.AWSUser{}, err
		case id != "" && found != id:
			return change.AWSUser{}, refused(call, sayTwoUsers)
		}
		id = found
	}
	if id == "" {
		return change.AWSUser{}, missing(call, sayNoUser)
	}
	out, err := c.describe(ctx, call, id)
	if isMissing(err) { // found a moment ago, and gone
		return change.AWSUser{}, missing(call, sayNoUser)
	}
	if err != nil {
		return change.AWSUser{}, err
	}
	user := userOf(out)
	for _, e := range out.Emails {
		if lowerASCII(aws.ToString(e.Value)) == lowerASCII(email) {
			user.Email = aws.ToString(e.Value)
			return user, standing(call, out)
		}
	}
	return change.AWSUser{}, refused(call, sayOther)
}

// CheckUser looks at a user by the id that was frozen or configured. It fails as
// Missing when there is none, and as Refused when the user is disabled.
func (c *Client) CheckUser(ctx context.Context, userID string) (change.AWSUser, error) {
	const call = "check user"
	ctx, cancel := c.within(ctx)
	defer cancel()
	out, err := c.describe(ctx, call, userID)
	if isMissing(err) {
		return change.AWSUser{}, missing(call, sayGone)
	}
	if err != nil {
		return change.AWSUser{}, err
	}
	return userOf(out), standing(call, out)
}

func standing(call string, out *identitystore.DescribeUserOutput) error {
	if out.UserStatus == types.UserStatusDisabled {
		return refused(call, sayDisabled)
	}
	return nil
}

func (c *Client) userID(ctx context.Context, call, email string) (string, error) {
	out, err := c.people.GetUserId(ctx, &identitystore.GetUserIdInput{
		IdentityStoreId: &c.storeID,
		AlternateIdentifier: &types.AlternateIdentifierMemberUniqueAttribute{Value: types.UniqueAttribute{
			AttributePath: aws.String("emails.value"), AttributeValue: document.NewLazyDocument(email),
		}},
	})
	if err != nil {
		return "", outside(call, err)
	}
	if aws.ToString(out.UserId) == "" {
		return "", unreadable(call, "the answer holds no user id")
	}
	return *out.UserId, nil
}

func (c *Client) describe(ctx context.Context, call, id string) (*identitystore.DescribeUserOutput, error) {
	out, err := c.people.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: &c.storeID, UserId: &id})
	if err != nil {
		return nil, outside(call, err)
	}
	if aws.ToString(out.UserId) != id {
		return nil, unreadable(call, "the answer is about another user than was asked for")
	}
	return out, nil
}

// userOf has the primary e-mail address, or the first.
func userOf(out *identitystore.DescribeUserOutput) change.AWSUser {
	user := change.AWSUser{ID: aws.ToString(out.UserId), UserName: aws.ToString(out.UserName)}
	for _, e := range out.Emails {
		if user.Email == "" || e.Primary {
			user.Email = aws.ToString(e.Value)
		}
	}
	return user
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
