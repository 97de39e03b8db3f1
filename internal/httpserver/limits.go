package httpserver

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
)

// limited lets a request through to a route's handler if there is room for
// it, with its body already read. Reading it here gives one answer to a body
// too large or too slow, whatever the handler does, and a handler that
// verifies a signature needs all of it anyway.
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Too many requests are in hand; try again in a second.", http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.options.MaxBody))
		if err != nil {
			bodyRefused(w, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func bodyRefused(w http.ResponseWriter, err error) {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		w.Header().Set("Connection", "close") // the rest of the body is not worth reading
		http.Error(w, "The body is too large.", http.StatusRequestEntityTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		http.Error(w, "The body took too long to arrive.", http.StatusRequestTimeout)
	default:
		w.Header().Set("Connection", "close")
		http.Error(w, "The body did not arrive whole.", http.StatusBadRequest)
	}
}
