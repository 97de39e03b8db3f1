package httpserver

import (
	"context"
	"time"
)

// rarely keeps a line of the log to one a minute, however often there is reason
// for it, and counts.
type rarely struct {
	last  time.Time
	count int
}

// due tells whether to write a line now, and how often there was reason for it
// since the last.
func (r *rarely) due(now time.Time) (count int, due bool) {
	r.count++
	if !r.last.IsZero() && now.Sub(r.last) < time.Minute && !now.Before(r.last) {
		return 0, false
	}
	count, r.last, r.count = r.count, now, 0
	return count, true
}

// tellOfCrowd says in the log that connections were cut off to make room.
func (s *Server) tellOfCrowd(ctx context.Context) {
	s.mu.Lock()
	count, due := s.crowded.due(s.options.Now())
	s.mu.Unlock()
	if due {
		s.options.Log.WarnContext(ctx, "there are too many connections, or too much was sent by them; those that kept us waiting longest were cut off", "connections", count)
	}
}
