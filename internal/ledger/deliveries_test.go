package ledger_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

const n1 change.Number = 1

func delivery(kind change.DeliveryKind, key string, mode change.Mode) change.Delivery {
	return change.Delivery{Number: n1, Kind: kind, Key: key, Mode: mode}
}

var (
	card = delivery(change.DeliverCard, "card", change.Converge)
	note = delivery(change.DeliverDirect, "note", change.Once)
)

func (s *stand) put(version int64, d ...change.Delivery) {
	s.t.Helper()
	s.must(s.Put(s.ctx, d, version, s.now))
}

func (s *stand) claim(by string) (ledger.Delivery, error) {
	return s.ClaimDelivery(s.ctx, n1, change.SystemSlack, s.now, s.now.Add(time.Minute), by)
}

func (s *stand) claimed(by string) ledger.Delivery {
	s.t.Helper()
	d, err := s.claim(by)
	s.must(err)
	return d
}

func (s *stand) nothingDue() {
	s.t.Helper()
	if d, err := s.claim("nobody"); !errors.Is(err, ledger.ErrNotFound) {
		s.t.Errorf("%s %s is due: %v", d.Kind, d.Key, err)
	}
}

func TestWhatIsSentOnceIsSentOnceAndWhatConvergesAgain(t *testing.T) {
	s := open(t)
	s.put(1, card, note)
	for range 2 {
		d := s.claimed("a")
		s.must(s.Delivered(s.ctx, d, "ts", s.now, time.Time{}))
	}
	s.put(1, card, note)
	s.nothingDue()
	s.put(2, card, note)
	if d := s.claimed("b"); d.Kind != change.DeliverCard || d.Wanted != 2 || d.Done != 1 || d.ExternalID != "ts" {
		t.Errorf("due is %+v", d)
	}
	s.nothingDue()
}

func TestADeliveryIsClaimedByOneUntilItsLeaseEnds(t *testing.T) {
	s := open(t)
	s.put(1, card)
	first := s.claimed("first")
	s.nothingDue()
	if work, err := s.DueWork(s.ctx, change.SystemSlack, s.now, 9); err != nil || len(work) > 0 {
		t.Errorf("claimed work is listed as due: %v, %v", work, err)
	}
	s.now = s.now.Add(time.Minute)
	second := s.claimed("second")
	if second.ID != first.ID || second.Attempts != 2 {
		t.Errorf("the second claim is %+v", second)
	}
	for what, err := range map[string]error{
		"delivered": s.Delivered(s.ctx, first, "x", s.now, time.Time{}), "retry": s.Retry(s.ctx, first, s.now, "x"),
		"end": s.End(s.ctx, first, ledger.DeliveryCancelled, "x"), "keep": s.Keep(s.ctx, &first, "x"), "intend": s.Intend(s.ctx, &first, s.now),
	} {
		if !errors.Is(err, ledger.ErrClaimLost) {
			t.Errorf("%s under a lost claim answers %v", what, err)
		}
	}
	s.must(s.Delivered(s.ctx, second, "y", s.now, time.Time{}))
	if d, err := s.DeliveryOf(s.ctx, n1, change.DeliverCard, "card"); err != nil || d.ExternalID != "y" || d.State != ledger.DeliveryDone {
		t.Errorf("the delivery is %+v: %v", d, err)
	}
}

func TestEachDeliveryIsClaimedByOneOfMany(t *testing.T) {
	s := open(t)
	for i := range 12 {
		s.put(1, delivery(change.DeliverDirect, strconv.Itoa(i), change.Once))
	}
	var mu sync.Mutex
	by := map[string]int{}
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			d, err := s.claim(strconv.Itoa(i))
			if err == nil {
				mu.Lock()
				by[d.Key]++
				mu.Unlock()
			} else if !errors.Is(err, ledger.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for { // a claim that met a locked row may have gone away empty-handed
		d, err := s.claim("late")
		if errors.Is(err, ledger.ErrNotFound) {
			break
		}
		s.must(err)
		by[d.Key]++
	}
	for i := range 12 {
		if by[strconv.Itoa(i)] != 1 {
			t.Errorf("delivery %d was claimed %d times", i, by[strconv.Itoa(i)])
		}
	}
}

// TestWhatIsAskedForWhileAClaimIsHeldIsNotLost: each of these comes between a
// reconciler's look and its result.
func TestWhatIsAskedForWhileAClaimIsHeldIsNotLost(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(s *stand){
		"a newer version": func(s *stand) { s.put(2, card) },
		"a refresh":       func(s *stand) { s.must(s.Refresh(s.ctx, n1, change.DeliverCard, s.now)) },
		"a hint":          func(s *stand) { s.must(s.Hasten(s.ctx, n1, change.DeliverCard, s.now)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.put(1, card)
			d := s.claimed("a")
			s.now = s.now.Add(time.Second)
			ask(s)
			s.nothingDue()
			s.must(s.Delivered(s.ctx, d, "ts", s.now, time.Time{}))
			s.claimed("b")
		})
	}
}

func TestAFailedDeliveryWaitsItsTimeWhateverIsAskedFor(t *testing.T) {
	s := open(t)
	s.put(1, card)
	s.must(s.Retry(s.ctx, s.claimed("a"), s.now.Add(time.Minute), "Slack is down."))
	s.put(2, card)
	s.must(s.Refresh(s.ctx, n1, change.DeliverCard, s.now))
	s.nothingDue()
	if waiting, err := s.Waiting(s.ctx, n1); err != nil || waiting[change.SystemSlack] != "Slack is down." {
		t.Errorf("waiting for %v: %v", waiting, err)
	}
	s.must(s.Hasten(s.ctx, n1, change.DeliverCard, s.now)) // somebody knows that it may work now
	if d := s.claimed("b"); d.Wanted != 2 {
		t.Errorf("wanted is version %d", d.Wanted)
	}
}

func TestAParkedDeliveryStaysParked(t *testing.T) {
	s := open(t)
	s.put(1, card)
	s.must(s.End(s.ctx, s.claimed("a"), ledger.DeliveryParked, "The channel is archived."))
	s.put(2, card)
	s.must(s.Refresh(s.ctx, n1, change.DeliverCard, s.now))
	s.must(s.Hasten(s.ctx, n1, change.DeliverCard, s.now))
	s.nothingDue()
}

func TestADeliveryIsDueWhenItSays(t *testing.T) {
	s := open(t)
	later := note
	later.Due = s.now.Add(time.Hour)
	s.put(1, later)
	s.nothingDue()
	s.now = later.Due
	d := s.claimed("a")
	s.must(s.Delivered(s.ctx, d, "ts", s.now, s.now.Add(time.Hour)))
	s.nothingDue()
	s.now = s.now.Add(time.Hour)
	if again := s.claimed("b"); again.ID != d.ID {
		t.Errorf("due again is %+v", again)
	}
}

func TestIntendingTwiceKeepsTheFirstTime(t *testing.T) {
	s := open(t)
	s.put(1, note)
	d := s.claimed("a")
	s.must(s.Intend(s.ctx, &d, s.now))
	s.must(s.Intend(s.ctx, &d, s.now.Add(time.Hour)))
	if got, err := s.DeliveryOf(s.ctx, n1, note.Kind, note.Key); err != nil || !got.IntendedAt.Equal(start) || !d.IntendedAt.Equal(start) {
		t.Errorf("intended at %s: %v", got.IntendedAt, err)
	}
}
