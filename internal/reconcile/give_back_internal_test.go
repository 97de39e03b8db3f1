package reconcile

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAClaimIsGivenBackWhenTheDatabaseAnswersAgain(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	synctest.Test(t, func(t *testing.T) {
		up := time.Now().Add(10 * time.Second)
		err := giveBack(t.Context(), func(context.Context) error {
			if time.Now().Before(up) {
				return down
			}
			return nil
		})
		if late := time.Since(up); err != nil || late > giveBackSlowest {
			t.Errorf("given back %s after the database was there: %v", late, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		err := giveBack(t.Context(), func(context.Context) error { return down })
		if took := time.Since(begun); !errors.Is(err, down) || took != giveBackWithin {
			t.Errorf("given up after %s: %v", took, err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the program stops: there is a last moment for it
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		if err := giveBack(ctx, func(context.Context) error { return nil }); err != nil {
			t.Error(err)
		}
		err := giveBack(ctx, func(context.Context) error { return down })
		if took := time.Since(begun); !errors.Is(err, down) || took != giveBackStopping {
			t.Errorf("a stop waited %s: %v", took, err)
		}
	})
}
