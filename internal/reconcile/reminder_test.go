package reconcile_test

import (
	"context"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// wall is a Slack in which messages stand until they are deleted, which it
// refuses for a while.
type wall struct {
	messenger
	refuses bool
	gone    map[string]bool
	posted  map[int64]int // by delivery
}

func (w *wall) Write(ctx context.Context, p change.Posting) (string, error) {
	if p.External != "" && !w.gone[p.External] {
		return p.External, nil
	}
	p.External = ""
	w.posted[p.ID]++
	return w.messenger.Write(ctx, p)
}

func (w *wall) Remove(_ context.Context, external string) error {
	if w.refuses {
		return &change.OutsideError{System: change.SystemSlack, Outcome: change.NotNow, RetryAfter: 61 * time.Minute, Say: "Slack asks breakglass to wait."}
	}
	w.gone[external] = true
	return nil
}

// Slack does not delete the older reminder, so the newer one waits for its next
// try. When that comes, a still newer one has taken its place: it was deleted, and
// must not be posted again.
func TestAReminderThatMadeWayForANewerIsNotPostedAgain(t *testing.T) {
	t.Parallel()
	b := setupRecords(t)
	b.Workflow.Rules.Record.Remind = []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour}
	slack := &wall{gone: map[string]bool{}, posted: map[int64]int{}}
	b.Messenger = slack
	c := b.request(t)
	b.do(t, c.Number, chief, change.Approve{Ask: 1})
	b.do(t, c.Number, engineer, change.Finish{})
	for i := range 3 {
		slack.refuses = i == 1
		b.clock.forward(time.Hour)
		if _, err := b.Workflow.Do(t.Context(), c.Number, change.Tick{}, change.Itself("clock")); err != nil {
			t.Fatal(err)
		}
		b.work(t)
	}
	b.pass(t, 10*time.Minute, time.Minute)
	reminders := 0
	for id, n := range slack.posted {
		if n != 1 {
			t.Errorf("delivery %d was posted %d times", id, n)
		}
	}
	all, err := b.Ledger.Deliveries(t.Context(), c.Number)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Kind == change.DeliverReminder && !slack.gone[d.ExternalID] {
			reminders++
		}
	}
	if reminders != 1 {
		t.Errorf("%d reminders stand there", reminders)
	}
}
