package main

import (
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
of programs may do so at once.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := migrateURL()
			if err != nil {
				return err
			}
			if err := migrations.Up(cmd.Context(), url.Reveal()); err != nil {
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
