package change_test

import (
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

func TestADigestIsDueFromTheFirstOfTheNextMonthAtNine(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for now, want := range map[string]string{
		"2026-12-01T08:59:59Z":      "2026-10",
		"2026-12-01T09:00:00Z":      "2026-11",
		"2026-12-31T23:59:59Z":      "2026-11",
		"2027-01-01T08:59:59Z":      "2026-11",
		"2027-01-01T09:00:00Z":      "2026-12",
		"2026-12-01T10:30:00+02:00": "2026-10", // 08:30 in UTC
		"2026-11-30T22:00:00-11:00": "2026-11", // 09:00 on the first in UTC
		"2028-03-01T12:00:00Z":      "2028-02",
	} {
		m := change.DigestMonth(at(now))
		if m.String() != want {
			t.Errorf("at %s the digest of %s is due, want %s", now, m, want)
		}
		if again, err := change.ParseMonth(m.String()); err != nil || again != m {
			t.Errorf("%s is read as %v, %v", m, again, err)
		}
	}
	leap := change.DigestMonth(at("2028-03-01T12:00:00Z"))
	if !leap.Start().Equal(at("2028-02-01T00:00:00Z")) || !leap.End().Equal(at("2028-03-01T00:00:00Z")) || leap.Name() != "February 2028" {
		t.Errorf("%s goes from %s to %s", leap.Name(), leap.Start(), leap.End())
	}
	if _, err := change.ParseMonth("2026-13"); err == nil {
		t.Error("2026-13 was taken for a month")
	}
}
