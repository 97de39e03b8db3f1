package aws_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

const (
	instance = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
	setARN   = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef"
	account  = "111122223333"
	ada      = "93d4a8e2-1111-2222-3333-444455556666"
	storeID  = "d-0123456789"
	tuple    = `{"InstanceArn":"` + instance + `","TargetId":"` + account + `","TargetType":"AWS_ACCOUNT","PermissionSetArn":"` + setARN + `","PrincipalType":"USER","PrincipalId":"` + ada + `"}`
	list     = `{"InstanceArn":"` + instance + `","AccountId":"` + account + `","PermissionSetArn":"` + setARN + `"}`
	signed   = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260314/eu-west-1/%s/aws4_request, SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000"
)

var (
	start = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	key   = aws.Key{InstanceARN: instance, AccountID: account, PermissionSetARN: setARN, UserID: ada}
)

type bundle struct {
	*aws.Server
	mu  sync.Mutex
	at  time.Time
	url string
}

func (b *bundle) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *bundle) forward(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

func setup(t *testing.T, opt aws.Options) *bundle {
	t.Helper()
	b := &bundle{at: start}
	opt.Now, opt.Region, opt.InstanceARN, opt.IdentityStoreID = b.now, "eu-west-1", instance, storeID
	b.Server = aws.New(opt)
	b.AddUser(aws.User{ID: ada, UserName: "ada", Email: "ada@example.com"})
	b.AddAccount(account)
	b.AddPermissionSet(aws.PermissionSet{ARN: setARN, Name: "BreakGlassAdmin", SessionDuration: "PT1H"})
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

type answer struct {
	status int
	header http.Header
	body   map[string]any
}

// call sends one signed request; header pairs alter it.
func (b *bundle) call(t *testing.T, target, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	service := "sso"
	if strings.HasPrefix(target, "AWSIdentityStore.") {
		service = "identitystore"
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", strings.Replace(signed, "%s", service, 1))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header}
	if err := json.Unmarshal(raw, &a.body); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return a
}

func (b *bundle) admin(t *testing.T, operation, body string, header ...string) answer {
	t.Helper()
	return b.call(t, "SWBExternalService."+operation, body, header...)
}

func TestARefusalHasAWSsWireShape(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{})
	for _, c := range []struct {
		name, target, body, kind string
		header                   []string
	}{
		{"unsigned", "SWBExternalService.ListInstances", `{}`, "MissingAuthenticationTokenException", []string{"Authorization", "Bearer x"}},
		{"signed for another service", "AWSIdentityStore.ListUsers", `{}`, "UnknownOperationException", []string{"Authorization", strings.Replace(signed, "%s", "sso", 1)}},
		{"no such operation", "SWBExternalService.Nothing", `{}`, "UnknownOperationException", nil},
		{"unknown member", "SWBExternalService.ListInstances", `{"Nothing":1}`, "SerializationException", nil},
		{"another protocol", "SWBExternalService.ListInstances", `{}`, "SerializationException", []string{"Content-Type", "application/json"}},
		{"bad account", "SWBExternalService.ListAccountAssignments", strings.Replace(list, account, "1", 1), "ValidationException", nil},
		{"bad token", "SWBExternalService.ListAccountAssignments", strings.Replace(list, `{`, `{"NextToken":"x",`, 1), "ValidationException", nil},
		{"unknown permission set", "SWBExternalService.ListAccountAssignments", strings.Replace(list, "ps-0", "ps-9", 1), "ResourceNotFoundException", nil},
		{"absent assignment", "SWBExternalService.DeleteAccountAssignment", tuple, "ResourceNotFoundException", nil},
		{"e-mail in another case", "AWSIdentityStore.GetUserId", `{"IdentityStoreId":"` + storeID + `","AlternateIdentifier":{"UniqueAttribute":{"AttributePath":"emails.value","AttributeValue":"Ada@example.com"}}}`, "ResourceNotFoundException", nil},
		{"bad path", "AWSIdentityStore.GetUserId", `{"IdentityStoreId":"` + storeID + `","AlternateIdentifier":{"UniqueAttribute":{"AttributePath":"email","AttributeValue":"ada@example.com"}}}`, "ValidationException", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := b.call(t, c.target, c.body, c.header...)
			if a.status != http.StatusBadRequest || a.body["__type"] != c.kind || a.body["Message"] == "" ||
				a.header.Get("X-Amzn-Errortype") != c.kind || a.header.Get("X-Amzn-Requestid") == "" {
				t.Fatalf("%+v", a)
			}
		})
	}
}

func TestAnOperationSettlesByTheClockAtItsOwnMoment(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{SettleAfter: 5 * time.Second})
	b.admin(t, "CreateAccountAssignment", tuple, "User-Agent", "breakglass/EC-1")
	b.forward(4 * time.Second)
	if b.Has(key) {
		t.Fatal("too soon")
	}
	b.forward(time.Hour) // looked at late, settled in time
	if a := b.Assignments(); len(a) != 1 || a[0].Key != key || a[0].Standing || !a[0].Since.Equal(start.Add(5*time.Second)) {
		t.Fatalf("%+v", a)
	}
	h := b.History()
	if len(h) != 1 || h[0].UserAgent != "breakglass/EC-1" || h[0].State != "SUCCEEDED" || !h[0].At.Equal(start) || !h[0].Settled.Equal(start.Add(5*time.Second)) {
		t.Fatalf("%+v", h)
	}
	b.admin(t, "DeleteAccountAssignment", tuple)
	b.forward(time.Minute)
	in := b.Intervals()
	if len(in) != 1 || in[0].To.Sub(in[0].From) != time.Hour+4*time.Second {
		t.Fatalf("%+v", in)
	}
}

