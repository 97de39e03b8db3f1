package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/ledger"
)

func auditCommand() *cobra.Command {
	group := &cobra.Command{Use: "audit", Short: "Check the trail"}
	group.AddCommand(&cobra.Command{
		Use: "verify", Short: "Check every chain of events, and the rows against them", Args: cobra.NoArgs,
		Long: `Checks the hash chain of every change and of the system, compares each row with the
last event of its chain, and names the first bad entry of each. It only reads, needs
DATABASE_URL and no configuration file, and exits 1 when anything is wrong.`,
		RunE: auditVerify,
	})
	return group
}

func auditVerify(cmd *cobra.Command, _ []string) error {
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
	summary, err := ledger.New(pool).Verify(ctx, func(f ledger.Finding) {
		if _, err := fmt.Fprintln(out, f); err != nil {
			printing = err
		}
	})
	if err := errors.Join(err, printing); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, summary); err != nil {
		return err
	}
	if sealed := summary.Sealed(); sealed != "" {
		if _, err := fmt.Fprintln(out, sealed); err != nil {
			return err
		}
	}
	if summary.Findings > 0 {
		return errors.New("the trail is not whole")
	}
	return nil
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
