package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// arena is a stage on which the program runs several times, and is killed. Who
// is killed is started again at once, as an orchestrator would do it. Slack's
// payloads go to each in turn.
type arena struct {
	*stage
	pool     *pgxpool.Pool
	points   string // the folder of the points; see internal/crashpoint
	replicas []*replica
	seen     *seen
	trace    []string     // at the end: the points that were reached, in order
	died     []string     // at the end: those that killed
	kills    atomic.Int64 // so far, by itself or from outside
	changes  int64        // that its players make

	crowd   chan struct{} // bounds how many people act in the same moment
	people  sync.Mutex    // guards acting, waiting and moment, and holds people still while the clock jumps
	acting  int
	moment  time.Time // that somebody waits for, whatever is due before it; zero: none
	waiting map[*player]func() bool

	mu       sync.Mutex
	turn     int
	problems []error
	ended    context.CancelFunc
	all      sync.WaitGroup
}

// replica is one of the programs, or whichever stands in its place.
type replica struct {
	arena   *arena
	number  int
	program string // where the binary is
	first   bool   // it may migrate

	mu    sync.Mutex
	child *child // nil: it is down
	mark  string // of its claims
}

// arenaOptions says what is played.
type arenaOptions struct {
	world    sandbox.Options
	programs []string // one for each replica
	kill     []string // the points to die at
	template []byte   // the configuration; nil: the example
	troupe   troupe   // who plays; nil: players who do what has to be done
}

// openArena makes everything and starts the replicas.
func openArena(ctx context.Context, t testing.TB, opts arenaOptions) (*arena, error) {
	t.Helper()
	s, err := openStage(ctx, stageOptions{world: opts.world, databaseURL: databases.URL(t), say: t.Logf, empty: true, template: opts.template})
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(s.dbURL)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	config.MaxConns = 4
	a := &arena{stage: s, points: filepath.Join(s.folder, "points"), waiting: map[*player]func() bool{}, crowd: make(chan struct{}, 8)}
	if a.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, errors.Join(err, s.close())
	}
	a.seen = watchSlack(s.world)
	if err := errors.Join(os.Mkdir(a.points, 0o700), os.WriteFile(filepath.Join(a.points, "kill"), []byte(strings.Join(opts.kill, "\n")), 0o600)); err != nil {
		return nil, errors.Join(err, a.close())
	}
	for i, program := range opts.programs {
		a.replicas = append(a.replicas, &replica{arena: a, number: i, program: program, first: i == 0})
	}
	var running context.Context
	running, a.ended = context.WithCancel(context.WithoutCancel(ctx))
	if err := a.serveSlack(running); err != nil {
		return nil, errors.Join(err, a.close())
	}
	for _, r := range a.replicas {
		if err := r.start(running); err != nil && running.Err() == nil && a.dead() == nil {
			return nil, errors.Join(err, a.close())
		}
		a.all.Go(func() { r.keepUp(running) })
	}
	a.all.Go(func() { a.turnTime(running) })
	return a, nil
}

// dead are the points that have killed so far.
func (a *arena) dead() []string { return lines(filepath.Join(a.points, "killed")) }

// reached are the points in the order in which they were reached.
func (a *arena) reached() []string { return lines(filepath.Join(a.points, "reached")) }

func lines(name string) []string {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(string(content), func(r rune) bool { return r == '\n' })
}

// start starts the replica, and waits until it is up.
func (r *replica) start(ctx context.Context) error {
	a := r.arena
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mark = fmt.Sprintf("%d-%d-", r.number, time.Now().UnixNano())
	var systems []string
	for _, at := range a.world.Addresses() {
		systems = append(systems, strings.TrimPrefix(at.URL, "http://")+"="+at.Name)
	}
	env := append(a.world.Env(), "DATABASE_URL="+a.dbURL, "CRASHPOINTS="+a.points, "CRASHPOINT_MARK="+r.mark,
		"CRASHPOINT_SYSTEMS="+strings.Join(systems, ","), "PGAPPNAME=replica")
	args := []string{"serve", "--stop-with-stdin", "--config", a.configFile(), "--clock-offset-file", a.clockFile()}
	if r.first {
		args = append(args, "--migrate")
	}
	c, err := startProgram(ctx, r.program, filepath.Join(a.folder, fmt.Sprintf("replica-%d.log", r.number)), env, args...)
	if err != nil {
		return err
	}
	r.child = c
	return nil
}

// keepUp starts the replica again whenever it has ended.
func (r *replica) keepUp(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		r.mu.Lock()
		c := r.child
		r.mu.Unlock()
		if c != nil {
			select {
			case <-ctx.Done():
				return
			case <-c.ended:
			}
			r.arena.kills.Add(1)
			r.mu.Lock()
			r.child = nil
			r.mu.Unlock()
		}
		if err := r.start(ctx); err != nil && ctx.Err() == nil {
			if failures++; failures > 20 {
				r.arena.fail(fmt.Errorf("replica %d does not come up: %w", r.number, err))
				return
			}
			continue
		}
		failures = 0
	}
}

// kill ends the replica as a crash would. It is started again by itself.
func (r *replica) kill() error {
	r.mu.Lock()
	c := r.child
	r.mu.Unlock()
	if c == nil {
		return nil
	}
	return c.kill()
}

// address is where the replica listens; empty while it is down.
func (r *replica) address() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.child == nil {
		return ""
	}
	return r.child.address
}

// fail notes what must not have happened.
func (a *arena) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.problems = append(a.problems, err)
}

// serveSlack takes what Slack delivers, and gives it to the replicas in turn.
func (a *arena) serveSlack(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := a.next()
		if to == "" {
			panic(http.ErrAbortHandler) // nobody is up
		}
		proxy := httputil.ReverseProxy{
			Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(&url.URL{Scheme: "http", Host: to}) },
			Transport: &http.Transport{DisableKeepAlives: true},
			ErrorLog:  log.New(io.Discard, "", 0), // replies are meant to break off here
			ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
				panic(http.ErrAbortHandler) // as seen by Slack, the connection breaks
			},
		}
		proxy.ServeHTTP(w, r)
	})}
	a.closes = append(a.closes, server.Close)
	go func() { _ = server.Serve(listener) }() // it ends with close
	a.world.Slack.SetAppURL("http://" + listener.Addr().String())
	return nil
}

// next is the address of the replica whose turn it is.
func (a *arena) next() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range a.replicas {
		a.turn++
		if at := a.replicas[a.turn%len(a.replicas)].address(); at != "" {
			return at
		}
	}
	return ""
}

// close ends everything.
func (a *arena) close() error {
	var all error
	if a.ended != nil {
		a.ended()
		a.all.Wait()
	}
	for _, r := range a.replicas {
		if r.child != nil {
			all = errors.Join(all, r.child.kill())
		}
	}
	a.pool.Close()
	return errors.Join(all, a.stage.close())
}
