// Package httpserver owns the program's listeners: the public one with the
// routes it is handed, and a second one for metrics that stays off the public
// network. It sets the limits every request lives under, answers health
// checks, gives each request an id, and stops without cutting anybody off.
//
// It takes http.Handlers and imports nothing of ours.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server is the two listeners and what they serve. Make one with New; Start
// and Stop are called once each.
type Server struct {
	options  Options
	public   *http.Server
	metrics  *http.Server
	slots    chan struct{} // one for each request of a route that may run at a time
	inFlight atomic.Int64
	failed   chan error

	ready readiness

	mu             sync.Mutex
	crowded        rarely
	addr           string
	metricsAddr    string
	metricsProblem string // why metrics are not served, as one sentence; empty when they are
}

// New builds a server and opens nothing yet. The error names the option that
// is missing or wrong. Routes that contradict one another panic, as they do
// in http.ServeMux: that is a mistake in the program.
func New(options Options) (*Server, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("http server: %w", err)
	}
	s := &Server{
		options: options,
		slots:   make(chan struct{}, options.MaxInFlight),
		failed:  make(chan error, 2),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	for pattern, handler := range options.Routes {
		mux.Handle(pattern, s.limited(handler))
	}
	s.public = s.httpServer(mux)
	if options.MetricsListen != "" && options.Metrics != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", options.Metrics)
		s.metrics = s.httpServer(mux)
	}
	return s, nil
}

func (s *Server) httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           s.identified(s.watched(s.recovering(handler))),
		MaxHeaderBytes:    s.options.MaxHeader,
		ReadHeaderTimeout: s.options.ReadHeaderTimeout,
		ReadTimeout:       s.options.ReadTimeout,
		WriteTimeout:      s.options.WriteTimeout,
		IdleTimeout:       s.options.IdleTimeout,
		ErrorLog:          slog.NewLogLogger(s.options.Log.Handler(), slog.LevelDebug),
	}
}

// Start opens the listeners and serves in the background. ctx bounds the
// opening only: requests keep its values but not its end, so that a signal
// does not cancel what Stop is waiting for.
//
// The error names the address that could not be opened. Metrics are not worth
// refusing an emergency for: where only their listener fails, that is logged,
// shown by /readyz without making it fail, and Start succeeds.
func (s *Server) Start(ctx context.Context) error {
	listener, err := listen(ctx, s.options.Listen)
	if err != nil {
		return err
	}
	var metrics net.Listener
	if s.metrics != nil {
		metrics, err = listen(ctx, s.options.MetricsListen)
		if err != nil {
			s.options.Log.ErrorContext(ctx, "metrics are not served", "error", err)
		}
	}
	s.mu.Lock()
	s.addr = listener.Addr().String()
	if metrics != nil {
		s.metricsAddr = metrics.Addr().String()
	} else if s.metrics != nil {
		s.metricsProblem = "Metrics are not served: " + s.options.MetricsListen + " could not be opened."
	}
	s.mu.Unlock()

	s.serve(ctx, s.public, listener)
	if metrics != nil {
		s.serve(ctx, s.metrics, metrics)
	}
	return nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

func (s *Server) serve(ctx context.Context, server *http.Server, listener net.Listener) {
	base := context.WithoutCancel(ctx)
	server.BaseContext = func(net.Listener) context.Context { return base }
	server.ConnContext = withGuest
	crowd := newCrowd(s.options.MaxConnections, s.options.MaxBodies, func() { s.tellOfCrowd(base) })
	go func() {
		if err := server.Serve(crowdedListener{listener, crowd}); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve on %s: %w", listener.Addr(), err)
		}
	}()
}

// Addr is the public listener's address as opened, with the port the system
// chose where the options said 0. Empty before Start.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// MetricsAddr is the metrics listener's address as opened. Empty before
// Start and where metrics are not served.
func (s *Server) MetricsAddr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.metricsAddr
}

// Failed delivers an error when a listener that was open breaks by itself.
// Nothing is delivered by Stop.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop takes no new connections and waits for the requests in hand. When ctx
// ends first, what is left is cut off and the error says how much.
func (s *Server) Stop(ctx context.Context) error {
	err := s.public.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("http server: cut off %d requests: %w", s.inFlight.Load(), errors.Join(err, s.public.Close()))
	}
	if s.metrics != nil {
		// Nobody loses anything by a scrape that breaks off.
		err = errors.Join(err, s.metrics.Close())
	}
	return err
}

// took is the time since started, never less than zero even if the clock was
// set back meanwhile.
func (s *Server) took(started time.Time) time.Duration {
	return max(0, s.options.Now().Sub(started))
}
