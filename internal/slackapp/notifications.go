package slackapp

import (
	"context"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// PausedUntil tells until when somebody's notifications are paused, by hand or
// by their schedule: the zero time when they are not. It needs the scope
// dnd:read.
func (w Workspace) PausedUntil(ctx context.Context, p change.PersonID, now time.Time) (time.Time, error) {
	id := string(p)
	status, err := w.Client.GetDNDInfoContext(ctx, &id)
	if err != nil {
		return time.Time{}, failure("dnd.info", "This person", err)
	}
	var until time.Time
	if end := time.Unix(int64(status.SnoozeEndTime), 0).UTC(); status.SnoozeEnabled && end.After(now) {
		until = end
	}
	from, to := time.Unix(int64(status.NextStartTimestamp), 0).UTC(), time.Unix(int64(status.NextEndTimestamp), 0).UTC()
	if status.Enabled && !from.After(now) && to.After(now) && to.After(until) {
		until = to
	}
	return until, nil
}
