package migrations_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/migrations"
)

// empty databases have not been migrated, migrated ones have.
var (
	empty    = pgtest.New(nil)
	migrated = pgtest.New(migrations.Up)
)

func TestMain(m *testing.M) { os.Exit(max(empty.Run(m), closed())) }

// closed stops the server of the migrated ones too.
func closed() int {
	if err := migrated.Close(); err != nil {
		return 1
	}
	return 0
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	must(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func exec(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	_, err := pool.Exec(t.Context(), sql, args...)
	must(t, err)
}

// list answers the one column of a query.
func list(t *testing.T, pool *pgxpool.Pool, sql string) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), sql)
	must(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return all
}
