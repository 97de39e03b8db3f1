package slackapp

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// floodLines is how many lines a minute the log gets of requests that Slack did
// not sign. Anybody can send those, as many as they like.
const floodLines = 10

// flood counts what the log leaves out.
type flood struct {
	mu    sync.Mutex
	began time.Time // of the minute
	lines int       // written in it
	left  int       // out, since the last line
}

// due tells whether to write a line now, and how many were left out before it.
func (f *flood) due(now time.Time) (left int, due bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.began.IsZero() || now.Sub(f.began) >= time.Minute || now.Before(f.began) {
		f.began, f.lines = now, 0
	}
	if f.lines == floodLines {
		f.left++
		return 0, false
	}
	left, f.left = f.left, 0
	f.lines++
	return left, true
}

// turnedDown logs a request that nobody has signed, unless there are very many.
func (a *App) turnedDown(ctx context.Context, message string, d door, why slog.Attr) {
	left, due := a.flood.due(a.Now())
	if !due {
		return
	}
	attrs := []slog.Attr{slog.String("door", string(d)), why}
	if left > 0 {
		attrs = append(attrs, slog.Int("left_out_before", left))
	}
	a.Log.LogAttrs(ctx, slog.LevelWarn, message, attrs...)
}
