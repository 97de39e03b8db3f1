package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Options say where to listen, what to serve and under which limits. For
// every limit zero means the default that stands beside it; none can be
// switched off.
type Options struct {
	Listen        string                  // host:port of the public listener; port 0 lets the system choose
	MetricsListen string                  // host:port of the metrics listener; empty: none
	Routes        map[string]http.Handler // by http.ServeMux pattern, such as "POST /slack/commands"
	Metrics       http.Handler            // answers GET /metrics; nil: no metrics listener
	Checks        []Check                 // what /readyz asks; none: always ready
	Log           *slog.Logger            // required
	Now           func() time.Time        // required; times requests

	// Observe, where set, is told of each finished request. route is the
	// pattern that matched, empty where none did, so its values are few.
	Observe func(route string, status int, took time.Duration)

	MaxBody           int64         // bytes of a request's body; 1 MiB; more is answered 413
	MaxHeader         int           // bytes of a request's line and headers; 32 KiB; more is answered 431
	MaxInFlight       int           // requests of Routes at a time; 256; more are answered 503
	MaxConnections    int           // at a time; 1,024; for one more, whoever has kept us waiting longest is cut off
	MaxBodies         int64         // bytes of all bodies in hand together; 64 MiB; likewise
	ReadHeaderTimeout time.Duration // 5 s
	ReadTimeout       time.Duration // of headers and body together; 10 s
	WriteTimeout      time.Duration // from the end of the headers to the end of the answer; 30 s
	IdleTimeout       time.Duration // of a connection kept open between requests; 2 min
	CheckTimeout      time.Duration // of each check of /readyz; 2 s
	CheckEvery        time.Duration // how long an answer of /readyz holds, so that asking often costs nothing; 1 s
}

// Check is one thing that has to be well before the server takes work.
type Check struct {
	// Name says what is checked, for the log.
	Name string
	// Sentence is shown when the check fails, to whoever asks /readyz: plain,
	// and nothing that is not for everybody.
	Sentence string
	// Ready returns why it is not; the error goes to the log alone. It has to
	// return when its context ends.
	Ready func(ctx context.Context) error
}

func (o Options) withDefaults() (Options, error) {
	var missing []error
	require := func(given bool, name string) {
		if !given {
			missing = append(missing, fmt.Errorf("option %s is missing", name))
		}
	}
	require(o.Listen != "", "Listen")
	require(o.Log != nil, "Log")
	require(o.Now != nil, "Now")
	for i, check := range o.Checks {
		require(check.Name != "", fmt.Sprintf("Checks[%d].Name", i))
		require(check.Sentence != "", fmt.Sprintf("Checks[%d].Sentence", i))
		require(check.Ready != nil, fmt.Sprintf("Checks[%d].Ready", i))
	}
	if len(missing) > 0 {
		return Options{}, errors.Join(missing...)
	}
	if _, done := o.Log.Handler().(logHandler); !done {
		o.Log = slog.New(LogHandler(o.Log.Handler()))
	}
	o.MaxBody = orDefault(o.MaxBody, 1<<20)
	o.MaxHeader = orDefault(o.MaxHeader, 32<<10)
	o.MaxInFlight = orDefault(o.MaxInFlight, 256)
	o.MaxConnections = orDefault(o.MaxConnections, 1024)
	o.MaxBodies = orDefault(o.MaxBodies, 64<<20)
	o.ReadHeaderTimeout = orDefault(o.ReadHeaderTimeout, 5*time.Second)
	o.ReadTimeout = orDefault(o.ReadTimeout, 10*time.Second)
	o.WriteTimeout = orDefault(o.WriteTimeout, 30*time.Second)
	o.IdleTimeout = orDefault(o.IdleTimeout, 2*time.Minute)
	o.CheckTimeout = orDefault(o.CheckTimeout, 2*time.Second)
	o.CheckEvery = orDefault(o.CheckEvery, time.Second)
	if o.Observe == nil {
		o.Observe = func(string, int, time.Duration) {}
	}
	return o, nil
}

// orDefault treats a negative limit like an absent one: a server without a
// limit is not to be had by a slip of the sign.
func orDefault[N int | int64 | time.Duration](given, otherwise N) N {
	if given > 0 {
		return given
	}
	return otherwise
}
