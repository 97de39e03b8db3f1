package wake_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/wake"
	"github.com/breakglass-bot/breakglass/migrations"
)

var databases = pgtest.New(migrations.Up)

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

// A call that is cut off may have been heard: its outcome is unknown, and what it
// makes has to be looked for. So a stop lets it end.
func TestAStopLetsWhatIsInHandEnd(t *testing.T) {
	t.Parallel()
	pool := databases.Pool(t)
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if _, err := pool.Exec(t.Context(), `INSERT INTO deliveries (number, kind, key, system, mode, recipient, ref, wanted, next_try)
		VALUES (1, 'ticket', 'ticket', 'Jira', 'converge', '', '{}', 1, $1)`, now); err != nil {
		t.Fatal(err)
	}
	inHand, goOn, cut := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	ticker := wake.Ticker{
		Ledger: ledger.New(pool), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Clock: func(context.Context) (int, error) { return 0, nil },
		Jobs: wake.Jobs{Deliver: func(ctx context.Context, _ ledger.Work) error {
			close(inHand)
			<-goOn
			cut <- ctx.Err()
			return nil
		}},
	}
	ticker.Start(t.Context())
	<-inHand
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		close(stopping)
		ticker.Stop()
		close(stopped)
	}()
	<-stopping
	select {
	case <-stopped:
		t.Error("the stop did not wait for what is in hand")
	case <-time.After(200 * time.Millisecond):
	}
	close(goOn)
	<-stopped
	if err := <-cut; err != nil {
		t.Errorf("what was in hand was cut off: %v", err)
	}
}
