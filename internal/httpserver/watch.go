package httpserver

import (
	"log/slog"
	"net/http"
	"runtime/debug"
)

// watched counts and logs each request when it is finished. Only the path is
// logged: query strings and bodies hold what people wrote, and secrets.
func (s *Server) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := s.options.Now()
		s.inFlight.Add(1)
		writer := &statusWriter{ResponseWriter: w}
		defer func() {
			s.inFlight.Add(-1)
			took := s.took(started)
			s.options.Observe(r.Pattern, writer.answered(), took)
			s.options.Log.LogAttrs(r.Context(), slog.LevelDebug, "request",
				slog.String("method", r.Method), slog.String("path", r.URL.Path),
				slog.Int("status", writer.answered()), slog.Duration("took", took))
		}()
		next.ServeHTTP(writer, r)
	})
}

// recovering turns a panic into a 500 and a line of the log. Where the answer
// has begun already the connection is broken off instead, so that nobody
// takes half an answer for a whole one.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value == http.ErrAbortHandler { //nolint:errorlint // recover gives the very value, as net/http compares it
				panic(value)
			}
			s.options.Log.ErrorContext(r.Context(), "a handler panicked",
				"method", r.Method, "path", r.URL.Path, "panic", value, "stack", string(debug.Stack()))
			if writer, ok := w.(*statusWriter); ok && writer.status != 0 {
				panic(http.ErrAbortHandler)
			}
			http.Error(w, "Something went wrong here; it has been logged.", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// statusWriter remembers the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int // 0 until the answer has begun
}

func (w *statusWriter) WriteHeader(status int) {
	// 1xx announce an answer, they are not yet one.
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection's own abilities.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// answered is the status the client saw: net/http answers 200 for a handler
// that wrote nothing.
func (w *statusWriter) answered() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
