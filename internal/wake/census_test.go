package wake_test

import (
	"context"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/wake"
)

func TestTheCensusIsGoneOnWithAndAStopBreaksItOff(t *testing.T) {
	t.Parallel()
	began := make(chan struct{}, 10)
	ticker := newTicker(databases.Pool(t), wake.Jobs{})
	ticker.Census = func(ctx context.Context) error {
		began <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	ticker.Start(t.Context())
	next(t, began)
	stopped := make(chan struct{})
	go func() {
		ticker.Stop()
		close(stopped)
	}()
	next(t, stopped)
}

func TestACensusThatPanicsIsGoneOnWith(t *testing.T) {
	t.Parallel()
	began := make(chan struct{}, 10)
	ticker := newTicker(databases.Pool(t), wake.Jobs{})
	ticker.Census = func(context.Context) error {
		began <- struct{}{}
		panic("a poisoned row")
	}
	running(t, ticker)
	next(t, began)
	next(t, began)
}
