package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	sandbox "github.com/breakglass-bot/breakglass/internal/sandbox/aws"
	"github.com/breakglass-bot/breakglass/internal/sandbox/fault"
)

func (b *censusBundle) wantChain(want ...change.EventType) {
	b.Helper()
	if got := b.chain(); fmt.Sprint(got) != fmt.Sprint(want) {
		b.Errorf("the system chain holds %v, want %v", got, want)
	}
}

func TestAccessThatNobodyAskedForIsToldOnceAndWhenItHasGone(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(zoeAdmin)
	b.walk(5*time.Minute + 10*time.Second) // the first round; one look tells nobody
	b.none()
	b.walk(40 * time.Second)
	f := b.one(change.FindingUnasked, change.FindingOpen)
	if f.Key != change.AssignmentKey(zoeAdmin) || f.UserName != "zoe" || f.Number != 0 || f.ToldAt.Sub(f.FirstSeen) < 30*time.Second {
		t.Errorf("the finding is %+v", f)
	}
	if n := b.shown(); n.TargetName != "Production" || n.PermissionSetName != "Admin" || n.State != change.FindingOpen {
		t.Errorf("shown %+v", n)
	}
	b.walk(24 * time.Hour)
	if f = b.one(change.FindingUnasked, change.FindingOpen); b.clock.now().Sub(f.LastSeen) > censusEvery+time.Minute {
		t.Errorf("last seen %s ago", b.clock.now().Sub(f.LastSeen))
	}
	b.wantChain(change.EventCensusFound)
	b.aws.Uproot(zoeAdmin)
	b.walk(censusEvery + time.Minute)
	if f = b.one(change.FindingUnasked, change.FindingClosed); f.Outcome != change.OutcomeGone {
		t.Errorf("closed as %q", f.Outcome)
	}
	b.wantChain(change.EventCensusFound, change.EventCensusClosed)
	b.walk(12 * time.Hour)
	if told, news := b.posted(change.DeliverFinding), b.posted(change.DeliverFindingNews); told != 1 || news != 1 {
		t.Errorf("told %d times, and %d times that it has gone", told, news)
	}
	if b.shown().Outcome != change.OutcomeGone {
		t.Error("the message still shows it as open")
	}
	if len(b.aws.History()) != 0 {
		t.Errorf("AWS was asked to alter something: %+v", b.aws.History())
	}
}

func TestWhatOneLookAloneSawIsToldToNobody(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(zoeAdmin)
	b.walk(5*time.Minute + 10*time.Second)
	b.aws.Uproot(zoeAdmin)
	b.walk(time.Hour)
	b.none()
}

func TestAccessOfGroupsIsNotLookedAt(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.PlantGroup(zoeAdmin)
	b.walk(time.Hour)
	b.none()
}

func TestAccessThatEndsByTheButtonIsVerifiablyGone(t *testing.T) {
	t.Parallel()
	for name, fit := range map[string]func(*censusBundle){
		"that nobody asked for": func(*censusBundle) {},
		"that a change had had": func(b *censusBundle) {
			n := b.approved(zoe)
			b.active(n)
			b.do(n, change.Finish{}, asker)
			b.gone(n, 2*time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := censusSetup(t)
			fit(b)
			deletes := b.calls(deleteCall)
			b.aws.Plant(zoeAdmin)
			b.walk(10 * time.Minute)
			all, err := b.ledger.CensusFindings(b.ctx, time.Time{}, 10)
			b.ok(err)
			if len(all) != 1 {
				t.Fatalf("findings %+v", all)
			}
			b.decide(all[0].ID, true)
			b.walk(5 * time.Minute)
			f := b.one(all[0].Kind, change.FindingClosed)
			if f.Outcome != change.OutcomeEnded || f.DecidedBy != ctoActor.ID {
				t.Errorf("closed as %+v", f)
			}
			if b.aws.Has(zoeAdmin) || b.calls(deleteCall) != deletes+1 {
				t.Errorf("AWS has it: %v; %+v", b.aws.Has(zoeAdmin), b.aws.History())
			}
			b.wantChain(change.EventCensusFound, change.EventCensusEnded, change.EventCensusClosed)
			b.quiet()
		})
	}
}

