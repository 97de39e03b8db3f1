package identitycenter_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

const (
	create = "CreateAccountAssignment"
	remove = "DeleteAccountAssignment"
)

func TestAnAssignmentIsRealOnlyWhenItsOperationHasSucceeded(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()

	op, err := b.client.Create(ctx, adaAdmin, "EC-12")
	noError(t, err)
	if op.State != change.OperationInProgress || op.RequestID == "" || op.Key != adaAdmin || !op.Created.Equal(start) {
		t.Fatalf("create answered %+v", op)
	}
	assigned, err := b.client.Assigned(ctx, adaAdmin)
	noError(t, err)
	if assigned {
		t.Fatal("assigned before the operation settled")
	}
	b.clock.forward(3 * time.Second)
	op, err = b.client.CreationStatus(ctx, op.RequestID)
	noError(t, err)
	if op.State != change.OperationSucceeded || op.Key != adaAdmin {
		t.Fatalf("status %+v", op)
	}
	if assigned, err = b.client.Assigned(ctx, adaAdmin); err != nil || !assigned {
		t.Fatalf("assigned: %v, %v", assigned, err)
	}

	op, err = b.client.Delete(ctx, adaAdmin, "EC-12")
	noError(t, err)
	b.clock.forward(3 * time.Second)
	op, err = b.client.DeletionStatus(ctx, op.RequestID)
	noError(t, err)
	if op.State != change.OperationSucceeded {
		t.Fatalf("status %+v", op)
	}
	if assigned, err = b.client.Assigned(ctx, adaAdmin); err != nil || assigned {
		t.Fatalf("assigned after the delete: %v, %v", assigned, err)
	}
	if v := b.aws.Violations(); len(v) != 0 {
		t.Fatalf("violations: %v", v)
	}
}

func TestTheChangesNumberIsOnTheWireOfEveryMutation(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, err := b.client.Create(ctx, adaAdmin, "EC-12")
	noError(t, err)
	b.clock.forward(3 * time.Second)
	_, err = b.client.Delete(ctx, adaAdmin, "EC-13")
	noError(t, err)
	for i, want := range []string{"breakglass/EC-12", "breakglass/EC-13"} {
		agent := b.aws.History()[i].UserAgent
		if !strings.Contains(agent, want) || !strings.Contains(agent, "app/breakglass") {
			t.Errorf("user agent %q lacks %q or the application", agent, want)
		}
	}
}

// However the wire breaks, a mutation is sent at most once, whatever retries the
// environment asks for, and its outcome is never told as better known than it is.
func TestAMutationIsSentOnceAndItsOutcomeIsHonest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind    fault.Kind
		outcome change.Outcome
		carried bool // AWS did it all the same
	}{
		{fault.ReplyLost, change.Unknown, true},
		{fault.Refused, change.Unknown, false}, // a reset after the connection was made looks the same
		{fault.Unavailable, change.Unknown, false},
		{fault.Internal, change.Unknown, false},
		{fault.InternalLie, change.Unknown, true},
		{fault.TooMany, change.NotNow, false},
		{fault.HTML, change.Unknown, false},
		{fault.Truncated, change.Unknown, true},
		{fault.Stall, change.Unknown, false},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t), context.Background()
			client := newClient(t, b.url, func(o *identitycenter.Options) {
				o.ReadAttempts = 3
				if c.kind == fault.Stall {
					o.AttemptTimeout = time.Second
				}
			})
			b.aws.Faults.Add(fault.Fault{Kind: c.kind, Call: create, Times: 1, RetryAfter: 7 * time.Second})
			_, err := client.Create(ctx, adaAdmin, "EC-1")
			outside := outsideWith(t, err, c.outcome)
			if c.kind == fault.TooMany && outside.RetryAfter != 7*time.Second {
				t.Errorf("retry after %s, want 7s", outside.RetryAfter)
			}
			if got := len(b.aws.History()); got != map[bool]int{true: 1, false: 0}[c.carried] {
				t.Errorf("%d creates reached AWS; carried out: %v", got, c.carried)
			}
			if c.carried {
				b.clock.forward(3 * time.Second)
			} else {
				b.aws.Plant(sandbox.Key(adaAdmin))
			}
			before := len(b.aws.History())
			b.aws.Faults.Add(fault.Fault{Kind: c.kind, Call: remove, Times: 1})
			_, err = client.Delete(ctx, adaAdmin, "EC-1")
			wantOutcome(t, err, c.outcome)
			if got := len(b.aws.History()) - before; got > 1 {
				t.Errorf("%d deletes reached AWS", got)
			}
			if v := b.aws.Violations(); len(v) != 0 {
				t.Errorf("violations: %v", v)
			}
		})
	}
}

func TestWhatNeverLeftIsNotNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone := newClient(t, "http://127.0.0.1:1") // a port that nobody listens on
	_, err := gone.Create(context.Background(), adaAdmin, "EC-1")
	wantOutcome(t, err, change.NotNow)

	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = b.client.Create(cancelled, adaAdmin, "EC-1")
	wantOutcome(t, err, change.NotNow)
	if len(b.aws.History()) != 0 {
		t.Fatal("something was sent")
	}
}

func TestCreatingWhatExistsIsNotRefused(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	b.aws.Plant(sandbox.Key(adaAdmin))
	op, err := b.client.Create(ctx, adaAdmin, "EC-1")
	noError(t, err)
	b.clock.forward(3 * time.Second)
	op, err = b.client.CreationStatus(ctx, op.RequestID)
	if err != nil || op.State != change.OperationSucceeded {
		t.Fatalf("%+v, %v", op, err)
	}
	if a := b.aws.Assignments(); len(a) != 1 || !a[0].Standing || !a[0].Since.Equal(start) {
		t.Fatalf("the standing assignment was touched: %+v", a)
	}
}

// Not found while a create is in flight proves nothing: the access appears later.
func TestDeletingWhatIsStillBeingCreatedIsMissingAndItAppearsAfterwards(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, err := b.client.Create(ctx, adaAdmin, "EC-1")
	noError(t, err)
	_, err = b.client.Delete(ctx, adaAdmin, "EC-1")
	wantOutcome(t, err, change.Missing)
	b.clock.forward(3 * time.Second)
	if assigned, err := b.client.Assigned(ctx, adaAdmin); err != nil || !assigned {
		t.Fatalf("assigned %v, %v", assigned, err)
	}
}

func TestAConflictOrAThrottleIsNotNow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("previous write has not spread", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(o *sandbox.Options) { o.SpreadFor = 10 * time.Second })
		_, err := b.client.Create(ctx, adaAdmin, "EC-1")
		noError(t, err)
		_, err = b.client.Create(ctx, bobAdmin, "EC-2")
		wantOutcome(t, err, change.NotNow)
		b.clock.forward(4 * time.Second) // settled, and still not spread
		_, err = b.client.Delete(ctx, adaAdmin, "EC-1")
		wantOutcome(t, err, change.NotNow)
		b.clock.forward(6 * time.Second)
		_, err = b.client.Delete(ctx, adaAdmin, "EC-1")
		noError(t, err)
	})
	t.Run("outstanding creates", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(o *sandbox.Options) { o.OutstandingCreates = 1 })
		_, err := b.client.Create(ctx, adaAdmin, "EC-1")
		noError(t, err)
		other := bobAdmin
		other.PermissionSetARN = readARN
		_, err = b.client.Create(ctx, other, "EC-2")
		wantOutcome(t, err, change.NotNow)
		if v := b.aws.Violations(); len(v) != 1 {
			t.Fatalf("violations: %v", v)
		}
	})
	t.Run("calls a second", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(o *sandbox.Options) { o.CallsPerSecond = 2 })
		for range 2 {
			_, err := b.client.Assigned(ctx, adaAdmin)
			noError(t, err)
		}
		_, err := b.client.Assigned(ctx, adaAdmin)
		wantOutcome(t, err, change.NotNow)
		b.clock.forward(time.Second)
		_, err = b.client.Assigned(ctx, adaAdmin)
		noError(t, err)
	})
}

