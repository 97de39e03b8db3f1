// Command breakglass is the whole program: the bot itself, its migrations, and
// the commands that check and show it. It wires the packages together and does
// nothing else. It alone asks the system for the time and for randomness.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/breakglass-bot/breakglass/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes. Scripts may rely on them.
const (
	exitFine    = 0
	exitFailed  = 1 // it did not work, or what was checked does not hold
	exitMistake = 2 // the command line or the configuration is wrong
)

// errMistake marks what the caller has to correct.
var errMistake = errors.New("mistake")

// run is the program, with everything it needs handed in.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitFine
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		_, _ = fmt.Fprintln(stderr, problems.Error()) // nothing is left to tell a failure to
		return exitMistake
	}
	_, _ = fmt.Fprintf(stderr, "breakglass: %s\n", strings.TrimSuffix(err.Error(), "\n"+errMistake.Error()))
	if errors.Is(err, errMistake) {
		return exitMistake
	}
	return exitFailed
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "breakglass",
		Short: "Emergency changes, approved in Slack and on record",
		Long: `breakglass is a Slack bot for emergency changes: an engineer asks for access to
production, the CTO approves with a button, the access ends by itself, and the
record, its sign-off and the review are seen to.

Try it with nothing set up:   breakglass demo
Run it:                       breakglass serve --config breakglass.yaml`,
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.PersistentFlags().String("config", "", "the configuration file (or BREAKGLASS_CONFIG)")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errors.Join(err, errMistake) })
	root.AddCommand(serveCommand(), migrateCommand(), configCommand(), demoCommand(), auditCommand(), reportCommand(), versionCommand())
	noneElse(root)
	return root
}

// noneElse makes every argument that a command does not know a mistake. A group
// of commands shows its help.
func noneElse(c *cobra.Command) {
	c.Args = func(cmd *cobra.Command, args []string) error {
		if err := cobra.NoArgs(cmd, args); err != nil {
			return errors.Join(err, errMistake)
		}
		return nil
	}
	if !c.Runnable() {
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range c.Commands() {
		noneElse(sub)
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "breakglass", version())
			return err
		},
	}
}

// built is the version that whoever builds the program gives it, with
// -ldflags "-X main.built=…"; deploy/Dockerfile does, since git's history is not
// in the image's build.
var built string

// version is what the program was built as: what it was given, else the module's
// version, else the commit.
func version() string {
	if built != "" {
		return built
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "development"
}
