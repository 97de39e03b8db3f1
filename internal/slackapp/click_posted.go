package slackapp

import (
	"context"
	"errors"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

const (
	storedWithin = time.Second           // how long a click waits for its message to be stored
	storedPause  = 20 * time.Millisecond // between two looks
)

// posted finds the message that was clicked. Somebody may be quicker than we are
// at writing down where Slack has put it: then the click waits a little, as long
// as a message of the change is under way.
func (a *App) posted(ctx context.Context, n change.Number, external string) (ledger.Delivery, error) {
	ctx, cancel := context.WithTimeout(ctx, storedWithin)
	defer cancel()
	look := time.NewTicker(storedPause)
	defer look.Stop()
	for {
		d, err := a.Ledger.PostedAs(ctx, n, external)
		if !errors.Is(err, ledger.ErrNotFound) {
			return d, err
		}
		underWay, err := a.Ledger.PostUnderWay(ctx, n)
		if err != nil {
			return d, err
		}
		if !underWay {
			return d, errForged
		}
		select {
		case <-ctx.Done():
			return d, &change.Refusal{Code: change.Unestablished, Say: "This message is still being written down, so nothing was changed. Please press again in a moment."}
		case <-look.C:
		}
	}
}
