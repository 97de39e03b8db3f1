package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/internal/config"
)

// configVariable names the configuration where --config does not.
const configVariable = "BREAKGLASS_CONFIG"

// configPath finds the configuration file.
func configPath(cmd *cobra.Command) (string, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return "", err
	}
	if path == "" {
		path = os.Getenv(configVariable)
	}
	if path == "" {
		return "", errors.Join(errors.New("no configuration was given: use --config FILE, or set "+configVariable), errMistake)
	}
	return path, nil
}

// loadConfig reads the configuration and its secrets.
func loadConfig(cmd *cobra.Command) (*config.Config, error) {
	path, err := configPath(cmd)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(path, os.LookupEnv, os.ReadFile)
	return cfg, unreadable(err)
}

// unreadable marks a configuration that cannot be read as the caller's to correct.
func unreadable(err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return errors.Join(err, errMistake)
	}
	return err
}

func configCommand() *cobra.Command {
	group := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	check := &cobra.Command{
		Use: "check", Short: "Report every mistake of the configuration, with its line", Args: cobra.NoArgs,
		Long: `Reads the configuration and the secrets, and reports every mistake at once as
file:line:column: sentence. Warnings do not fail it.`,
		RunE: checkConfig,
	}
	check.Flags().Bool("file-only", false, "check the file alone, without the secrets of the environment")
	group.AddCommand(check)
	return group
}

func checkConfig(cmd *cobra.Command, _ []string) error {
	path, err := configPath(cmd)
	if err != nil {
		return err
	}
	fileOnly, err := cmd.Flags().GetBool("file-only")
	if err != nil {
		return err
	}
	var cfg *config.Config
	if fileOnly {
		cfg, err = config.Check(path, os.ReadFile)
	} else {
		cfg, err = config.Load(path, os.LookupEnv, os.ReadFile)
	}
	if err != nil {
		return unreadable(err)
	}
	for _, w := range cfg.Warnings {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), "warning:", w); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s holds no mistakes: %d kinds, %d targets, %d groups.\n", path, len(cfg.Rules.Kinds), len(cfg.Rules.Targets), len(cfg.Rules.Groups))
	return err
}