func TestAnOperationThatFailsIsAnAnswerWithAWSsReason(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	stranger := adaAdmin
	stranger.UserID = "93d4a8e2-1111-2222-3333-000000000000"
	for _, c := range []struct {
		name    string
		prepare func(*sandbox.Server)
		key     change.AssignmentKey
		reason  string
	}{
		{"planned", func(s *sandbox.Server) { s.FailCreates(1, "role quota") }, adaAdmin, "role quota"},
		{"suspended account", func(s *sandbox.Server) { s.SuspendAccount(account) }, adaAdmin, "suspended"},
		{"unknown user", func(*sandbox.Server) {}, stranger, "was not found in directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			c.prepare(b.aws)
			op, err := b.client.Create(ctx, c.key, "EC-1")
			noError(t, err)
			b.clock.forward(3 * time.Second)
			op, err = b.client.CreationStatus(ctx, op.RequestID)
			noError(t, err)
			if op.State != change.OperationFailed || !strings.Contains(op.Reason, c.reason) {
				t.Fatalf("%+v", op)
			}
			if len(b.aws.Assignments()) != 0 {
				t.Fatal("assigned all the same")
			}
		})
	}
}

func TestAnAssignmentOfSomebodyWhoIsGoneIsDeletedByTheirID(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, stays := range []bool{false, true} {
		b := setup(t, func(o *sandbox.Options) { o.GoneUsersStay = stays })
		b.aws.Plant(sandbox.Key(adaAdmin))
		b.aws.RemoveUser(ada)
		op, err := b.client.Delete(ctx, adaAdmin, "EC-1")
		noError(t, err)
		b.clock.forward(3 * time.Second)
		op, err = b.client.DeletionStatus(ctx, op.RequestID)
		noError(t, err)
		want := map[bool]change.AWSOperationState{false: change.OperationSucceeded, true: change.OperationFailed}[stays]
		if op.State != want || b.aws.Has(sandbox.Key(adaAdmin)) != stays {
			t.Fatalf("gone users stay %v: %+v", stays, op)
		}
	}
}

func TestWhatCannotWorkIsRefusedOrMissing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	with := func(alter func(*change.AssignmentKey)) change.AssignmentKey {
		k := adaAdmin
		alter(&k)
		return k
	}
	delegated := func(o *sandbox.Options) { o.Delegated = true }
	for _, c := range []struct {
		name   string
		key    change.AssignmentKey
		option func(*sandbox.Options)
		want   change.Outcome
	}{
		{"no account", with(func(k *change.AssignmentKey) { k.AccountID = "" }), nil, change.Refused},
		{"bad account", with(func(k *change.AssignmentKey) { k.AccountID = "1234" }), nil, change.Refused},
		{"bad user id", with(func(k *change.AssignmentKey) { k.UserID = "ada" }), nil, change.Refused},
		{"unknown permission set", with(func(k *change.AssignmentKey) { k.PermissionSetARN = setARN[:len(setARN)-1] + "0" }), nil, change.Missing},
		{"unknown account", with(func(k *change.AssignmentKey) { k.AccountID = "123456789012" }), nil, change.Missing},
		{"management account from a delegated administrator", with(func(k *change.AssignmentKey) { k.AccountID = management }), delegated, change.Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if c.option != nil {
				b = setup(t, c.option)
			}
			_, err := b.client.Create(ctx, c.key, "EC-1")
			wantOutcome(t, err, c.want)
			if len(b.aws.Assignments()) != 0 {
				t.Fatal("assigned all the same")
			}
		})
	}
	t.Run("permission set provisioned in the management account", func(t *testing.T) {
		t.Parallel()
		b := setup(t, delegated)
		k := sandbox.Key(adaAdmin)
		k.AccountID = management
		b.aws.Plant(k)
		_, err := b.client.Create(ctx, adaAdmin, "EC-1")
		wantOutcome(t, err, change.Refused)
	})
}
