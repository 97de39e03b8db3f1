package wake_test

import (
	"context"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/wake"
)

func TestALaneThatStallsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	r := newReconcilers()
	release := make(chan struct{})
	r.assign = func(_ context.Context, id int64) error {
		if id < 100 {
			<-release
		}
		return nil
	}
	polls := func(context.Context, int) ([]int64, error) { return []int64{1, 2, 3, 4}, nil }
	revokes := func(context.Context, int) ([]int64, error) { return []int64{100}, nil }
	ticker := newTicker(databases.Pool(t), r.jobs())
	ticker.Lanes = []wake.Lane{wake.NewLane("poll", 2, polls), wake.NewLane("revoke", 2, revokes)}
	running(t, ticker)
	defer close(release)
	stalled := 0
	for revoked := 0; revoked < 5; {
		if next(t, r.assigned) == 100 {
			revoked++
		} else {
			stalled++
		}
	}
	if stalled > 2 {
		t.Errorf("%d are worked on in a lane of two", stalled)
	}
}

func TestAKickIsWorkedOffWithoutWaitingForTheNextLook(t *testing.T) {
	t.Parallel()
	r := newReconcilers()
	kicked := make(chan struct{})
	looks := make(chan struct{}, 100)
	due := func(context.Context, int) ([]int64, error) {
		looks <- struct{}{}
		select {
		case <-kicked:
			return []int64{7}, nil
		default:
			return nil, nil
		}
	}
	ticker := newTicker(databases.Pool(t), r.jobs())
	ticker.Every = time.Hour
	ticker.Lanes = []wake.Lane{wake.NewLane("grant", 2, due)}
	running(t, ticker)
	next(t, looks)
	close(kicked)
	ticker.Kick()
	if id := next(t, r.assigned); id != 7 {
		t.Errorf("%d was worked on", id)
	}
}
