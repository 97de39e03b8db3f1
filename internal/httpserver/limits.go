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
// verifies a signature needs all of it anyway. A place in hand is taken only
// when the body is there: whoever sends slowly takes none from others.
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := guestOf(r.Context())
		from.waits()
		defer from.letsGo()
		body, err := from.body(w, r, s.options.MaxBody)
		if err != nil {
			bodyRefused(w, err)
			return
		}
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		default:
			comeBack(w)
			return
		}
		from.worked()
		defer from.waits()
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// comeBack refuses a request that there is no room for now.
func comeBack(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "Too many requests are in hand; try again in a second.", http.StatusServiceUnavailable)
}

func bodyRefused(w http.ResponseWriter, err error) {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		w.Header().Set("Connection", "close") // the rest of the body is not worth reading
		http.Error(w, "The body is too large.", http.StatusRequestEntityTooLarge)
	case errors.Is(err, errCrowded):
		w.Header().Set("Connection", "close")
		comeBack(w)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		http.Error(w, "The body took too long to arrive.", http.StatusRequestTimeout)
	default:
		w.Header().Set("Connection", "close")
		http.Error(w, "The body did not arrive whole.", http.StatusBadRequest)
	}
}
