package slackapp

import (
	"testing"
	"time"
)

func TestAFloodIsLoggedInTenLinesAMinuteThatSayWhatTheyLeaveOut(t *testing.T) {
	t.Parallel()
	var f flood
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	written := 0
	for range 1000 {
		if _, due := f.due(now); due {
			written++
		}
	}
	if written != 10 {
		t.Errorf("%d lines were written", written)
	}
	if left, due := f.due(now.Add(time.Minute)); !due || left != 990 {
		t.Errorf("a minute later: %v, with %d left out", due, left)
	}
	if left, due := f.due(now.Add(time.Minute)); !due || left != 0 {
		t.Errorf("after that: %v, with %d left out", due, left)
	}
	if _, due := f.due(now.Add(-time.Hour)); !due {
		t.Error("a clock that was set back silences the log")
	}
}
