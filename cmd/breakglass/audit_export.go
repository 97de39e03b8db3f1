package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/internal/audit"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// exportFlags are the flags of `audit export` as they were typed.
type exportFlags struct {
	since, until, out string
	cleared           bool
}

func auditExportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use: "export", Short: "Write the trail of a period into a folder, to be checked without the database", Args: cobra.NoArgs,
		Long: `Writes a folder with every emergency change of a period, their events as they were
hashed, what stands out about them, and the daily seals. "audit verify --export" checks
it, and so does docs/verify_export.py. It only reads the database, and needs DATABASE_URL
and no configuration file. docs/audit-format.md says what stands in each file.`,
		Example: `  breakglass audit export --since 2026-01-01 --until 2026-04-01 --out 2026-q1`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return auditExport(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.since, "since", "90d", "where the period begins: so many days or weeks ago (90d, 12w), or a date (2026-01-01), UTC")
	flags.StringVar(&f.until, "until", "", "the day on which it ends, not part of it, in the same forms; now, when empty")
	flags.StringVar(&f.out, "out", "", "the folder to write; it must not exist, or be empty")
	flags.BoolVar(&f.cleared, "cleared", false, "with what people typed about confidential changes, for those cleared to read it")
	return cmd
}

func auditExport(cmd *cobra.Command, f exportFlags) error {
	if f.out == "" {
		return errors.Join(errors.New("--out says which folder to write"), errMistake)
	}
	now := time.Now()
	opts, err := reportFlags{since: f.since, until: f.until}.options(now)
	if err != nil {
		return errors.Join(err, errMistake)
	}
	ctx := cmd.Context()
	url, err := config.Database(os.LookupEnv, os.ReadFile)
	if err != nil {
		return err
	}
	pool, err := openPool(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	result, err := audit.Export(ctx, ledger.New(pool), f.out, audit.Options{
		Since: opts.Since, Until: opts.Until, At: ledger.Micro(now), Cleared: f.cleared, Version: version(),
	})
	if errors.Is(err, audit.ErrOccupied) {
		return errors.Join(fmt.Errorf("--out: %w", err), errMistake)
	}
	if err != nil {
		return err
	}
	return say(cmd.OutOrStdout(), fmt.Sprintf("%s: %d changes, %d events, %d exceptions. The texts of %d confidential changes were withheld.\nSHA-256 of SHA256SUMS, to be kept elsewhere: %s",
		f.out, result.Changes, result.Events, result.Exceptions, result.Withheld, result.Sums))
}