func TestAnOperationSettlesByPollsWithoutAnyClock(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{SettlePolls: 2})
	a := b.admin(t, "CreateAccountAssignment", tuple)
	id := a.body["AccountAssignmentCreationStatus"].(map[string]any)["RequestId"].(string)
	for _, want := range []string{"IN_PROGRESS", "SUCCEEDED"} {
		a = b.admin(t, "DescribeAccountAssignmentCreationStatus", `{"InstanceArn":"`+instance+`","AccountAssignmentCreationRequestId":"`+id+`"}`)
		if got := a.body["AccountAssignmentCreationStatus"].(map[string]any)["Status"]; got != want {
			t.Fatalf("%v, want %s", got, want)
		}
	}
	if !b.Has(key) {
		t.Fatal("succeeded, and not there")
	}
}

func TestAStalledOperationWaitsForItsRelease(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{SettleAfter: time.Second})
	b.Plant(key)
	b.StallDeletes(1)
	b.admin(t, "DeleteAccountAssignment", tuple)
	b.forward(time.Hour)
	if !b.Has(key) {
		t.Fatal("settled all the same")
	}
	b.Release()
	if b.Has(key) {
		t.Fatal("not settled after its release")
	}
}

func TestAMutationThatTheSDKRetriesIsAViolation(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{SettleAfter: time.Minute})
	b.admin(t, "CreateAccountAssignment", tuple, "Amz-Sdk-Invocation-Id", "one")
	if v := b.Violations(); len(v) != 0 {
		t.Fatalf("%v", v)
	}
	a := b.admin(t, "CreateAccountAssignment", tuple, "Amz-Sdk-Invocation-Id", "one")
	if a.body["__type"] != "ConflictException" {
		t.Fatalf("%+v", a)
	}
	if v := b.Violations(); len(v) != 2 { // sent again, and created again while in progress
		t.Fatalf("%v", v)
	}
}

func TestAskingForTheSameWithoutAPauseIsAViolation(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{CallsPerSecond: -1})
	for n := range 13 {
		if v := b.Violations(); len(v) != 0 {
			t.Fatalf("after %d deletes: %v", n, v)
		}
		b.admin(t, "DeleteAccountAssignment", tuple)
	}
	if v := b.Violations(); len(v) != 1 || !strings.Contains(v[0], "asked 13 times within 10s") {
		t.Fatalf("%v", v)
	}
}

func TestThereIsALimitOnCallsOfSSOAdminOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{})
	for range aws.CallsPerSecond {
		if a := b.admin(t, "ListInstances", `{}`); a.status != http.StatusOK {
			t.Fatalf("%+v", a)
		}
	}
	if a := b.admin(t, "ListInstances", `{}`); a.body["__type"] != "ThrottlingException" {
		t.Fatalf("%+v", a)
	}
	if a := b.call(t, "AWSIdentityStore.ListUsers", `{"IdentityStoreId":"`+storeID+`"}`); a.status != http.StatusOK || len(a.body["Users"].([]any)) != 1 {
		t.Fatalf("%+v", a)
	}
}

func TestWhoeverWaitsIsWokenByAChange(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{})
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() { done <- b.Wait(ctx, func() bool { return b.Has(key) }) }()
	b.admin(t, "CreateAccountAssignment", tuple)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := b.Wait(ctx, func() bool { return false }); err == nil {
		t.Fatal("waited for ever")
	}
}

func TestAFaultSpoilsTheOperationItNames(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{})
	b.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: "ListUsers", Times: 1})
	if a := b.admin(t, "ListInstances", `{}`); a.status != http.StatusOK {
		t.Fatalf("%+v", a)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{}`))
	r.Header.Set("X-Amz-Target", "AWSIdentityStore.ListUsers")
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	if w.Code != http.StatusTooManyRequests {
		t.Fatal(w.Code)
	}
}

func TestTheDomainsKeyConverts(t *testing.T) {
	t.Parallel()
	if aws.Key(change.AssignmentKey{InstanceARN: instance, AccountID: account, PermissionSetARN: setARN, UserID: ada}) != key {
		t.Fatal("another key")
	}
}
