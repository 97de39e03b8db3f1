package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// RiverSchema is the schema that River's tables stand in.
const RiverSchema = "river"

// lockKey names the advisory lock that only one migrating program holds: River's
// own migrations have none. The number is arbitrary.
const lockKey = 5_362_104_117

// Up brings the database to the newest schema. Any number of programs may do so
// at once: they wait for each other.
func Up(ctx context.Context, databaseURL string) error {
	return alone(ctx, databaseURL, func(conn *pgx.Conn) error {
		// Before, so that whoever may not run beside a migration knows it as soon as the
		// migration is there; and after, where there was nothing to note it on.
		for _, step := range []func() error{
			func() error { return noteOldest(ctx, conn) },
			func() error { return ours(ctx, databaseURL) },
			func() error { return noteOldest(ctx, conn) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return rivers(ctx, databaseURL)
	})
}

// alone does something while no other program migrates or grants.
func alone(ctx context.Context, databaseURL string, do func(*pgx.Conn) error) (err error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return errNoAddress
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(lockKey)); err != nil {
		return fmt.Errorf("wait for other migrations: %w", err)
	}
	return do(conn)
}

// errNoAddress stands for the error of reading an address, which could show
// its password.
var errNoAddress = errors.New("the database's address is not that of a Postgres database, such as postgres://user@host/name")

func ours(ctx context.Context, databaseURL string) (err error) {
	db, provider, err := open(databaseURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func open(databaseURL string) (*sql.DB, *goose.Provider, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, nil, fmt.Errorf("read the database's address: %w", err)
	}
	db := stdlib.OpenDB(*config)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, Files, goose.WithVerbose(false))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read the migrations: %w", err), db.Close())
	}
	return db, provider, nil
}

func rivers(ctx context.Context, databaseURL string) error {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to migrate River: %w", err)
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+RiverSchema); err != nil {
		return fmt.Errorf("make River's schema: %w", err)
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: RiverSchema})
	if err != nil {
		return fmt.Errorf("read River's migrations: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate River: %w", err)
	}
	return nil
}

// ErrUnmigrated and ErrNewer say how a database differs from this program.
var (
	ErrUnmigrated = errors.New("the database has not been migrated to this version of breakglass; run `breakglass migrate`, or `breakglass serve --migrate`")
	ErrNewer      = errors.New("the database was migrated by a newer version of breakglass; run that version, or a newer one")
)

// Check tells whether this program may run on the database: nil, ErrUnmigrated or
// ErrNewer, or why it could not be asked. It may when the database has the schema
// that the program knows, or a newer one whose migrations let it go on.
func Check(ctx context.Context, pool *pgxpool.Pool) error {
	newest, err := Newest()
	if err != nil {
		return err
	}
	var there bool
	if err := pool.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there); err != nil {
		return fmt.Errorf("ask the database for its version: %w", err)
	}
	if !there {
		return ErrUnmigrated
	}
	var version int64
	if err := pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version); err != nil {
		return fmt.Errorf("ask the database for its version: %w", err)
	}
	switch {
	case version < newest:
		return ErrUnmigrated
	case version > newest:
		if err := mayRun(ctx, pool, newest); err != nil {
			return err
		}
	}
	return checkRiver(ctx, pool)
}

// checkRiver answers ErrUnmigrated where River's tables are not there or are
// older: a migration may have ended between ours and River's.
func checkRiver(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: RiverSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read River's migrations: %w", err)
	}
	result, err := migrator.Validate(ctx, nil)
	if err != nil {
		return fmt.Errorf("ask the database for River's version: %w", err)
	}
	if !result.OK {
		return ErrUnmigrated
	}
	return nil
}
