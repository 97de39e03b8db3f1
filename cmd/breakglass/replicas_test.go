package main

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// killing kills one replica after the other, until ctx ends.
func killing(random *rand.Rand, pause func(*rand.Rand) time.Duration) func(ctx context.Context, a *arena) {
	return func(ctx context.Context, a *arena) {
		for {
			next := a.replicas[random.IntN(len(a.replicas))]
			next.address() // when it is up: else, on a busy machine, it would die each time as soon as it is
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause(random)):
			}
			if err := next.kill(); err != nil {
				a.fail(err)
			}
		}
	}
}

// replicated plays n changes on three replicas, one of which is killed again and
// again.
func replicated(ctx context.Context, t testing.TB, world sandbox.Options, n int, random *rand.Rand, pause func(*rand.Rand) time.Duration) (*arena, error) {
	t.Helper()
	at := binary(t, armed)
	world.AWS.PageSize = 100 // AWS's own: a list of the crowd is a call or two
	return play(ctx, t, arenaOptions{world: world, programs: []string{at, at, at}}, n, killing(random, pause))
}

func TestThreeReplicasDoEverythingOnceThoughOneIsKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	binary(t, armed) // outside the time that a story may take
	ctx, cancel := context.WithTimeout(t.Context(), testWithin)
	defer cancel()
	begun := time.Now()
	a, err := replicated(ctx, t, sandbox.Options{}, 12, rand.New(rand.NewPCG(1, 1)), func(*rand.Rand) time.Duration { return 1500 * time.Millisecond })
	if err != nil {
		t.Fatal(err)
	}
	if a.kills.Load() == 0 {
		t.Error("nothing was killed")
	}
	t.Logf("12 changes, %d kills, %s", a.kills.Load(), time.Since(begun))
}
