// Package identitycenter is the edge towards AWS IAM Identity Center: it finds
// people, assigns and unassigns permission sets, and looks at what is so. It
// decides nothing: every answer is a fact or a *change.OutsideError. It imports
// the domain's values and the AWS SDK.
//
// Creating and deleting are sent exactly once, without the SDK's retries: AWS has
// no client token, so a second attempt after a lost reply could not be told from
// a second request.
package identitycenter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
)

// Options says which Identity Center to talk to, and how.
type Options struct {
	Region          string // required: the instance's home region
	InstanceARN     string // required
	IdentityStoreID string // required, such as d-0123456789

	// EndpointURL serves both services when it is set; otherwise AWS_ENDPOINT_URL,
	// AWS_ENDPOINT_URL_SSO_ADMIN and AWS_ENDPOINT_URL_IDENTITYSTORE do, and then AWS.
	EndpointURL string
	HTTPClient  aws.HTTPClient          // nil: the SDK's own
	Credentials aws.CredentialsProvider // nil: the SDK's default chain

	AttemptTimeout time.Duration // of one HTTP exchange; zero: 10 s
	CallTimeout    time.Duration // of one method, its pages and retries included; zero: 1 min
	ReadAttempts   int           // how often a read is tried within a call; zero: 3

	// Budget says when the calls of sso-admin may be made; nil: at once. A call whose
	// turn does not come within TurnWithin (zero: 20 s) is not made. Waiting counts for
	// CallTimeout.
	Budget     *Budget
	TurnWithin time.Duration
}

const (
	defaultAttemptTimeout = 10 * time.Second
	defaultCallTimeout    = time.Minute
	defaultReadAttempts   = 3
	defaultTurnWithin     = 20 * time.Second
	maxReadBackoff        = 2 * time.Second
)

// Client talks to one Identity Center instance. It is safe for concurrent use.
type Client struct {
	admin       *ssoadmin.Client // reads, with retries
	writer      *ssoadmin.Client // creates and deletes, without
	people      *identitystore.Client
	region      string
	instanceARN string
	storeID     string
	callTimeout time.Duration
	budget      *Budget
	turnWithin  time.Duration
	looks       looks
}

// New makes a client. It calls nobody; CheckInstance does.
func New(ctx context.Context, opt Options) (*Client, error) {
	if opt.Region == "" || opt.InstanceARN == "" || opt.IdentityStoreID == "" {
		return nil, errors.New("identity center: region, instance ARN and identity store id are required")
	}
	if opt.AttemptTimeout <= 0 {
		opt.AttemptTimeout = defaultAttemptTimeout
	}
	if opt.CallTimeout <= 0 {
		opt.CallTimeout = defaultCallTimeout
	}
	if opt.TurnWithin <= 0 {
		opt.TurnWithin = defaultTurnWithin
	}
	if opt.ReadAttempts <= 0 {
		opt.ReadAttempts = defaultReadAttempts
	}
	load := []func(*config.LoadOptions) error{config.WithRegion(opt.Region), config.WithAppID("breakglass")}
	if opt.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(opt.Credentials))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("identity center: loading the AWS configuration: %w", err)
	}
	inner := opt.HTTPClient
	if inner == nil {
		inner = awshttp.NewBuildableClient()
	}
	exchange := &exchanger{inner: inner, timeout: opt.AttemptTimeout}
	budgeted := &exchanger{inner: inner, timeout: opt.AttemptTimeout, budget: opt.Budget, within: opt.TurnWithin}
	// Said outright, so that AWS_RETRY_MODE=adaptive and AWS_MAX_ATTEMPTS of the
	// environment cannot make a mutation be sent twice.
	standard := retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = opt.ReadAttempts, maxReadBackoff
	})
	admin := func(retryer aws.Retryer) *ssoadmin.Client {
		return ssoadmin.NewFromConfig(cfg, func(o *ssoadmin.Options) {
			o.HTTPClient, o.Retryer, o.RetryMode, o.RetryMaxAttempts = budgeted, retryer, aws.RetryModeStandard, 0
			if opt.EndpointURL != "" {
				o.BaseEndpoint = &opt.EndpointURL
			}
		})
	}
	return &Client{
		admin:  admin(standard),
		writer: admin(aws.NopRetryer{}),
		people: identitystore.NewFromConfig(cfg, func(o *identitystore.Options) {
			o.HTTPClient, o.Retryer, o.RetryMode, o.RetryMaxAttempts = exchange, standard, aws.RetryModeStandard, 0
			if opt.EndpointURL != "" {
				o.BaseEndpoint = &opt.EndpointURL
			}
		}),
		region:      opt.Region,
		instanceARN: opt.InstanceARN,
		storeID:     opt.IdentityStoreID,
		callTimeout: opt.CallTimeout,
		budget:      opt.Budget,
		turnWithin:  opt.TurnWithin,
	}, nil
}

// Turn waits until a call of sso-admin may be made: see Budget.Turn. Without a
// budget that is at once.
func (c *Client) Turn(ctx context.Context, within time.Duration) (_ context.Context, done func(), err error) {
	if c.budget == nil {
		return ctx, func() {}, nil
	}
	ctx, done, err = c.budget.Turn(ctx, within)
	if err != nil {
		return ctx, done, outside("wait for a turn", &noTurnError{err})
	}
	return ctx, done, nil
}

func (c *Client) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.callTimeout)
}
