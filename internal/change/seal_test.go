package change_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestADayIsSealedFromItsEndInUTC(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{
		"2026-12-01T00:00:00Z":      "2026-11-30",
		"2026-12-01T23:59:59Z":      "2026-11-30",
		"2026-12-02T01:30:00+02:00": "2026-11-30", // 23:30 on the first in UTC
		"2026-11-30T22:00:00-11:00": "2026-11-30", // 09:00 on the first in UTC
		"2028-03-01T12:00:00Z":      "2028-02-29",
		"2027-01-01T00:00:00Z":      "2026-12-31",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		d := change.SealDay(at)
		if d.String() != want {
			t.Errorf("at %s the day %s is sealed, want %s", now, d, want)
		}
		if again, err := change.ParseDay(d.String()); err != nil || !again.Equal(d) || !change.DayOf(d.Start()).Equal(d) {
			t.Errorf("%s is read as %v, %v", d, again, err)
		}
		if d.End().After(at) || !d.End().Equal(d.Start().AddDate(0, 0, 1)) {
			t.Errorf("%s ends at %s", d, d.End())
		}
	}
	if _, err := change.ParseDay("2026-02-30"); err == nil {
		t.Error("2026-02-30 was taken for a day")
	}
	if zero := (change.Day{}); zero.String() != "" {
		t.Errorf("the zero day reads %q", zero)
	}
}
