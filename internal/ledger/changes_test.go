package ledger_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

func TestNumbersHaveNoGapsWhoeverGivesUp(t *testing.T) {
	s := open(t)
	var mu sync.Mutex
	var numbers []change.Number
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			fail := error(nil)
			if i%3 == 0 {
				fail = errors.New("given up")
			}
			n, err := s.trySubmit(false, fail)
			if !errors.Is(err, fail) {
				t.Errorf("submit: %v", err)
			}
			if err == nil {
				mu.Lock()
				numbers = append(numbers, n)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != change.Number(i+1) {
			t.Fatalf("the numbers are %v", numbers)
		}
	}
	if len(numbers) != 16 {
		t.Errorf("%d changes were made", len(numbers))
	}
}

func TestAChangeIsReadAsItWasSaved(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	s.do(n, change.LinkTicket{Ticket: ticket}, itself)
	s.do(n, change.Approve{Ask: 1}, member(cto))
	s.do(n, change.IntendAccess{}, itself)
	saved := s.do(n, change.AccessVerified{}, itself)
	read, err := s.Change(s.ctx, n)
	s.must(err)
	byName := cmpopts.SortSlices(func(a, b change.Obligation) bool { return a.Name < b.Name })
	if diff := cmp.Diff(saved, read, byName); diff != "" {
		t.Error(diff)
	}
	if a, b := ledger.RowDigest(saved), ledger.RowDigest(read); a != b {
		t.Errorf("its digest is %s as saved, and %s as read", a, b)
	}
	if due, err := s.DueChanges(s.ctx, read.NextAt(), 9); err != nil || len(due) != 1 {
		t.Errorf("when the clock must look, %v are due: %v", due, err)
	}
	if due, err := s.DueChanges(s.ctx, read.NextAt().Add(-time.Microsecond), 9); err != nil || len(due) != 0 {
		t.Errorf("before the clock must look, %v are due: %v", due, err)
	}
}

func TestAnErasedTextAltersNoDigest(t *testing.T) {
	s := open(t)
	n := s.whole()
	c, err := s.Change(s.ctx, n)
	s.must(err)
	before := ledger.RowDigest(c)
	c.What, c.Record.Done, c.Notes[0].Text = "", "", ""
	if ledger.RowDigest(c) != before {
		t.Error("without its texts the change has another digest")
	}
	c.Access.Approved++
	if ledger.RowDigest(c) == before {
		t.Error("with another duration the change has the same digest")
	}
}

func TestAChangeThatMovedOnIsNotOverwritten(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	var old ledger.Head
	s.must(s.InTx(s.ctx, func(tx ledger.Tx) (err error) { old, err = tx.Lock(s.ctx, n); return err }))
	s.do(n, change.AddNote{Text: "Meanwhile"}, member(requester))
	err := s.InTx(s.ctx, func(tx ledger.Tx) error {
		c, events, err := change.Decide(rules(), old.Change, change.Approve{Ask: 1}, member(cto), s.now)
		if err != nil {
			return err
		}
		_, err = tx.Update(s.ctx, old, &c, events)
		return err
	})
	if !errors.Is(err, ledger.ErrClaimLost) {
		t.Errorf("saving over a newer version answers %v", err)
	}
	if c, err := s.Change(s.ctx, n); err != nil || c.Phase != change.Requested || len(c.Notes) != 1 {
		t.Errorf("the change is %s with %d notes: %v", c.Phase, len(c.Notes), err)
	}
}

func TestAnEventIsNeverBeforeTheOneBeforeIt(t *testing.T) {
	s := open(t)
	n := s.submit(true)
	s.now = start.Add(-time.Hour) // another machine's clock
	s.do(n, change.AddNote{Text: "Early"}, member(requester))
	events, err := s.Events(s.ctx, n, 0, 99)
	s.must(err)
	for i, e := range events {
		if e.Seq != int64(i+1) || e.At.Before(start) {
			t.Errorf("event %d has number %d and is of %s", i+1, e.Seq, e.At)
		}
	}
	if last := events[len(events)-1]; last.Texts["text"] != "Early" || last.Fact("note") != "1" {
		t.Errorf("the last event is %+v", last)
	}
	if found, _ := s.verify(); len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
}

func TestTheSystemChainTakesSoManyOfOnePersonAndAllOfOthers(t *testing.T) {
	s := open(t)
	add := func(who change.PersonID, at time.Time) bool {
		added, err := s.SystemEvent(s.ctx, change.Event{Type: change.EventForged, At: at, Actor: who}, at.Add(-time.Hour), 3)
		s.must(err)
		return added
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 8 {
		all.Go(func() {
			if add("U1", start) {
				mu.Lock()
				taken++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if taken != 3 || !add("U2", start) || !add("U1", start.Add(2*time.Hour)) {
		t.Errorf("%d of one person were taken, or another's was not, or none later", taken)
	}
	events, err := s.SystemEvents(s.ctx, 0, 99)
	s.must(err)
	if len(events) != 5 {
		t.Errorf("%d events", len(events))
	}
	if found, _ := s.verify(); len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
}

func TestAPayloadIsTakenOnce(t *testing.T) {
	s := open(t)
	seen := func(n change.Number) (earlier change.Number, first bool) {
		s.must(s.InTx(s.ctx, func(tx ledger.Tx) (err error) {
			earlier, first, err = tx.Seen(s.ctx, "view", "V1", n, s.now)
			return err
		}))
		return earlier, first
	}
	if n, first := seen(1); !first || n != 1 {
		t.Errorf("the first time answers %s, %t", n, first)
	}
	if n, first := seen(2); first || n != 1 {
		t.Errorf("the second time answers %s, %t", n, first)
	}
	s.must(s.ForgetSeen(s.ctx, s.now))
	if _, first := seen(3); first {
		t.Error("a payload was forgotten that is not old enough")
	}
	s.must(s.ForgetSeen(s.ctx, s.now.Add(time.Second)))
	if _, first := seen(3); !first {
		t.Error("an old payload was not forgotten")
	}
}
