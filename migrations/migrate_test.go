package migrations_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/breakglass-bot/breakglass/migrations"
)

// shape is everything in a database that a migration makes.
const shape = `SELECT n.nspname || '.' || c.relname || ' ' || c.relkind::text || ' ' || coalesce((
		SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
		FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '')
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN ('public', 'river') ORDER BY 1`

func TestMigratingAgainAltersNothing(t *testing.T) {
	t.Parallel()
	url := empty.URL(t)
	must(t, migrations.Up(t.Context(), url))
	pool := connect(t, url)
	exec(t, pool, `UPDATE numbers SET last = 7`)
	before := list(t, pool, shape)
	for range 2 {
		must(t, migrations.Up(t.Context(), url))
	}
	if diff := cmp.Diff(before, list(t, pool, shape)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if kept := list(t, pool, `SELECT last::text FROM numbers`); len(kept) != 1 || kept[0] != "7" {
		t.Errorf("the rows are %v", kept)
	}
}

func TestSeveralMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := empty.URL(t)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if err := migrations.Up(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	must(t, migrations.Check(t.Context(), connect(t, url)))
	if diff := cmp.Diff(list(t, migrated.Pool(t), shape), list(t, connect(t, url), shape)); diff != "" {
		t.Errorf("(-one +several):\n%s", diff)
	}
}

func TestCheckTellsHowADatabaseDiffers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pool *pgxpool.Pool
		sql  string
		want error
	}{
		"an empty one":                           {empty.Pool(t), `SELECT 1`, migrations.ErrUnmigrated},
		"an older one":                           {migrated.Pool(t), `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`, migrations.ErrUnmigrated},
		"one without a version":                  {migrated.Pool(t), `DELETE FROM goose_db_version`, migrations.ErrUnmigrated},
		"a newer one":                            {migrated.Pool(t), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE); COMMENT ON TABLE goose_db_version IS 'Programs that know migration 9999 may run on this database.'`, migrations.ErrNewer},
		"a newer one of which nothing is noted":  {migrated.Pool(t), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE); COMMENT ON TABLE goose_db_version IS NULL`, migrations.ErrNewer},
		"one whose migration ended before River": {migrated.Pool(t), `DROP SCHEMA river CASCADE`, migrations.ErrUnmigrated},
		"one with an older River":                {migrated.Pool(t), `DELETE FROM river.river_migration WHERE version = (SELECT max(version) FROM river.river_migration)`, migrations.ErrUnmigrated},
		"one of this version":                    {migrated.Pool(t), `SELECT 1`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exec(t, c.pool, c.sql)
			if err := migrations.Check(t.Context(), c.pool); !errors.Is(err, c.want) {
				t.Errorf("got %v; want %v", err, c.want)
			}
		})
	}
}

func TestADatabaseThatCannotBeAskedIsNeitherOldNorNew(t *testing.T) {
	t.Parallel()
	pool := migrated.Pool(t)
	pool.Close()
	err := migrations.Check(t.Context(), pool)
	if err == nil || errors.Is(err, migrations.ErrUnmigrated) || errors.Is(err, migrations.ErrNewer) {
		t.Errorf("got %v", err)
	}
}

func TestTakingTheFirstMigrationBackLeavesNothingOfOurs(t *testing.T) {
	t.Parallel()
	url := migrated.URL(t)
	config, err := pgx.ParseConfig(url)
	must(t, err)
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { must(t, db.Close()) })
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files)
	must(t, err)
	_, err = provider.DownTo(t.Context(), 0)
	must(t, err)
	pool := connect(t, url)
	left := list(t, pool, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'goose\_db\_version%'
		UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname NOT LIKE '%goose\_db\_version%'`)
	if len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	must(t, migrations.Up(t.Context(), url))
	must(t, migrations.Check(t.Context(), pool))
}

func TestAnAddressIsNeverShown(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://me:s3cret@127.0.0.1:port/x", "postgres://me:s3cret@127.0.0.1:1/x?connect_timeout=5&sslmode=disable",
		"host=127.0.0.1 password=s3cret port=port", "postgres://me:s3%cret@127.0.0.1/x", "postgres://me:s3cret@[::1/x",
	} {
		err := migrations.Up(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "s3%cret") {
			t.Errorf("%v", err)
		}
	}
}
