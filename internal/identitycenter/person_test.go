package identitycenter_test

import (
	"context"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

func TestAPersonIsFoundByTheirAddressInEitherSpelling(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	kelvin := "93d4a8e2-1111-2222-3333-444455558888"
	for _, c := range []struct {
		name   string
		stored string // ada's address in AWS
		asked  string
		want   string // the id, or
		fails  change.Outcome
		says   string
	}{
		{name: "same", stored: "ada@example.com", asked: "ada@example.com", want: ada},
		{name: "capitals in Slack", stored: "ada@example.com", asked: "Ada@Example.com", want: ada},
		{name: "capitals in both", stored: "Ada@Example.com", asked: "Ada@Example.com", want: ada},
		{name: "spaces around", stored: "ada@example.com", asked: " ada@example.com\n", want: ada},
		{name: "nobody", stored: "ada@example.com", asked: "eve@example.com", fails: change.Missing, says: "no AWS user with your e-mail"},
		{name: "no address", stored: "ada@example.com", asked: " ", fails: change.Refused, says: "e-mail"},
		{name: "two users", stored: "Bob@example.com", asked: "Bob@example.com", fails: change.Refused, says: "More than one"},
		{name: "a Kelvin sign is no k", stored: "ada@example.com", asked: "\u212Aim@example.com", fails: change.Missing, says: "no AWS user"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.aws.AddUser(sandbox.User{ID: ada, UserName: "ada", Email: c.stored})
			b.aws.AddUser(sandbox.User{ID: kelvin, UserName: "kim", Email: "kim@example.com"})
			user, err := b.client.FindUser(ctx, c.asked)
			if c.fails != "" {
				if e := outsideWith(t, err, c.fails); !strings.Contains(e.Say, c.says) {
					t.Fatalf("says %q", e.Say)
				}
				return
			}
			noError(t, err)
			if user != (change.AWSUser{ID: c.want, UserName: "ada", Email: c.stored}) {
				t.Fatalf("found %+v", user)
			}
		})
	}
}

func TestADisabledOrDepartedUserIsToldSo(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	user, err := b.client.CheckUser(ctx, bob)
	if err != nil || user != (change.AWSUser{ID: bob, UserName: "bob", Email: "bob@example.com"}) {
		t.Fatalf("%+v, %v", user, err)
	}
	b.aws.AddUser(sandbox.User{ID: bob, UserName: "bob", Email: "bob@example.com", Disabled: true})
	_, err = b.client.FindUser(ctx, "bob@example.com")
	if e := outsideWith(t, err, change.Refused); !strings.Contains(e.Say, "disabled") {
		t.Fatalf("says %q", e.Say)
	}
	_, err = b.client.CheckUser(ctx, bob)
	wantOutcome(t, err, change.Refused)
	b.aws.RemoveUser(bob)
	_, err = b.client.CheckUser(ctx, bob)
	wantOutcome(t, err, change.Missing)
}

// A failing look-up must not pass for somebody who has no AWS user.
func TestAFailingLookUpIsNotAMissingPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "GetUserId", Skip: 1, Times: 1})
	_, err := b.client.FindUser(context.Background(), "Eve@example.com")
	wantOutcome(t, err, change.Unknown)
}
