package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/deploy"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// stage is where the demo and the end-to-end tests play: a database, a world of
// stand-ins, and the ordinary program as a child process that can be killed and
// started again. All of them share one clock, which can be moved.
type stage struct {
	world  *sandbox.World
	mu     sync.Mutex // held while the program is replaced
	child  *child
	folder string
	start  time.Time
	offset atomic.Int64
	hurry  time.Duration // how far the clock goes, again and again, while something is waited for; 0: it does not
	dbURL  string
	env    []string // more of the program's environment
	closes []func() error
}

// stageOptions says what is played.
type stageOptions struct {
	world       sandbox.Options // its Now is filled in
	databaseURL string          // empty: DATABASE_URL, else a private Postgres
	environment []string        // more of the program's, as NAME=value
	template    []byte          // the configuration, with the example's addresses; nil: the example
	example     func([]byte) []byte
	say         func(format string, args ...any)
	empty       bool // the program is not started
}

// openStage makes everything and starts the program.
func openStage(ctx context.Context, opts stageOptions) (s *stage, err error) {
	s = &stage{start: time.Now(), env: opts.environment}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.folder, err = os.MkdirTemp("", "breakglass-demo-"); err != nil {
		return s, err
	}
	s.closes = append(s.closes, func() error { return os.RemoveAll(s.folder) })
	if err := s.moveTo(0); err != nil {
		return s, err
	}
	if s.dbURL, err = s.database(ctx, opts); err != nil {
		return s, err
	}
	opts.world.Now = s.now
	if s.world, err = sandbox.Start(ctx, opts.world); err != nil {
		return s, err
	}
	s.closes = append(s.closes, s.world.Close)
	if opts.template == nil {
		opts.template = deploy.Example
	}
	cfg := s.world.Config(opts.template, "127.0.0.1:0")
	if opts.example != nil {
		cfg = opts.example(cfg)
	}
	if err := os.WriteFile(s.configFile(), cfg, 0o600); err != nil {
		return s, err
	}
	if opts.empty {
		return s, nil
	}
	return s, s.startChild(ctx)
}

// database finds a database of our own: on DATABASE_URL's server, else on a
// private Postgres that dies with us.
func (s *stage) database(ctx context.Context, opts stageOptions) (string, error) {
	if opts.databaseURL != "" {
		return opts.databaseURL, nil
	}
	if given := os.Getenv("DATABASE_URL"); given != "" {
		return s.scratchDatabase(ctx, given)
	}
	opts.say("Starting a private Postgres …")
	server, err := embeddedpg.Start(ctx, embeddedpg.Options{Mirror: os.Getenv("BREAKGLASS_POSTGRES_MIRROR")})
	if err != nil {
		return "", err
	}
	s.closes = append(s.closes, server.Stop)
	return server.URL("postgres"), nil
}

// scratchDatabase makes a database on somebody's server, and drops it in the end.
func (s *stage) scratchDatabase(ctx context.Context, given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil {
		return "", errors.New("DATABASE_URL is not an address such as postgres://user@host/name")
	}
	conn, err := pgx.Connect(ctx, given)
	if err != nil {
		return "", fmt.Errorf("connect to DATABASE_URL: %w", err)
	}
	name := "breakglass_demo_" + strings.ToLower(nonce()[:12])
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", errors.Join(fmt.Errorf("make a database on DATABASE_URL's server: %w", err), conn.Close(ctx))
	}
	s.closes = append(s.closes, func() error {
		end := context.WithoutCancel(ctx)
		_, err := conn.Exec(end, "DROP DATABASE "+name+" WITH (FORCE)")
		return errors.Join(err, conn.Close(end))
	})
	u.Path = "/" + name
	return u.String(), nil
}

func (s *stage) configFile() string { return filepath.Join(s.folder, "breakglass.yaml") }
func (s *stage) clockFile() string  { return filepath.Join(s.folder, "clock-offset") }
func (s *stage) logFile() string    { return filepath.Join(s.folder, "breakglass.log") }

// now is the time of everything on the stage.
func (s *stage) now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }

// forward moves the time of everything.
func (s *stage) forward(by time.Duration) error {
	return s.moveTo(time.Duration(s.offset.Load()) + by)
}

func (s *stage) moveTo(offset time.Duration) error {
	if err := moveClock(s.clockFile(), offset); err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	s.offset.Store(int64(offset))
	return nil
}

// startChild starts the program and waits until it is up.
func (s *stage) startChild(ctx context.Context) error {
	c, err := startChild(ctx, s.logFile(), append(append(s.world.Env(), "DATABASE_URL="+s.dbURL), s.env...),
		"serve", "--migrate", "--stop-with-stdin", "--config", s.configFile(), "--clock-offset-file", s.clockFile())
	if err != nil {
		return err
	}
	s.child = c
	s.world.Slack.SetAppURL("http://" + c.address)
	if s.world.Slack.SocketMode() {
		return s.world.Wait(ctx, func() bool { return s.world.Slack.Sockets() > 0 })
	}
	return nil
}

// running is the program as it runs now.
func (s *stage) running() *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child
}

// restart kills the program and starts it again.
func (s *stage) restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.child.kill(); err != nil {
		return err
	}
	return s.startChild(ctx)
}

// close ends everything, the newest first.
func (s *stage) close() error {
	var all error
	if program := s.running(); program != nil {
		all = program.stop()
	}
	for i := len(s.closes) - 1; i >= 0; i-- {
		all = errors.Join(all, s.closes[i]())
	}
	return all
}
