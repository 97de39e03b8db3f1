package pgtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg"
	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
)

var databases = pgtest.New(migrate)

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

func migrate(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE TABLE things (name text)")
	return errors.Join(err, conn.Close(ctx))
}

func TestEachTestHasAFreshMigratedDatabase(t *testing.T) {
	t.Parallel()
	for n := range 10 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			pool := databases.Pool(t)
			if _, err := pool.Exec(t.Context(), "INSERT INTO things VALUES ('mine')"); err != nil {
				t.Fatal(err)
			}
			var count int
			if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM things").Scan(&count); err != nil || count != 1 {
				t.Errorf("it holds %d things: %v", count, err)
			}
		})
	}
}

// probe is a test that may fail without failing this one.
type probe struct {
	testing.TB
	failed string
}

func (p *probe) Fatalf(format string, args ...any) {
	p.failed = fmt.Sprintf(format, args...)
	panic(p)
}

func (p *probe) url(d *pgtest.Template) (url string) {
	defer func() {
		if r := recover(); r != nil && r != any(p) {
			panic(r)
		}
	}()
	return d.URL(p)
}

func TestMigrationsRunOnceAndTheirFailureIsToldToEveryTest(t *testing.T) {
	t.Parallel()
	var runs atomic.Int32
	broken := pgtest.New(func(context.Context, string) error {
		runs.Add(1)
		return errors.New("no such column")
	})
	for range 3 {
		p := &probe{TB: t}
		if p.url(broken); !strings.Contains(p.failed, "migrating the template: no such column") {
			t.Errorf("told %q", p.failed)
		}
	}
	if runs.Load() != 1 {
		t.Errorf("it ran %d times", runs.Load())
	}
	if err := broken.Close(); err != nil {
		t.Error(err)
	}
}

func TestAMigrationThatStaysConnectedDoesNoHarm(t *testing.T) {
	t.Parallel()
	var stays *pgx.Conn
	d := pgtest.New(func(ctx context.Context, url string) (err error) {
		stays, err = pgx.Connect(ctx, url)
		return err
	})
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	d.URL(t)
	if err := stays.Ping(t.Context()); err == nil {
		t.Error("its connection still stands")
	}
}

func TestAServerThatNobodyAskedForIsNotStarted(t *testing.T) {
	t.Parallel()
	d := pgtest.New(func(context.Context, string) error {
		t.Error("migrated")
		return nil
	})
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// With DATABASE_URL, in either form, its server is used and left as it was.
func TestAGivenServerIsLeftAsItWas(t *testing.T) {
	given, err := embeddedpg.Start(t.Context(), embeddedpg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := given.Stop(); err != nil {
			t.Error(err)
		}
	})
	for name, url := range map[string]string{
		"an address":      given.URL("postgres"),
		"keys and values": fmt.Sprintf("host='%s' port=5432 user=postgres dbname=postgres", given.Dir()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(pgtest.DatabaseURLVariable, url)
			d := pgtest.New(migrate)
			pool := d.Pool(t)
			var database, folder string
			if err := pool.QueryRow(t.Context(), "SELECT current_database(), current_setting('data_directory')").Scan(&database, &folder); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(database, "breakglass_test_") || !strings.HasPrefix(folder, given.Dir()) {
				t.Errorf("it is %s in %s", database, folder)
			}
			if other := pgtest.New(migrate); other.URL(t) == d.URL(t) {
				t.Error("two test binaries share a database")
			} else if err := other.Close(); err != nil {
				t.Error(err)
			}
			if err := d.Close(); err != nil { // although the pool is still open
				t.Fatal(err)
			}
			if left := names(t, given.URL("postgres")); left != "postgres" {
				t.Errorf("left: %s", left)
			}
		})
	}
}

func TestAnAddressThatCannotBeReadIsNotShown(t *testing.T) {
	for _, url := range []string{"postgres://me:s3cret@127.0.0.1:port/x", "host=127.0.0.1 password=s3cret port=port"} {
		t.Setenv(pgtest.DatabaseURLVariable, url)
		p := &probe{TB: t}
		if p.url(pgtest.New(migrate)); !strings.Contains(p.failed, "DATABASE_URL cannot be understood") || strings.Contains(p.failed, "s3cret") {
			t.Errorf("told %q", p.failed)
		}
	}
}

func names(t *testing.T, url string) (list string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	const query = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname NOT LIKE 'template_'"
	if err := errors.Join(conn.QueryRow(t.Context(), query).Scan(&list), conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return list
}

func BenchmarkDatabase(b *testing.B) {
	databases.URL(b)
	for b.Loop() {
		databases.URL(b)
	}
}
