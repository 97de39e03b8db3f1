package change

import (
	"fmt"
	"time"
)

// Month is a calendar month in UTC.
type Month struct{ start time.Time }

// digestDay is when the digest of a month is due, counted from its end: at
// 09:00 UTC on the first.
const digestDay = 9 * time.Hour

// DigestMonth is the newest month whose digest is due at a time.
func DigestMonth(now time.Time) Month {
	at := now.UTC().Add(-digestDay)
	return Month{time.Date(at.Year(), at.Month()-1, 1, 0, 0, 0, 0, time.UTC)}
}

// monthLayout is how a month is written: 2026-11.
const monthLayout = "2006-01"

// ParseMonth reads what String writes.
func ParseMonth(s string) (Month, error) {
	start, err := time.Parse(monthLayout, s)
	if err != nil {
		return Month{}, fmt.Errorf("read a month: %w", err)
	}
	return Month{start}, nil
}

// String writes the month so that it sorts: 2026-11.
func (m Month) String() string { return m.start.Format(monthLayout) }

// Name is the month for people: November 2026.
func (m Month) Name() string { return m.start.Format("January 2006") }

// Start is its first moment.
func (m Month) Start() time.Time { return m.start }

// End is the first moment after it.
func (m Month) End() time.Time { return m.start.AddDate(0, 1, 0) }
