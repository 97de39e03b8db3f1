//go:build bench

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg"
	"github.com/breakglass-bot/breakglass/migrations"
)

// kept is a Postgres whose data stay when the benchmark has ended, so that large
// ledgers are loaded once. Every run measures on copies of them.
type kept struct {
	server *embeddedpg.Server
	admin  *pgx.Conn
}

// keptFolder is where the data are, unless BENCH_DATA says otherwise: in .tools,
// which make clean removes.
func keptFolder() (string, error) {
	if dir := os.Getenv("BENCH_DATA"); dir != "" {
		return dir, nil
	}
	dir, err := filepath.Abs(filepath.Join("..", "..", ".tools", "bench"))
	if err != nil {
		return "", fmt.Errorf("find .tools: %w", err)
	}
	return dir, nil
}

// openKept starts it. Where the folder cannot be used for Postgres, as in a home
// that its user cannot enter, nothing is kept: that is said.
func openKept(ctx context.Context, t *testing.T) *kept {
	t.Helper()
	dir, err := keptFolder()
	if err != nil {
		t.Fatal(err)
	}
	opts := embeddedpg.Options{
		Dir: dir, Mirror: os.Getenv("BREAKGLASS_POSTGRES_MIRROR"),
		Settings: map[string]string{"shared_buffers": "1GB", "max_wal_size": "2GB", "checkpoint_timeout": "1h", "maintenance_work_mem": "256MB"},
	}
	server, err := embeddedpg.Start(ctx, opts)
	if errors.Is(err, embeddedpg.ErrVersion) || errors.Is(err, embeddedpg.ErrFolder) || errors.Is(err, embeddedpg.ErrPathTooLong) {
		t.Logf("Nothing is kept for the next run: %v. BENCH_DATA names another folder.", err)
		opts.Dir = ""
		server, err = embeddedpg.Start(ctx, opts)
	}
	if err != nil {
		t.Fatal(err)
	}
	k := &kept{server: server}
	t.Cleanup(func() { _ = server.Stop() })
	if k.admin, err = pgx.Connect(ctx, server.URL("postgres")); err != nil {
		t.Fatal(err)
	}
	if err := k.tidy(ctx); err != nil {
		t.Fatal(err)
	}
	return k
}

// historyForm is to be raised when what fillHistory writes has altered.
const historyForm = 1

// templateOf names the template with n changes in the schema of this program.
func templateOf(n int64) (string, error) {
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, historyForm, moldEvents, moldDeliveries, people, historyAccounts) // a hash takes everything
	for _, name := range names {
		content, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			return "", err
		}
		_, _ = sum.Write(content)
	}
	return fmt.Sprintf("changes_%s_%d", hex.EncodeToString(sum.Sum(nil))[:12], n), nil
}

// tidy drops what a run that was killed has left, and templates of other schemas.
func (k *kept) tidy(ctx context.Context) error {
	current, err := templateOf(0)
	if err != nil {
		return err
	}
	rows, err := k.admin.Query(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 'run\_%' OR datname LIKE 'loading\_%' OR (datname LIKE 'changes\_%' AND NOT starts_with(datname, $1))`,
		strings.TrimSuffix(current, "0"))
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := k.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (k *kept) drop(ctx context.Context, name string) error {
	_, err := k.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	return err
}

// pool connects to a database as the program does.
func (k *kept) pool(ctx context.Context, name string) (*pgxpool.Pool, error) {
	return openPool(ctx, config.Secret(k.server.URL(name)))
}

// template makes sure that there is a ledger with n closed changes, and gives its
// name.
func (k *kept) template(ctx context.Context, t *testing.T, n int64) string {
	t.Helper()
	name, err := templateOf(n)
	if err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := k.admin.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		return name
	}
	began := time.Now()
	if err := k.load(ctx, name, n); err != nil {
		t.Fatalf("load %d changes: %v", n, err)
	}
	t.Logf("%d closed changes were loaded in %s", n, time.Since(began).Round(time.Second))
	return name
}

// load fills a database, which gets its name when it is whole.
func (k *kept) load(ctx context.Context, name string, n int64) error {
	molds := fmt.Sprintf("loading_molds_%d", n)
	loading := "loading_" + name
	for _, database := range []string{molds, loading} {
		if err := k.server.CreateDatabase(ctx, database); err != nil {
			return err
		}
		if err := migrations.Up(ctx, k.server.URL(database)); err != nil {
			return err
		}
	}
	from, err := k.pool(ctx, molds)
	if err != nil {
		return err
	}
	defer from.Close()
	cast, err := moldsOf(ctx, from)
	if err != nil {
		return err
	}
	into, err := pgxpool.New(ctx, k.server.URL(loading)) // no statement is too long here
	if err != nil {
		return err
	}
	err = fillHistory(ctx, into, cast, n)
	into.Close()
	if err != nil {
		return err
	}
	_, err = k.admin.Exec(ctx, "ALTER DATABASE "+pgx.Identifier{loading}.Sanitize()+" RENAME TO "+pgx.Identifier{name}.Sanitize())
	return err
}

// copyOf makes a copy of a template, which is dropped when the test ends.
func (k *kept) copyOf(ctx context.Context, t *testing.T, template string) *pgxpool.Pool {
	t.Helper()
	name := "run_" + template
	if _, err := k.admin.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE "+pgx.Identifier{template}.Sanitize()+" STRATEGY FILE_COPY"); err != nil {
		t.Fatalf("copy a template: %v", err)
	}
	pool, err := k.pool(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pool.Close()
		if err := k.drop(context.WithoutCancel(ctx), name); err != nil {
			t.Error(err)
		}
	})
	return pool
}
