package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/migrations"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database to this version's schema", Args: cobra.NoArgs,
		Long: `Brings the database to this version's schema, as the owner of DATABASE_MIGRATE_URL
where that is set, else of DATABASE_URL. It needs no configuration file. Any number
of programs may do so at once.

With DATABASE_MIGRATE_URL, the role of DATABASE_URL is given exactly the rights that
the program needs, which are none to alter the trail. A role that DATABASE_AUDITOR_ROLE
names may read everything of breakglass's own, and nothing else. Neither role is made.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := migrateURL()
			if err != nil {
				return err
			}
			program, err := programURL()
			if err != nil {
				return err
			}
			notes, err := migrateAndGrant(cmd.Context(), url, program)
			for _, note := range notes {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), "warning:", note); err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "The database is up to date.")
			return err
		},
	}
}

// migrateURL is the database's address for its owner.
func migrateURL() (config.Secret, error) {
	return config.DatabaseOwner(os.LookupEnv, os.ReadFile)
}

// programURL is the database's address for the program, empty where only the
// owner's is set.
func programURL() (config.Secret, error) {
	if os.Getenv("DATABASE_URL") == "" && os.Getenv("DATABASE_URL_FILE") == "" {
		return "", nil
	}
	return config.Database(os.LookupEnv, os.ReadFile)
}

// auditorVariable names the role that may read everything.
const auditorVariable = "DATABASE_AUDITOR_ROLE"

// migrateAndGrant brings the database up to date as its owner, and gives the
// other roles their rights. The notes say what was not granted, and why.
func migrateAndGrant(ctx context.Context, owner, program config.Secret) (notes []string, err error) {
	if err := migrations.Up(ctx, owner.Reveal()); err != nil {
		return nil, err
	}
	roles := migrations.Roles{Auditor: os.Getenv(auditorVariable)}
	if program != "" && program != owner {
		if roles.Program, err = migrations.RoleOf(program.Reveal()); err != nil {
			return nil, errors.New("DATABASE_URL is not the address of a Postgres database, such as postgres://user@host/name") // the error would show it
		}
	}
	return migrations.Grant(ctx, owner.Reveal(), roles)
}
