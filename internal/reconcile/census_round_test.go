package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/identitycenter"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/reconcile"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

// figures answers what is measured.
func (b *censusBundle) figures() ledger.CensusFigures {
	b.Helper()
	f, err := b.ledger.CensusFigures(b.ctx)
	b.ok(err)
	return f
}

// round works until a first full round is over, and answers what was measured.
func (b *censusBundle) round() ledger.CensusFigures {
	b.Helper()
	if !b.walk(12*time.Hour, func() bool { return !b.figures().LastEnded.IsZero() }) {
		b.Fatal("no round came to an end")
	}
	return b.figures()
}

// mostInASecond is the largest number of pages that were asked for within a second.
func (p *paced) mostInASecond() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	most, from := 0, 0
	for to := range p.at {
		for p.at[to].Sub(p.at[from]) >= time.Second {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// A full round of 500 accounts with 20 permission sets each, with a stand-in that
// throttles as AWS does.
func TestAFullRoundOfTenThousandPairsStaysWithinItsRate(t *testing.T) {
	t.Parallel()
	const accounts, sets = 500, 20
	b := censusSetup(t, func(o *sandbox.Options) { o.CallsPerSecond, o.PageSize = 0, 100 })
	var all []change.Target
	for s := range sets {
		b.aws.AddPermissionSet(sandbox.PermissionSet{ARN: fmt.Sprintf("%s%02d", setARN[:len(setARN)-2], s), Name: fmt.Sprint("Set", s)})
	}
	for i := range accounts {
		target := change.Target{ID: change.TargetID(fmt.Sprint("t", i)), Name: fmt.Sprint("Account ", i), AccountID: fmt.Sprintf("3333%08d", i)}
		for s := range sets {
			target.PermissionSets = append(target.PermissionSets, change.PermissionSet{ID: change.PermissionSetID(fmt.Sprint("s", s)), Name: fmt.Sprint("Set", s), ARN: fmt.Sprintf("%s%02d", setARN[:len(setARN)-2], s)})
		}
		all = append(all, target)
	}
	b.workflow.Rules.Targets = all
	last := sandbox.Key{InstanceARN: instance, AccountID: "333300000499", PermissionSetARN: setARN[:len(setARN)-2] + "19", UserID: zoe}
	b.aws.Plant(last)
	for n := range 250 { // three pages
		b.aws.PlantGroup(sandbox.Key{InstanceARN: instance, AccountID: "333300000200", PermissionSetARN: setARN[:len(setARN)-2] + "07", UserID: fmt.Sprintf("93d4a8e2-3333-2222-3333-%012d", n)})
	}
	f := b.round()
	t.Logf("a full round of %d pairs took %s by the clock, with %d calls", f.LastPairs, f.LastTook, b.lists.calls())
	if f.LastPairs != accounts*sets || f.LastSkipped != 0 {
		t.Errorf("measured %+v", f)
	}
	if least, most := 2500*time.Second, 2520*time.Second; f.LastTook < least || f.LastTook > most {
		t.Errorf("it took %s, want %s to %s", f.LastTook, least, most)
	}
	if got := b.lists.mostInASecond(); got > 4 {
		t.Errorf("%d calls within a second", got)
	}
	if calls := b.lists.calls(); calls < accounts*sets+2 || calls > accounts*sets+3 {
		t.Errorf("%d calls", calls)
	}
	b.walk(time.Minute)
	if got := b.one(change.FindingUnasked, change.FindingOpen); got.Key != change.AssignmentKey(last) {
		t.Errorf("found %+v", got)
	}
}

func TestARoundGoesOnWhereAKilledOneWasBrokenOff(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(zoeAdmin) // the first account of the round
	pairs := len(b.census.Pairs())
	b.walk(5*time.Minute - time.Second)
	for _, after := range []int{5, 11} {
		ctx, cancel := context.WithCancel(b.ctx)
		b.lists.after = func() {
			if b.lists.calls() == after {
				cancel()
			}
		}
		b.clock.set(b.clock.now().Add(time.Second))
		if err := b.census.Work(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		b.census = b.newCensus()
	}
	b.lists.after = nil
	if f := b.figures(); f.Pairs == 0 || f.Pairs > 11 || !f.LastEnded.IsZero() {
		t.Fatalf("broken off at %+v", f)
	}
	if f := b.round(); f.LastPairs != pairs {
		t.Errorf("the round was about %d pairs, want %d", f.LastPairs, pairs)
	}
	seen := map[ledger.CensusPair]bool{}
	for _, p := range b.lists.pairs {
		seen[p] = true
	}
	if len(seen) != pairs || b.lists.calls() > pairs+4 {
		t.Errorf("%d pairs were looked at with %d calls, want %d", len(seen), b.lists.calls(), pairs)
	}
	b.walk(time.Minute)
	b.one(change.FindingUnasked, change.FindingOpen)
}

func TestAReplicaThatDiesLeavesTheCensusToAnother(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(zoeAdmin)
	b.walk(5*time.Minute - time.Second)
	b.lists.after = func() {
		if b.lists.calls() == 3 {
			panic(errCrash)
		}
	}
	func() {
		defer func() {
			if r := recover(); r != any(errCrash) {
				t.Errorf("it did not die: %v", r)
			}
		}()
		b.clock.set(b.clock.now().Add(time.Second))
		b.ok(b.census.Work(b.ctx))
	}()
	b.lists.after = nil
	b.census = b.newCensus()
	b.ok(b.census.Work(b.ctx))
	if b.lists.calls() != 3 {
		t.Error("somebody else has the census, and another works on it")
	}
	if f := b.round(); f.LastPairs != len(b.census.Pairs()) {
		t.Errorf("measured %+v", f)
	}
	b.walk(time.Minute)
	b.one(change.FindingUnasked, change.FindingOpen)
}

func TestTwoReplicasTellOnceAndLookOnce(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(zoeAdmin)
	two := []*reconcile.Census{b.newCensus(), b.newCensus()}
	for b.clock.now().Sub(start) < 12*time.Minute {
		var both sync.WaitGroup
		for _, k := range two {
			both.Go(func() {
				if err := k.Work(b.ctx); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		b.clock.set(b.clock.now().Add(7 * time.Second))
	}
	b.one(change.FindingUnasked, change.FindingOpen)
	b.wantChain(change.EventCensusFound)
	if calls, want := b.lists.calls(), len(two[0].Pairs())+1; calls != want {
		t.Errorf("%d calls, want %d", calls, want)
	}
}

func TestAThrottledCensusWaitsAndGoesOn(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: listCall, Times: 12, Skip: 4})
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: listCall, Times: 1, Skip: 3, RetryAfter: 90 * time.Second})
	f := b.round()
	if pairs := len(b.census.Pairs()); f.LastPairs != pairs || f.LastSkipped != 0 || b.lists.calls() != pairs+13 {
		t.Errorf("measured %+v with %d calls", f, b.lists.calls())
	}
	// 90 s; 2, 4, 8, 16 and 32 s; seven times 60 s.
	if least := 572 * time.Second; f.LastTook < least || f.LastTook > least+time.Minute {
		t.Errorf("it took %s, want %s", f.LastTook, least)
	}
}

func TestAPairThatNeverAnswersIsSkippedInTheEnd(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Faults.Add(fault.Fault{Kind: fault.HTML, Call: listCall, Times: 5, Skip: 2})
	if f := b.round(); f.LastPairs != len(b.census.Pairs()) || f.LastSkipped != 1 {
		t.Errorf("measured %+v", f)
	}
}

// forbidding answers for one account that it is not for us to look at.
func forbidding(next http.Handler, account string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err == nil && strings.Contains(string(body), account) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","Message":"no"}`)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		next.ServeHTTP(w, r)
	})
}

