package identitycenter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

func TestAnAssignmentIsFoundOnAnyPageAndOnlyForTheUserThemselves(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := setup(t, func(o *sandbox.Options) { o.PageSize, o.EmptyPages = 1, true })
	for _, last := range []string{"1", "2", "3"} { // listed before ada's
		k := sandbox.Key(adaAdmin)
		k.UserID = "00000000-1111-2222-3333-44445555666" + last
		b.aws.Plant(k)
	}
	b.aws.PlantGroup(sandbox.Key(adaAdmin))
	elsewhere := sandbox.Key(adaAdmin)
	elsewhere.PermissionSetARN = readARN
	b.aws.Plant(elsewhere)
	if assigned, err := b.client.Assigned(ctx, adaAdmin); err != nil || assigned {
		t.Fatalf("a group's assignment or another set's counted: %v, %v", assigned, err)
	}
	b.aws.Plant(sandbox.Key(adaAdmin))
	if assigned, err := b.client.Assigned(ctx, adaAdmin); err != nil || !assigned {
		t.Fatalf("not found on a later page: %v, %v", assigned, err)
	}
}

func TestAListMayLagBehindTheSuccess(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := setup(t, func(o *sandbox.Options) { o.ListLag, o.ListLagReads = 5*time.Second, 1 })
	op, err := b.client.Create(ctx, adaAdmin, "EC-1")
	noError(t, err)
	b.clock.forward(4 * time.Second)
	op, err = b.client.CreationStatus(ctx, op.RequestID)
	if err != nil || op.State != change.OperationSucceeded || !b.aws.Has(sandbox.Key(adaAdmin)) {
		t.Fatalf("%+v, %v", op, err)
	}
	for _, want := range []bool{false, true} { // the lag is over in time, but one stale read was to come
		b.clock.forward(5 * time.Second)
		if assigned, err := b.client.Assigned(ctx, adaAdmin); err != nil || assigned != want {
			t.Fatalf("assigned %v, %v; want %v", assigned, err, want)
		}
	}
}

// An answer that is cut short or empty must never look like an empty list, which
// would pass for access that is gone.
func TestAnAnswerWithoutAListIsNoEmptyList(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `{"AccountAssignments":null}`,
		`{"AccountAssignments":[`, `{"AccountAssignments":[{"AccountId":"1"},`,
		`<!doctype html><p>Sorry`, `{"AccountAssignments":[]}` + strings.Repeat(" ", 1<<20),
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(body))
		}))
		client := newClient(t, server.URL)
		_, err := client.Assigned(context.Background(), adaAdmin)
		wantOutcome(t, err, change.Unknown)
		_, err = client.FindCreations(context.Background(), adaAdmin, start)
		wantOutcome(t, err, change.Unknown)
		_, err = client.Create(context.Background(), adaAdmin, "EC-1")
		wantOutcome(t, err, change.Unknown)
		_, err = client.CheckUser(context.Background(), ada)
		wantOutcome(t, err, change.Unknown)
		server.Close()
	}
}

func TestAListWithoutEndIsNoAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"AccountAssignments":[],"NextToken":"again"}`))
	}))
	t.Cleanup(server.Close)
	_, err := newClient(t, server.URL).Assigned(context.Background(), adaAdmin)
	wantOutcome(t, err, change.Unknown)
}

func TestARequestWhoseReplyWasLostIsFoundByItsTuple(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t, func(o *sandbox.Options) { o.PageSize = 1 }), context.Background()
	settle := func() { b.clock.forward(3 * time.Second) }

	_, err := b.client.Create(ctx, adaAdmin, "EC-1") // an older one of the same tuple
	noError(t, err)
	settle()
	_, err = b.client.Delete(ctx, adaAdmin, "EC-1")
	noError(t, err)
	settle()
	_, err = b.client.Create(ctx, bobAdmin, "EC-2") // somebody else's, at the same time
	noError(t, err)
	settle()
	since := b.clock.now()
	b.aws.Faults.Add(fault.Fault{Kind: fault.ReplyLost, Call: create, Times: 1})
	_, err = b.client.Create(ctx, adaAdmin, "EC-3")
	wantOutcome(t, err, change.Unknown)

	ops, err := b.client.FindCreations(ctx, adaAdmin, since)
	noError(t, err)
	if len(ops) != 1 || ops[0].State != change.OperationInProgress || ops[0].Key != adaAdmin || !ops[0].Created.Equal(since) {
		t.Fatalf("found %+v", ops)
	}
	if all, err := b.client.FindCreations(ctx, adaAdmin, start); err != nil || len(all) != 2 || !all[0].Created.Before(all[1].Created) {
		t.Fatalf("since the start: %+v, %v", all, err)
	}
	settle()
	if op, err := b.client.CreationStatus(ctx, ops[0].RequestID); err != nil || op.State != change.OperationSucceeded {
		t.Fatalf("%+v, %v", op, err)
	}

	since = b.clock.now()
	b.aws.Faults.Add(fault.Fault{Kind: fault.InternalLie, Call: remove, Times: 1})
	_, err = b.client.Delete(ctx, adaAdmin, "EC-3")
	wantOutcome(t, err, change.Unknown)
	if ops, err = b.client.FindDeletions(ctx, adaAdmin, since); err != nil || len(ops) != 1 {
		t.Fatalf("found %+v, %v", ops, err)
	}
	if _, err = b.client.DeletionStatus(ctx, ops[0].RequestID); err != nil {
		t.Fatal(err)
	}
	_, err = b.client.CreationStatus(ctx, ops[0].RequestID) // a deletion is no creation
	wantOutcome(t, err, change.Missing)
}

// The worst case: accepted, the reply lost, nothing to be seen for minutes, and
// then the access is there.
func TestAGhostIsSeenNowhereUntilItIsThere(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	b.aws.GhostCreates(1, 10*time.Minute)
	_, err := b.client.Create(ctx, adaAdmin, "EC-1")
	wantOutcome(t, err, change.Unknown)
	b.clock.forward(9 * time.Minute)
	if ops, err := b.client.FindCreations(ctx, adaAdmin, start); err != nil || len(ops) != 0 {
		t.Fatalf("%+v, %v", ops, err)
	}
	_, err = b.client.Delete(ctx, adaAdmin, "EC-1")
	wantOutcome(t, err, change.Missing)
	b.clock.forward(time.Minute)
	if assigned, err := b.client.Assigned(ctx, adaAdmin); err != nil || !assigned {
		t.Fatalf("assigned %v, %v", assigned, err)
	}
	if ops, err := b.client.FindCreations(ctx, adaAdmin, start); err != nil || len(ops) != 1 || ops[0].State != change.OperationSucceeded {
		t.Fatalf("%+v, %v", ops, err)
	}
	in := b.aws.Intervals()
	if len(in) != 1 || !in[0].From.Equal(start.Add(10*time.Minute)) || !in[0].To.IsZero() {
		t.Fatalf("intervals %+v", in)
	}
}

func TestASearchWithAHoleIsNoSearch(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, err := b.client.Create(ctx, adaAdmin, "EC-1")
	noError(t, err)
	b.aws.Faults.Add(fault.Fault{Kind: fault.Unavailable, Call: "DescribeAccountAssignmentCreationStatus", Times: 1})
	_, err = b.client.FindCreations(ctx, adaAdmin, start)
	wantOutcome(t, err, change.Unknown)
}

func TestReadsAreTriedAgainWithinTheirTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client := newClient(t, b.url, func(o *identitycenter.Options) { o.ReadAttempts = 2 })
	for _, kind := range []fault.Kind{fault.Unavailable, fault.HTML} {
		b.aws.Faults.Add(fault.Fault{Kind: kind, Call: "ListAccountAssignments", Times: 1})
		_, err := client.Assigned(context.Background(), adaAdmin)
		noError(t, err)
	}
	b.aws.Faults.Add(fault.Fault{Kind: fault.Stall})
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := client.Assigned(ctx, adaAdmin)
	wantOutcome(t, err, change.Unknown)
}
