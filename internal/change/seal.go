package change

import (
	"fmt"
	"time"
)

// Day is a calendar day in UTC.
type Day struct{ start time.Time }

// SealDay is the newest day that is over at a time: the one that is sealed then.
func SealDay(now time.Time) Day {
	at := now.UTC()
	return Day{time.Date(at.Year(), at.Month(), at.Day()-1, 0, 0, 0, 0, time.UTC)}
}

// DayOf is the day that a time lies on.
func DayOf(at time.Time) Day {
	at = at.UTC()
	return Day{time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)}
}

// ParseDay reads what String writes.
func ParseDay(s string) (Day, error) {
	start, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Day{}, fmt.Errorf("read a day: %w", err)
	}
	return Day{start}, nil
}

// String writes the day so that it sorts: 2026-11-22; empty for the zero day.
func (d Day) String() string {
	if d.start.IsZero() {
		return ""
	}
	return d.start.Format(time.DateOnly)
}

// Equal tells whether two days are the same.
func (d Day) Equal(other Day) bool { return d.start.Equal(other.start) }

// Start is its first moment.
func (d Day) Start() time.Time { return d.start }

// End is the first moment after it.
func (d Day) End() time.Time { return d.start.AddDate(0, 0, 1) }

// Seal holds the heads of the chains that have changed since the seal before it.
type Seal struct {
	Number int64 // from 1, without gaps
	Day    Day   // the last day that was over
	After  Day   // the day of the seal before it; zero: it is the first
	At     time.Time
	Chains int64  // how many heads it holds
	Heads  string // hex(sha256) of their lines
	Hash   string // of the seal itself, behind the one before it
}
