package wake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/breakglass-bot/breakglass/internal/wake"
)

func TestWorkThatCanWaitGivesWayButNotForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g wake.Gate
		waits := func() time.Duration {
			begun := time.Now()
			g.Wait(t.Context(), time.Second)
			return time.Since(begun)
		}
		if d := waits(); d != 0 {
			t.Errorf("waited %s for nobody", d)
		}
		first, second := g.Enter(), g.Enter()
		time.AfterFunc(100*time.Millisecond, first)
		time.AfterFunc(300*time.Millisecond, second)
		if d := waits(); d != 300*time.Millisecond {
			t.Errorf("waited %s, want until the second has left", d)
		}
		first() // again: it counts once
		leave := g.Enter()
		if d := waits(); d != time.Second {
			t.Errorf("waited %s for somebody who stays", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		g.Wait(ctx, time.Second)
		if d := time.Since(begun); d != 0 {
			t.Errorf("waited %s although it was broken off", d)
		}
		leave()
		if d := waits(); d != 0 {
			t.Errorf("waited %s when all had left", d)
		}
	})
}
