package wake

import (
	"testing"
	"time"
)

func TestALookIsPaidForByWaitingUnlessLooksAreFew(t *testing.T) {
	t.Parallel()
	const every = 250 * time.Millisecond
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	p := pace{every: every}
	look := func(took time.Duration) time.Duration {
		began := now
		now = now.Add(took)
		return p.pause(began, now)
	}
	if d := look(12 * time.Millisecond); d != betweenLooks {
		t.Errorf("the first kick is held up for %s by one slow look", d)
	}
	now = now.Add(time.Minute)
	var worked, rested time.Duration
	for range 1000 { // kicked without a pause
		d := look(3 * time.Millisecond)
		worked, rested = worked+3*time.Millisecond, rested+d
		now = now.Add(d)
		if d > 3*lookShare*time.Millisecond {
			t.Fatalf("a pause of %s", d)
		}
	}
	if share := float64(worked) / float64(worked+rested); share < 0.045 || share > 0.055 {
		t.Errorf("looks take %.3f of the time", share)
	}
	if d := look(time.Hour); d != every {
		t.Errorf("behind a very long look it waits for %s, want %s", d, every)
	}
	now = now.Add(-time.Hour)
	if d := look(time.Millisecond); d > every {
		t.Errorf("when the clock was set back it waits for %s", d)
	}
}
