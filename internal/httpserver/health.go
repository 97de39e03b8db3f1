package httpserver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// healthz says that the process runs, and nothing about what it depends on:
// a restart mends neither a database nor Slack.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "ok")
}

// readyz says whether work should be sent here: 200, or 503 with one plain
// sentence for each check that fails, in the order of the options.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if problems := s.ready.problems(r.Context(), s); len(problems) > 0 {
		answer(w, http.StatusServiceUnavailable, problems...)
		return
	}
	lines := []string{"ready"}
	s.mu.Lock()
	if s.metricsProblem != "" {
		lines = append(lines, s.metricsProblem)
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, lines...)
}

// readiness is the newest answer of the checks. Whoever asks /readyz needs no
// signature, so asking often must not make work.
type readiness struct {
	mu    sync.Mutex
	known bool
	at    time.Time
	found []string
}

func (r *readiness) problems(ctx context.Context, s *Server) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := s.options.Now(); !r.known || now.Before(r.at) || now.Sub(r.at) >= s.options.CheckEvery {
		r.found = s.problems(context.WithoutCancel(ctx)) // others may be told the same
		r.known, r.at = true, now
	}
	return r.found
}

// problems runs the checks side by side, so that several slow ones cost no
// more than one.
func (s *Server) problems(ctx context.Context) []string {
	failed := make([]bool, len(s.options.Checks))
	var running sync.WaitGroup
	for i, check := range s.options.Checks {
		running.Go(func() {
			if err := s.run(ctx, check); err != nil {
				failed[i] = true
				s.options.Log.WarnContext(ctx, "not ready", "check", check.Name, "error", err)
			}
		})
	}
	running.Wait()
	var problems []string
	for i, check := range s.options.Checks {
		if failed[i] {
			problems = append(problems, check.Sentence)
		}
	}
	return problems
}

func (s *Server) run(ctx context.Context, check Check) (err error) {
	// Outside the request's own goroutine nothing else would catch a panic,
	// and a probe must never end the process.
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("the check panicked: %v", value)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.options.CheckTimeout)
	defer cancel()
	return check.Ready(ctx)
}

func answer(w http.ResponseWriter, status int, lines ...string) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// An error here means that nobody listens any more.
	_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n")
}
