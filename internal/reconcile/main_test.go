package reconcile_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/migrations"
)

var databases = pgtest.New(migrate)

// The tests must depend on nothing of the machine's own AWS configuration.
func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			must(os.Unsetenv(name))
		}
	}
	must(os.Setenv("AWS_EC2_METADATA_DISABLED", "true"))
	must(os.Setenv("AWS_CONFIG_FILE", os.DevNull))
	must(os.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull))
	os.Exit(databases.Run(m))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func migrate(ctx context.Context, url string) (err error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
