package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
)

// reportFlags are the flags of `report` as they were typed.
type reportFlags struct {
	since, until, out, format string
	allChanges                int
	confidential              bool
}

func reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use: "report", Short: "Write figures and a table of every change of a period", Args: cobra.NoArgs,
		Long: `Writes one self-contained page with figures, plots and a table of every emergency
change of a period, or the table as CSV or JSON. It only reads, and needs
DATABASE_URL and no configuration file. docs/report.md says what each figure means.`,
		Example: `  breakglass report --since 90d --out report.html
  breakglass report --since 2026-01-01 --until 2026-04-01 --format csv --out -`,
		RunE: func(cmd *cobra.Command, _ []string) error { return writeReport(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.since, "since", "90d", "where the period begins: so many days or weeks ago (90d, 12w), or a date (2026-01-01), UTC")
	flags.StringVar(&f.until, "until", "", "the day on which it ends, not part of it, in the same forms; now, when empty")
	flags.StringVar(&f.out, "out", "-", "the file to write; - for the standard output")
	flags.StringVar(&f.format, "format", "html", "html, csv or json")
	flags.IntVar(&f.allChanges, "all-changes", 0, "how many changes to production there were in all, for the share of emergencies")
	flags.BoolVar(&f.confidential, "confidential", false, "with confidential changes as all others, for whoever may see them")
	return cmd
}

func writeReport(cmd *cobra.Command, f reportFlags) error {
	write, ok := map[string]func(io.Writer, report.Source, report.Options) error{
		"html": report.HTML, "csv": report.CSV, "json": report.JSON,
	}[f.format]
	if !ok {
		return errors.Join(fmt.Errorf("--format %q is none of html, csv, json", f.format), errMistake)
	}
	opts, err := f.options(time.Now())
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
	rows := func(yield func(ledger.PopulationRow) error) error {
		period := ledger.Period{Since: opts.Since, Until: opts.Until, ConfidentialTexts: f.confidential}
		return ledger.New(pool).Population(ctx, period, yield)
	}
	if opts.Findings, err = findingsSince(ctx, ledger.New(pool), opts.Since, f.confidential); err != nil {
		return err
	}
	return into(ctx, f.out, cmd.OutOrStdout(), func(w io.Writer) error { return write(w, rows, opts) })
}

// mostFindings bounds how many findings of the census a report takes in.
const mostFindings = 10_000

// findingsSince reads the findings of the census that are open, or were closed
// since. Of a confidential change they say its number, or what was found, and
// never both, unless confidential is asked for.
func findingsSince(ctx context.Context, l *ledger.Ledger, since time.Time, confidential bool) ([]change.CensusFinding, error) {
	rows, err := l.CensusFindings(ctx, since, mostFindings)
	if err != nil {
		return nil, err
	}
	all := make([]change.CensusFinding, len(rows))
	for i, row := range rows {
		all[i] = row.CensusFinding
		if row.Number == 0 || confidential {
			continue
		}
		about, err := l.Change(ctx, row.Number)
		switch {
		case err != nil:
			return nil, err
		case about.Confidential && row.Kind == change.FindingUnasked:
			all[i].Number = 0
		case about.Confidential:
			all[i].Key, all[i].UserName, all[i].DecidedBy = change.AssignmentKey{}, "", ""
		}
	}
	return all, nil
}

// longestReport bounds a period: beyond it the columns of months say nothing.
const longestReport = 10 * 366 * 24 * time.Hour

func (f reportFlags) options(now time.Time) (report.Options, error) {
	now = now.UTC()
	opts := report.Options{Until: now, AsOf: now, AllChanges: f.allChanges}
	var err error
	if opts.Since, err = moment(f.since, now); err != nil {
		return opts, fmt.Errorf("--since: %w", err)
	}
	if f.until != "" {
		if opts.Until, err = moment(f.until, now); err != nil {
			return opts, fmt.Errorf("--until: %w", err)
		}
	}
	switch {
	case !opts.Since.Before(opts.Until):
		return opts, fmt.Errorf("the period begins on %s and ends on %s; it has to begin before it ends",
			opts.Since.Format(time.DateOnly), opts.Until.Format(time.DateOnly))
	case opts.Until.Sub(opts.Since) > longestReport:
		return opts, errors.New("a report is of ten years at most")
	case f.allChanges < 0:
		return opts, errors.New("--all-changes is a number of changes, 0 or more")
	}
	return opts, nil
}

// moment reads 90d, 12w or 2026-01-01. Days begin at midnight, UTC.
func moment(s string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		return at, nil
	}
	for unit, days := range map[string]int{"d": 1, "w": 7} {
		digits, found := strings.CutSuffix(s, unit)
		n, err := strconv.Atoi(digits)
		if found && err == nil && n > 0 && n <= 100_000 {
			return now.Truncate(24*time.Hour).AddDate(0, 0, -n*days), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a length, such as 90d or 12w, nor a date, such as 2026-01-01", s)
}

// into writes a file, or the standard output for "-". A file appears whole or
// not at all, readable by its owner only: it names people.
func into(ctx context.Context, name string, stdout io.Writer, write func(io.Writer) error) (err error) {
	if name == "-" {
		out := bufio.NewWriter(stdout)
		return errors.Join(write(out), out.Flush())
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	out := bufio.NewWriter(file)
	if err := errors.Join(write(out), out.Flush(), file.Close(), ctx.Err()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}
