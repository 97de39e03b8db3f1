package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/internal/audit"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

func auditCommand() *cobra.Command {
	group := &cobra.Command{Use: "audit", Short: "Check the trail, and export it"}
	var folder string
	verify := &cobra.Command{
		Use: "verify", Short: "Check every chain of events, the rows against them, and the seals", Args: cobra.NoArgs,
		Long: `Checks the hash chain of every change and of the system, compares each row with the
last event of its chain, checks the daily seals and that nothing sealed was altered,
and names the first bad entry of each. It only reads, needs DATABASE_URL and no
configuration file, and exits 1 when anything is wrong. With --export it checks a
folder that "audit export" wrote, and needs no database.`,
		Example: `  breakglass audit verify
  breakglass audit verify --export 2026-q1`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("export") {
				return auditVerifyExport(cmd, folder)
			}
			return auditVerify(cmd)
		},
	}
	verify.Flags().StringVar(&folder, "export", "", "the folder of an export, to be checked alone")
	group.AddCommand(verify, auditExportCommand())
	return group
}

func auditVerify(cmd *cobra.Command) error {
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
	out := cmd.OutOrStdout()
	var printing error
	summary, err := ledger.New(pool).Verify(ctx, func(f ledger.Finding) { printing = errors.Join(printing, say(out, f)) })
	if err := errors.Join(err, printing); err != nil {
		return err
	}
	if err := errors.Join(say(out, summary), sayUnlessEmpty(out, summary.Sealed())); err != nil {
		return err
	}
	if summary.Findings > 0 {
		return errors.New("the trail is not whole")
	}
	return nil
}

func auditVerifyExport(cmd *cobra.Command, folder string) error {
	out := cmd.OutOrStdout()
	var printing error
	summary, err := audit.Verify(cmd.Context(), folder, func(f audit.Finding) { printing = errors.Join(printing, say(out, f)) })
	if errors.Is(err, audit.ErrNoExport) {
		err = errors.Join(err, errMistake)
	}
	if err := errors.Join(err, printing); err != nil {
		return err
	}
	if err := errors.Join(say(out, summary), sayUnlessEmpty(out, summary.Sealed())); err != nil {
		return err
	}
	if summary.Findings > 0 {
		return errors.New("the export is not whole")
	}
	return nil
}

func say(out io.Writer, line any) error {
	_, err := fmt.Fprintln(out, line)
	return err
}

func sayUnlessEmpty(out io.Writer, line string) error {
	if line == "" {
		return nil
	}
	return say(out, line)
}

// verify runs `audit verify` on the stage's database.
func (s *stage) verify(ctx context.Context) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, self, "audit", "verify") //nolint:gosec // it is this program
	cmd.Env = append(cleanEnvironment(), "DATABASE_URL="+s.dbURL, asProgram)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}