func TestWhatIsGoneOrForbiddenIsSkippedAndCounted(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	server := httptest.NewServer(forbidding(b.aws, "222200000003"))
	t.Cleanup(server.Close)
	client, err := identitycenter.New(b.ctx, identitycenter.Options{
		Region: region, InstanceARN: instance, IdentityStoreID: storeID, EndpointURL: server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", ""), HTTPClient: server.Client(),
	})
	b.ok(err)
	b.lists.CensusAWS = client
	rules := targets()
	rules[0].PermissionSets = append(slices.Clone(rules[0].PermissionSets), change.PermissionSet{ID: "old", Name: "Old", ARN: setARN[:len(setARN)-1] + "0"})
	b.workflow.Rules.Targets = rules
	b.aws.Plant(zoeAdmin)
	beyond := zoeAdmin
	beyond.AccountID = "222200000019"
	b.aws.Plant(beyond)
	if f := b.round(); f.LastPairs != len(rules)+1 || f.LastSkipped != 2 {
		t.Errorf("measured %+v", f)
	}
	b.walk(time.Minute)
	if got := b.findings(change.FindingUnasked); len(got) != 2 {
		t.Errorf("found %+v", got)
	}
	if got := b.figures().Open; got[change.FindingUnasked] != 2 || got[change.FindingLeft] != 0 {
		t.Errorf("open: %v", got)
	}
	// What was found stays found while AWS does not let it be looked at.
	b.aws.Faults.Add(fault.Fault{Kind: fault.Internal, Call: listCall})
	b.walk(13 * time.Hour)
	if got := b.figures().Open[change.FindingUnasked]; got != 2 {
		t.Errorf("%d are open", got)
	}
}

func TestTheCensusGivesWayToWhatIsMoreUrgent(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.walk(5*time.Minute - time.Second)
	b.aws.StallCreates(1)
	b.approved() // in flight for a long time
	b.walk(2 * time.Minute)
	if b.lists.calls() < 10 {
		t.Fatalf("%d calls: it was held up for good", b.lists.calls())
	}
	for i, at := range b.lists.at[1:] {
		if pause := at.Sub(b.lists.at[i]); pause < 5*time.Second || pause > 6*time.Second {
			t.Errorf("%s between two calls, want 5 s", pause)
		}
	}
}

func TestWhatIsNoLongerConfiguredIsClosed(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(zoeAdmin)
	b.walk(10 * time.Minute)
	b.one(change.FindingUnasked, change.FindingOpen)
	b.workflow.Rules.Targets = targets()[1:]
	b.walk(censusEvery + time.Minute)
	if f := b.one(change.FindingUnasked, change.FindingClosed); f.Outcome != change.OutcomeUnconfigured {
		t.Errorf("closed as %q", f.Outcome)
	}
	if b.figures().Open[change.FindingUnasked] != 0 {
		t.Error("it is counted as open")
	}
}

func TestAShorterIntervalCountsFromTheNextStart(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.round()
	calls := b.lists.calls()
	b.census = b.newCensus()
	b.census.Every = 20 * time.Minute
	b.walk(21 * time.Minute)
	if got := b.lists.calls() - calls; got != len(b.census.Pairs()) {
		t.Errorf("%d calls", got)
	}
}
