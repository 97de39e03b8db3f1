package migrations

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A migration whose file has the line
//
//	-- Beside: 4
//
// lets programs go on that know the schema only up to migration 4, or to a later
// one: it adds what they can do without, and alters nothing that they rest on.
// One without the line lets none go on that does not know it. What counts for a
// database is kept as the comment on goose's own table, which everybody may read.
var beside = regexp.MustCompile(`(?m)^-- Beside: ([0-9]+)$`)

// oldest is the migration that a program has to know at least to run on a
// database which has all of these.
func oldest(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	var least int64
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s has no number: %w", name, err)
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return 0, fmt.Errorf("read migration %s: %w", name, err)
		}
		if line := beside.FindSubmatch(content); line != nil {
			if n, err = strconv.ParseInt(string(line[1]), 10, 64); err != nil {
				return 0, fmt.Errorf("read what may run beside migration %s: %w", name, err)
			}
		}
		least = max(least, n)
	}
	return least, nil
}

// noteOldest writes down which programs may run on the database. It never lets
// one run that a newer program has said may not. Before the first migration
// there is nothing to write it on, and nobody who runs.
func noteOldest(ctx context.Context, conn *pgx.Conn) error {
	least, err := oldest(Files)
	if err != nil {
		return err
	}
	var there bool
	var noted int64
	if err := conn.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL, `+notedOldest).Scan(&there, &noted); err != nil {
		return fmt.Errorf("ask which programs may run on the database: %w", err)
	}
	if !there || noted >= least {
		return nil
	}
	// A comment takes no parameters; a number needs no quoting.
	_, err = conn.Exec(ctx, fmt.Sprintf(`COMMENT ON TABLE goose_db_version IS 'Programs that know migration %d may run on this database.'`, least))
	if err != nil {
		return fmt.Errorf("note which programs may run on the database: %w", err)
	}
	return nil
}

// notedOldest is the migration that a program has to know at least; 0 where nothing
// was noted.
const notedOldest = `coalesce(substring(obj_description(to_regclass('goose_db_version'), 'pg_class') FROM '[0-9]+')::BIGINT, 0)`

// mayRun answers nil when a program that knows the schema up to a migration may
// run on a database that has newer ones, and ErrNewer when it may not.
func mayRun(ctx context.Context, pool *pgxpool.Pool, knows int64) error {
	var noted int64
	if err := pool.QueryRow(ctx, `SELECT `+notedOldest).Scan(&noted); err != nil {
		return fmt.Errorf("ask which programs may run on the database: %w", err)
	}
	if noted == 0 || noted > knows {
		return ErrNewer
	}
	return nil
}