func TestAccessThatShouldHaveGoneIsTold(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	n := b.approved()
	b.active(n)
	b.do(n, change.Finish{}, asker)
	b.gone(n, 2*time.Minute)
	b.walk(10 * time.Minute)
	b.none()
	b.aws.Plant(adaAdmin)
	b.walk(censusEvery + time.Minute)
	if f := b.one(change.FindingLeft, change.FindingOpen); f.Number != n || f.Removing {
		t.Errorf("the finding is %+v", f)
	}
	b.wantHas(true) // it may be standing by now: somebody has to say so
}

// What the ledger knows to be ours needs no word: the access reconciler is woken.
func TestOurAccessThatCameBackIsRemovedBeforeTheDailyLook(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.GhostCreates(1, 26*time.Hour) // the daily look was an hour before
	n := b.approved()
	b.active(n)
	b.walk(15 * time.Minute)
	b.do(n, change.Finish{}, asker)
	b.gone(n, time.Hour)
	if !b.walk(27*time.Hour, func() bool { return b.aws.Has(adaAdmin) }) {
		t.Fatal("it did not come back")
	}
	if !b.walk(censusEvery+time.Minute, func() bool { return !b.aws.Has(adaAdmin) }) {
		t.Fatal("the access is still there")
	}
	b.walk(10 * time.Minute)
	if b.count(n, change.EventAccessBack) != 1 {
		t.Errorf("people were not told: %v", b.events(n))
	}
	b.none() // its change has told it
	b.careful()
}

func TestAccessThatVanishedIsToldAndGivenBackSoon(t *testing.T) {
	t.Parallel()
	for name, fit := range map[string]func(*censusBundle){
		"that we had given":    func(*censusBundle) {},
		"that had been before": func(b *censusBundle) { b.aws.Plant(adaAdmin) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := censusSetup(t)
			fit(b)
			n := b.approved()
			b.active(n)
			b.walk(10 * time.Minute)
			b.none()
			b.aws.Uproot(adaAdmin)
			if !b.walk(5*time.Minute, func() bool { return b.aws.Has(adaAdmin) }) {
				t.Fatal("it was not given back")
			}
			if f := b.one(change.FindingVanished, change.FindingOpen); f.Number != n {
				t.Errorf("the finding is %+v", f)
			}
			b.walk(5 * time.Minute)
			if f := b.one(change.FindingVanished, change.FindingClosed); f.Outcome != change.OutcomeBack {
				t.Errorf("closed as %q", f.Outcome)
			}
			b.wantPhase(n, change.Active)
			b.gone(n, 2*time.Hour) // and the end of the window ends it
			b.wantHas(false)
			b.wantChain(change.EventCensusFound, change.EventCensusClosed)
			b.quiet()
		})
	}
}

// A delete that AWS has stalled may land after a later change was given the
// access.
func TestAStalledDeleteThatCutsALaterChangeOffIsHealed(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	first := b.approved()
	b.active(first)
	b.aws.StallDeletes(1)
	b.do(first, change.Finish{}, asker)
	b.walk(25*time.Minute, func() bool { return !b.change(first).Access.GoneAt.IsZero() }) // by another delete
	b.wantHas(false)
	second := b.approved()
	b.active(second)
	b.wantHas(true)
	b.aws.Release()
	b.wantHas(false)
	if !b.walk(5*time.Minute, func() bool { return b.aws.Has(adaAdmin) }) {
		t.Fatal("the second change was cut off for good")
	}
	b.wantPhase(second, change.Active)
	b.walk(5 * time.Minute)
	b.gone(second, 2*time.Hour)
	b.wantHas(false)
	if f := b.one(change.FindingVanished, change.FindingClosed); f.Number != second {
		t.Errorf("the finding is %+v", f)
	}
	b.careful()
}

