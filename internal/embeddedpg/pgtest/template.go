package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg"
)

// DatabaseURLVariable names a server to use instead of an embedded one.
const DatabaseURLVariable = "DATABASE_URL"

// MirrorVariable names a Maven repository to download Postgres from on a
// machine that has none.
const MirrorVariable = "BREAKGLASS_POSTGRES_MIRROR"

// How long the first start may take, which may have to download, and the making
// of one copy.
const (
	startTimeout = 10 * time.Minute
	copyTimeout  = time.Minute
)

// Migrate brings an empty database up to date. It closes its connections.
type Migrate func(ctx context.Context, url string) error

// Template is a migrated database that tests get copies of. It is safe for
// parallel tests.
type Template struct {
	migrate Migrate

	mu      sync.Mutex
	started bool
	err     error // why there is no template; every test is told
	source  source
	copies  int
}

// New says how a database is migrated. Nothing is started yet. A nil Migrate
// gives empty databases.
func New(migrate Migrate) *Template {
	return &Template{migrate: migrate}
}

// Run runs the tests, then stops what was started for them. It returns the
// program's exit code.
func (d *Template) Run(m *testing.M) int {
	code := m.Run()
	if err := d.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "removing the test databases:", err)
		code = max(code, 1)
	}
	return code
}

// Close stops the server, or drops the databases on one that is not ours. Run
// calls it.
func (d *Template) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.started {
		return nil
	}
	d.started = false
	ctx, cancel := context.WithTimeout(context.Background(), copyTimeout)
	defer cancel()
	return d.source.close(ctx, d.copies)
}

// URL makes a fresh migrated database and gives its address.
func (d *Template) URL(t testing.TB) string {
	t.Helper()
	url, err := d.copy(t.Context())
	if err != nil {
		t.Fatalf("making a test database: %v", err)
	}
	return url
}

// Pool makes a fresh migrated database and gives connections to it, at most
// four at once. They are closed when the test ends.
func (d *Template) Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(d.URL(t))
	if err != nil {
		t.Fatalf("reading the test database's address: %v", err)
	}
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("connecting to the test database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func (d *Template) copy(ctx context.Context) (string, error) {
	number, err := d.next(ctx)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, copyTimeout)
	defer cancel()
	return d.source.copy(ctx, number)
}

// next starts the server for the first test, and counts.
func (d *Template) next(ctx context.Context) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.started {
		d.started = true
		// The start serves every test, so it does not end with the first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
		defer cancel()
		d.source, d.err = open(ctx, os.Getenv, d.migrate)
	}
	d.copies++
	return d.copies, d.err
}

// open finds or starts a server and makes the template on it.
func open(ctx context.Context, getenv func(string) string, migrate Migrate) (source, error) {
	var s source
	if url := getenv(DatabaseURLVariable); url != "" {
		s = source{base: url, prefix: "breakglass_test_" + strings.ToLower(rand.Text()[:12])}
	} else {
		// Parallel tests hold some connections each.
		server, err := embeddedpg.Start(ctx, embeddedpg.Options{
			Settings: map[string]string{"max_connections": "400"},
			Mirror:   getenv(MirrorVariable),
		})
		if err != nil {
			return s, err
		}
		s = source{base: server.URL("postgres"), prefix: "test", server: server}
	}
	if err := s.prepare(ctx, migrate); err != nil {
		return source{}, errors.Join(err, s.close(ctx, 0))
	}
	return s, nil
}

// database is an address of another database on the same server.
func database(base, name string) (string, error) {
	if _, err := pgx.ParseConfig(base); err != nil {
		return "", fmt.Errorf("%s cannot be understood", DatabaseURLVariable) // the error would show its password
	}
	return replaceDatabase(base, name)
}
