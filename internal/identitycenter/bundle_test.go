package identitycenter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

// The tests must depend on nothing of the machine's own AWS configuration.
func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			must(os.Unsetenv(name))
		}
	}
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		// What a machine may well have set, and what must not make a mutation be sent twice.
		"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "5",
	} {
		must(os.Setenv(name, value))
	}
	os.Exit(m.Run())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

const (
	region     = "eu-west-1"
	instance   = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
	storeID    = "d-0123456789"
	account    = "111122223333"
	management = "999988887777"
	setARN     = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef"
	readARN    = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-fedcba9876543210"
	ada        = "93d4a8e2-1111-2222-3333-444455556666"
	bob        = "0123456789-93d4a8e2-1111-2222-3333-444455557777"
)

var (
	adaAdmin = change.AssignmentKey{InstanceARN: instance, AccountID: account, PermissionSetARN: setARN, UserID: ada}
	bobAdmin = change.AssignmentKey{InstanceARN: instance, AccountID: account, PermissionSetARN: setARN, UserID: bob}
	start    = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type bundle struct {
	aws    *sandbox.Server
	clock  *clock
	url    string
	client *identitycenter.Client
}

// setup starts a stand-in with two people, one account and two permission sets,
// and a client whose reads are tried once.
func setup(t *testing.T, alter ...func(*sandbox.Options)) *bundle {
	t.Helper()
	b := &bundle{clock: &clock{at: start}}
	opt := sandbox.Options{
		Now: b.clock.now, Region: region, InstanceARN: instance, IdentityStoreID: storeID,
		ManagementAccount: management, CallsPerSecond: -1, SettleAfter: 3 * time.Second,
	}
	for _, f := range alter {
		f(&opt)
	}
	b.aws = sandbox.New(opt)
	b.aws.AddUser(sandbox.User{ID: ada, UserName: "ada", Email: "ada@example.com"})
	b.aws.AddUser(sandbox.User{ID: bob, UserName: "bob", Email: "bob@example.com"})
	b.aws.AddAccount(account)
	b.aws.AddAccount(management)
	b.aws.AddPermissionSet(sandbox.PermissionSet{ARN: setARN, Name: "BreakGlassAdmin", SessionDuration: "PT1H"})
	b.aws.AddPermissionSet(sandbox.PermissionSet{ARN: readARN, Name: "BreakGlassReadOnly"})
	server := httptest.NewServer(b.aws)
	t.Cleanup(server.Close)
	b.url = server.URL
	b.client = newClient(t, server.URL)
	return b
}

func newClient(t *testing.T, url string, alter ...func(*identitycenter.Options)) *identitycenter.Client {
	t.Helper()
	opt := identitycenter.Options{
		Region: region, InstanceARN: instance, IdentityStoreID: storeID, EndpointURL: url,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "wJalrSECRET", ""), ReadAttempts: 1,
		HTTPClient: ownClient(t),
	}
	for _, f := range alter {
		f(&opt)
	}
	c, err := identitycenter.New(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ownClient keeps its connections to itself, so that a closing server waits for nobody.
func ownClient(t *testing.T) aws.HTTPClient {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// wantOutcome demands an error of another system with this outcome.
func wantOutcome(t *testing.T, err error, want change.Outcome) {
	t.Helper()
	_ = outsideWith(t, err, want) // the rest of it does not matter here
}

// outsideWith is like wantOutcome, and gives the error.
func outsideWith(t *testing.T, err error, want change.Outcome) *change.OutsideError {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want the outcome %q", want)
	}
	outside, ok := err.(*change.OutsideError) //nolint:errorlint // adapters answer exactly this type
	if !ok {
		t.Fatalf("error is %T: %v; want a *change.OutsideError", err, err)
	}
	if outside.Outcome != want {
		t.Fatalf("outcome %q, want %q: %v", outside.Outcome, want, err)
	}
	if outside.System != change.SystemAWS || outside.Call == "" || outside.Say == "" {
		t.Fatalf("error tells too little: %+v", outside)
	}
	if strings.Contains(err.Error(), "wJalrSECRET") {
		t.Fatalf("error holds a secret: %v", err)
	}
	return outside
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
