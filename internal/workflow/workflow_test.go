package workflow_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/workflow"
)

func TestAFormThatComesTwiceMakesOneChange(t *testing.T) {
	s := open(t)
	form := workflow.From(workflow.Payload{Source: "view", ID: "V1"})
	first := s.submit(form)
	if again := s.submit(form); again != first {
		t.Errorf("the first made %s, the second answers %s", first, again)
	}
	if other := s.submit(workflow.From(workflow.Payload{Source: "view", ID: "V2"})); other != first+1 {
		t.Errorf("another form makes %s", other)
	}
	s.holds()
}

func TestAFormThatComesOftenAtOnceMakesOneChange(t *testing.T) {
	s := open(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			c, err := s.Submit(t.Context(), request(), member(requester), workflow.From(workflow.Payload{Source: "view", ID: "V1"}))
			if err != nil || c.Number != 1 {
				t.Errorf("it answers %s: %v", c.Number, err)
			}
		})
	}
	all.Wait()
	if next := s.submit(); next != 2 {
		t.Errorf("the next change is %s", next)
	}
	s.holds()
}

func TestOfTwoDecisionsAtOnceOneCounts(t *testing.T) {
	s := open(t)
	n := s.submit()
	commands := map[change.PersonID]change.Command{cto: change.Approve{Ask: 1}, second: change.Deny{Ask: 1, Reason: "No"}}
	var mu sync.Mutex
	var decided []change.PersonID
	var refusals []*change.Refusal
	var all sync.WaitGroup
	for range 3 {
		for who, cmd := range commands {
			all.Go(func() {
				_, err := s.Do(t.Context(), n, cmd, member(who))
				mu.Lock()
				defer mu.Unlock()
				if r, refused := errors.AsType[*change.Refusal](err); refused {
					refusals = append(refusals, r)
				} else if err == nil {
					decided = append(decided, who)
				} else {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if len(decided) != 1 || len(refusals) != 5 {
		t.Fatalf("%v decided, %d were refused", decided, len(refusals))
	}
	for _, r := range refusals {
		if r.Code != change.Decided || r.By != decided[0] {
			t.Errorf("a late click is told %+v", r)
		}
	}
	c, err := s.Ledger.Change(t.Context(), n)
	s.must(err)
	if len(c.Asks[0].Decisions) != 1 || s.count(n, change.EventApproved)+s.count(n, change.EventDenied) != 1 || s.count(n, change.EventRefused) != 5 {
		t.Errorf("the question is %+v", c.Asks[0])
	}
	s.holds()
}

func TestAClickThatComesTwiceHappensOnce(t *testing.T) {
	s := open(t)
	n := s.submit()
	click := workflow.From(workflow.Payload{Source: "trigger", ID: "T1"})
	for range 2 {
		if c := s.do(n, change.AddNote{Text: "Once"}, member(requester), click); len(c.Notes) != 1 {
			t.Errorf("there are %d notes", len(c.Notes))
		}
	}
	s.holds()
}

func TestARefusalIsKeptOfAPersonAndSoManyOfEach(t *testing.T) {
	s := open(t)
	n := s.submit()
	before, err := s.Ledger.Change(t.Context(), n)
	s.must(err)
	for range 25 {
		s.refused(n, change.Approve{Ask: 1}, member(requester), change.OwnChange)
	}
	s.refused(n, change.Approve{Ask: 1}, member(stranger), change.NotAllowed)
	s.refused(n, change.Deny{Ask: 1}, member(cto), change.BadInput)
	s.refused(n, change.IntendAccess{}, itself, change.TooLate)
	s.refused(99, change.Withdraw{}, member(requester), change.NoSuchChange)
	if got := s.count(n, change.EventRefused); got != 21 {
		t.Errorf("%d refusals were kept; want 20 of one person and 1 of another", got)
	}
	after, err := s.Ledger.Change(t.Context(), n)
	s.must(err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("refusals altered the change:\n%s", diff)
	}
	events, err := s.Ledger.Events(t.Context(), n, 0, 99)
	s.must(err)
	last := events[len(events)-1]
	if last.Actor != stranger || last.Fact("command") != "approve" || last.Fact("code") != "not_allowed" || last.Phase != change.Requested {
		t.Errorf("the last refusal is %+v", last)
	}
	s.do(n, change.Approve{Ask: 1}, member(cto)) // the chain goes on behind them
	s.holds()
}

func TestWhatBelongsToNoChangeIsKeptWithinBounds(t *testing.T) {
	s := open(t)
	for range 40 {
		s.must(s.Refused(t.Context(), change.EventTurnedAway, "U0GUEST", "slack", change.Facts{"what": "command"}))
	}
	s.must(s.Refused(t.Context(), change.EventForged, "U0OTHER", "slack", nil))
	if got, other := s.count(0, change.EventTurnedAway), s.count(0, change.EventForged); got != 30 || other != 1 {
		t.Errorf("%d events of one person and %d of another were kept", got, other)
	}
	s.holds()
}

func TestNothingOfACommandStaysThatDoesNotCommit(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, do := range map[string]func(s *stand, n change.Number) error{
		"the waker fails": func(s *stand, n change.Number) error {
			s.waker.fail = broken
			_, err := s.Do(s.t.Context(), n, change.Approve{Ask: 1}, member(cto))
			return err
		},
		"what belongs with it fails": func(s *stand, n change.Number) error {
			_, err := s.Do(s.t.Context(), n, change.Approve{Ask: 1}, member(cto), workflow.Also(func(ledger.Tx) error { return broken }))
			return err
		},
		"a submission's waker fails": func(s *stand, _ change.Number) error {
			s.waker.fail = broken
			_, err := s.Submit(s.t.Context(), request(), member(requester), workflow.From(workflow.Payload{Source: "view", ID: "V"}))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			n := s.submit()
			before := s.everything()
			if err := do(s, n); !errors.Is(err, broken) {
				t.Fatalf("it answers %v", err)
			}
			if diff := cmp.Diff(before, s.everything()); diff != "" {
				t.Errorf("something stayed:\n%s", diff)
			}
			s.waker.fail = nil
			if next := s.submit(workflow.From(workflow.Payload{Source: "view", ID: "V"})); next != n+1 {
				t.Errorf("the next change is %s", next)
			}
			s.holds()
		})
	}
}

// everything counts the rows of every table and sums up what was written.
func (s *stand) everything() map[string]int64 {
	s.t.Helper()
	counts := map[string]int64{}
	for _, table := range []string{"changes", "events", "event_texts", "obligations", "assignments", "grants", "deliveries", "seen"} {
		var n int64
		s.must(s.pool.QueryRow(s.t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
		counts[table] = n
	}
	var versions int64
	s.must(s.pool.QueryRow(s.t.Context(), `SELECT sum(version) + sum(last_seq) FROM changes`).Scan(&versions))
	counts["versions"] = versions
	return counts
}

func TestAnApprovalPutsTheDutyToLookAtAWSIntoItsTransaction(t *testing.T) {
	s := open(t)
	n := s.submit()
	s.do(n, change.Approve{Ask: 1}, member(cto))
	a, err := s.Ledger.AssignmentOf(t.Context(), n)
	s.must(err)
	last := s.waker.woken[len(s.waker.woken)-1]
	if last.Assignment != a.ID || len(last.Work) == 0 {
		t.Errorf("woken were %+v; the assignment is %d", last, a.ID)
	}
	due, err := s.Ledger.DueAssignments(t.Context(), start, 9)
	if err != nil || len(due) != 1 {
		t.Errorf("due are %v: %v", due, err)
	}
}

func TestACommandThatFindsNothingToDoWritesNothing(t *testing.T) {
	s := open(t)
	n := s.submit()
	before := s.everything()
	s.do(n, change.Tick{}, itself)
	s.do(n, change.AccessBack{}, itself)
	if diff := cmp.Diff(before, s.everything()); diff != "" {
		t.Error(diff)
	}
}

func TestEveryDeliveryIsAskedForOnce(t *testing.T) {
	s := open(t)
	n := s.submit()
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.AddNote{Text: "x"}, member(requester))
	deliveries, err := s.Ledger.Deliveries(t.Context(), n)
	s.must(err)
	kinds := map[change.DeliveryKind]int{}
	for _, d := range deliveries {
		kinds[d.Kind]++
	}
	for kind, want := range map[change.DeliveryKind]int{change.DeliverCard: 1, change.DeliverTicket: 1, change.DeliverAskOut: 1, change.DeliverNote: 1} {
		if kinds[kind] != want {
			t.Errorf("%d deliveries of kind %s; want %d", kinds[kind], kind, want)
		}
	}
	c, err := s.Ledger.DeliveryOf(t.Context(), n, change.DeliverCard, "card")
	if err != nil || c.Wanted != 3 {
		t.Errorf("the card is to agree with version %d: %v", c.Wanted, err)
	}
}