func TestAnAccessThatVanishedIsNotMadeAgainForAChangeThatIsOver(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	n := b.approved()
	b.active(n)
	b.walk(10 * time.Minute)
	creates := b.calls(createCall)
	b.aws.Uproot(adaAdmin)
	b.walk(4*time.Minute, func() bool { return len(b.findings(change.FindingVanished)) == 1 })
	b.do(n, change.Finish{}, asker)
	b.gone(n, 5*time.Minute)
	b.walk(10 * time.Minute)
	if f := b.one(change.FindingVanished, change.FindingClosed); f.Outcome != change.OutcomeOver {
		t.Errorf("closed as %q", f.Outcome)
	}
	if b.calls(createCall) != creates {
		t.Error("it was made again")
	}
}

func TestWhatIsInFlightIsNoFinding(t *testing.T) {
	t.Parallel()
	b := censusSetup(t, func(o *sandbox.Options) { o.SettleAfter = 4 * time.Minute })
	b.walk(4 * time.Minute)
	n := b.approved()
	b.walk(10 * time.Minute)
	b.wantPhase(n, change.Active)
	b.do(n, change.Finish{}, asker)
	b.walk(10 * time.Minute)
	if b.change(n).Access.GoneAt.IsZero() {
		t.Fatal("it is not gone")
	}
	b.none()
}

func TestWhatWasMarkedAsStandingIsLeftAloneForGood(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(zoeAdmin)
	b.walk(10 * time.Minute)
	b.decide(b.one(change.FindingUnasked, change.FindingOpen).ID, false)
	b.walk(7 * time.Hour)
	b.aws.Uproot(zoeAdmin)
	b.walk(7 * time.Hour)
	b.aws.Plant(zoeAdmin)
	b.census = b.newCensus() // after a restart too
	b.walk(7 * time.Hour)
	f := b.one(change.FindingUnasked, change.FindingStanding)
	if f.DecidedBy != ctoActor.ID || !b.aws.Has(zoeAdmin) {
		t.Errorf("the finding is %+v", f)
	}
	b.wantChain(change.EventCensusFound, change.EventCensusStanding)
	if b.posted(change.DeliverFinding) != 1 || b.shown().State != change.FindingStanding {
		t.Error("it was told again")
	}
}

func TestStandingAccessThatAChangeFoundIsMarkedForItToo(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(adaAdmin)
	n := b.approved()
	b.active(n)
	b.do(n, change.Finish{}, asker)
	b.walk(15 * time.Minute)
	f := b.one(change.FindingUnasked, change.FindingOpen)
	if f.Number != n {
		t.Errorf("the finding is %+v", f)
	}
	b.decide(f.ID, false)
	if a, err := b.ledger.AssignmentOf(b.ctx, n); err != nil || a.Standing != "kept" {
		t.Errorf("the assignment is %+v, %v", a, err)
	}
}

func TestAnEndThatIsLateIsToldOnce(t *testing.T) {
	t.Parallel()
	b := censusSetup(t)
	b.aws.Plant(zoeAdmin)
	b.walk(10 * time.Minute)
	f := b.one(change.FindingUnasked, change.FindingOpen)
	b.aws.Faults.Add(fault.Fault{Kind: fault.TooMany, Call: deleteCall})
	b.decide(f.ID, true)
	b.walk(4 * time.Minute)
	b.wantChain(change.EventCensusFound, change.EventCensusEnded)
	b.walk(9 * time.Minute)
	b.wantChain(change.EventCensusFound, change.EventCensusEnded, change.EventCensusLate)
	b.aws.Faults.Clear()
	b.walk(10 * time.Minute)
	b.wantChain(change.EventCensusFound, change.EventCensusEnded, change.EventCensusLate, change.EventCensusClosed)
	if b.posted(change.DeliverFindingNews) != 2 {
		t.Errorf("told %d times", b.posted(change.DeliverFindingNews))
	}
}
