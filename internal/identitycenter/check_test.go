package identitycenter_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
)

func TestTheConfiguredInstanceMustBeThereInItsRegion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		alter func(*identitycenter.Options)
		says  string // empty: all is well
	}{
		{"as it is", func(*identitycenter.Options) {}, ""},
		{"another region", func(o *identitycenter.Options) { o.Region = "us-east-1" }, "in us-east-1"},
		{"another instance", func(o *identitycenter.Options) { o.InstanceARN = instance[:len(instance)-1] + "0" }, "no Identity Center instance"},
		{"another store", func(o *identitycenter.Options) { o.IdentityStoreID = "d-9999999999" }, "identity store"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			err := newClient(t, b.url, c.alter).CheckInstance(context.Background())
			if c.says == "" {
				noError(t, err)
				return
			}
			if e := outsideWith(t, err, change.Refused); !strings.Contains(e.Say, c.says) {
				t.Fatalf("says %q", e.Say)
			}
		})
	}
}

func TestTheSessionDurationIsReadAsISO8601(t *testing.T) {
	t.Parallel()
	for told, want := range map[string]time.Duration{
		"PT1H": time.Hour, "PT12H": 12 * time.Hour, "PT1H30M": 90 * time.Minute, "PT3600S": time.Hour, "P1D": 24 * time.Hour, "": time.Hour,
		"P1Y": 0, "1h": 0, "PT": 0, "P": 0, "-PT1H": 0, "PT0S": 0,
	} {
		b := setup(t)
		b.aws.AddPermissionSet(sandbox.PermissionSet{ARN: setARN, Name: "BreakGlassAdmin", SessionDuration: told})
		got, err := b.client.SessionDuration(context.Background(), setARN)
		if want == 0 {
			wantOutcome(t, err, change.Unknown)
			continue
		}
		if err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", told, got, err, want)
		}
	}
}

func TestTheEndpointsOfTheEnvironmentAreHonoured(t *testing.T) {
	b, other := setup(t), setup(t)
	t.Setenv("AWS_ENDPOINT_URL", other.url)
	t.Setenv("AWS_ENDPOINT_URL_SSO_ADMIN", b.url)
	client := newClient(t, "")
	other.aws.RemoveUser(ada)
	if _, err := client.CheckUser(context.Background(), bob); err != nil {
		t.Fatal(err)
	}
	_, err := client.CheckUser(context.Background(), ada) // identitystore takes the common endpoint
	wantOutcome(t, err, change.Missing)
	_, err = client.Create(context.Background(), adaAdmin, "EC-1")
	noError(t, err)
	if len(b.aws.History()) != 1 || len(other.aws.History()) != 0 {
		t.Fatal("sso-admin did not take its own endpoint")
	}
}

func TestAClientNeedsToKnowItsInstance(t *testing.T) {
	t.Parallel()
	for _, opt := range []identitycenter.Options{
		{InstanceARN: instance, IdentityStoreID: storeID},
		{Region: region, IdentityStoreID: storeID},
		{Region: region, InstanceARN: instance},
	} {
		if _, err := identitycenter.New(context.Background(), opt); err == nil {
			t.Errorf("made from %+v", opt)
		}
	}
}
