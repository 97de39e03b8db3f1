package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/migrations"
)

// stopWithin bounds the graceful stop. What is in hand then goes on elsewhere,
// or after the next start.
const stopWithin = 20 * time.Second

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the bot", Args: cobra.NoArgs,
		Long: `Runs the bot until it is told to stop. Any number of replicas may run on one
database. It refuses a database that this version has not migrated; --migrate
migrates it first.`,
		RunE: serve,
	}
	cmd.Flags().Bool("migrate", false, "bring the database up to date first")
	cmd.Flags().String("log-format", "json", "json or text")
	cmd.Flags().String("log-level", "info", "debug, info, warn or error")
	cmd.Flags().String("clock-offset-file", "", "for the demo: a file with a duration to add to the time")
	cmd.Flags().Bool("stop-with-stdin", false, "for the demo: stop when the standard input closes")
	for _, hidden := range []string{"clock-offset-file", "stop-with-stdin"} {
		if err := cmd.Flags().MarkHidden(hidden); err != nil {
			panic(err) // the flags stand above
		}
	}
	return cmd
}

// collectAt is how much the heap may grow between two collections, in percent of
// what is in use. Go's own 100 holds half as much memory again for a little less
// work of the processor, which is not what this program is short of. GOGC in the
// environment goes before it.
const collectAt = 50

func serve(cmd *cobra.Command, _ []string) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	flags := cmd.Flags()
	format, _ := flags.GetString("log-format")
	level, _ := flags.GetString("log-level")
	offset, _ := flags.GetString("clock-offset-file")
	migrate, _ := flags.GetBool("migrate")
	log, err := newLog(cmd.ErrOrStderr(), format, level)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		log.WarnContext(cmd.Context(), "configuration", "warning", w.String())
	}
	if migrate {
		url := cfg.Secrets.DatabaseMigrateURL
		if url == "" {
			url = cfg.Secrets.DatabaseURL
		}
		notes, err := migrateAndGrant(cmd.Context(), url, cfg.Secrets.DatabaseURL)
		if err != nil {
			return err
		}
		for _, note := range notes {
			log.WarnContext(cmd.Context(), "rights in the database", "warning", note)
		}
	}
	ctx := cmd.Context()
	if with, _ := flags.GetBool("stop-with-stdin"); with {
		ctx = untilClosed(ctx, cmd.InOrStdin())
	}
	return serveUntilStopped(ctx, cfg, clock{offsetFile: offset}, log)
}

// untilClosed is a context that ends when the reader does.
func untilClosed(ctx context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, r) // any end of it will do
	}()
	return ctx
}

// serveUntilStopped runs the bot until ctx ends or a listener breaks.
func serveUntilStopped(ctx context.Context, cfg *config.Config, clock clock, log *slog.Logger) (err error) {
	p, err := newProgram(ctx, cfg, clock.Now, log)
	if err != nil {
		return err
	}
	defer p.close()
	if err := migrations.Check(ctx, p.pool); err != nil {
		return err
	}
	p.warnOfRights(ctx)
	if err := p.start(ctx); err != nil { // what has begun must end before the pool closes
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		return errors.Join(err, p.stop(stopCtx))
	}
	log.InfoContext(ctx, "breakglass is up", "version", version(), "address", p.server.Addr(), "metrics", p.server.MetricsAddr(), "slack", string(cfg.Slack.Mode))
	endCheck := p.checkInBackground(ctx)
	defer endCheck()
	select {
	case <-ctx.Done():
	case err = <-p.server.Failed():
		err = fmt.Errorf("a listener broke: %w", err)
	case err = <-p.broken:
	}
	log.InfoContext(ctx, "breakglass stops")
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	return errors.Join(err, p.stop(stopCtx))
}

// warnOfRights says in the log when the database would let the program alter the
// trail: then nothing but triggers keeps whoever has its password from it.
func (p *program) warnOfRights(ctx context.Context) {
	rights, err := migrations.Unguarded(ctx, p.pool)
	if err != nil {
		p.log.WarnContext(ctx, "it could not be told what the database lets the program do", "error", err)
	}
	if rights != "" {
		p.log.WarnContext(ctx, "only triggers guard the trail: the role of DATABASE_URL has more rights than the program needs; make a second role, and set DATABASE_MIGRATE_URL", "rights", rights)
	}
}
