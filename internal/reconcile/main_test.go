package reconcile_test

import (
	"os"
	"strings"
	"testing"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg/pgtest"
	"github.com/breakglass-bot/breakglass/migrations"
)

var databases = pgtest.New(migrations.Up)

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
