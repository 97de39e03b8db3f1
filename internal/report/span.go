package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Span is a length of time as reports show it. JSON has it in whole seconds.
type Span time.Duration

// Seconds gives the span in whole seconds, rounded.
func (s Span) Seconds() int64 { return int64(math.Round(time.Duration(s).Seconds())) }

// MarshalJSON writes whole seconds.
func (s Span) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, s.Seconds(), 10), nil }

// String writes the two largest units: 45 s, 12 min, 1 h 30 min, 3 d 4 h.
func (s Span) String() string {
	d := time.Duration(s)
	day := 24 * time.Hour
	two := func(large, small time.Duration, largeName, smallName string) string {
		d = d.Round(small)
		if rest := d % large / small; rest != 0 {
			return fmt.Sprintf("%d %s %d %s", d/large, largeName, rest, smallName)
		}
		return fmt.Sprintf("%d %s", d/large, largeName)
	}
	switch {
	case d < 0:
		return "−" + (-s).String()
	case d < 59500*time.Millisecond:
		return fmt.Sprintf("%d s", int64(d.Round(time.Second)/time.Second))
	case d < time.Hour-30*time.Second:
		return fmt.Sprintf("%d min", int64(d.Round(time.Minute)/time.Minute))
	case d < day-30*time.Second:
		return two(time.Hour, time.Minute, "h", "min")
	default:
		return two(day, time.Hour, "d", "h")
	}
}

// Spread is how a set of spans is spread. All is zero when N is.
type Spread struct {
	N       int  `json:"n"`
	Median  Span `json:"median_seconds"`
	P90     Span `json:"p90_seconds"`
	Longest Span `json:"longest_seconds"`
	Total   Span `json:"total_seconds"`
}

// spreadOf computes percentiles by nearest rank: each is a span that occurred.
func spreadOf(spans []time.Duration) Spread {
	if len(spans) == 0 {
		return Spread{}
	}
	sorted := slices.Clone(spans)
	slices.Sort(sorted)
	rank := func(percent int) Span {
		return Span(sorted[(len(sorted)*percent+99)/100-1])
	}
	s := Spread{N: len(sorted), Median: rank(50), P90: rank(90), Longest: Span(sorted[len(sorted)-1])}
	for _, d := range sorted {
		s.Total += Span(d)
	}
	return s
}

// Bucket is one bar of a distribution.
type Bucket struct {
	Label string `json:"label"`
	N     int    `json:"n"`
}
