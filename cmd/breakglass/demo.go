package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "demo", Short: "Play an emergency change from the command to the closed record, here and now", Args: cobra.NoArgs,
		Long: `Starts a private Postgres, stand-ins for Slack, AWS, Jira, incident.io, GitLab and
GitHub, and breakglass itself, and plays an emergency change with the clock moved
forward. Nothing has to be set up, and nothing outside this machine is touched. It
exits 0 only if every promise held.

DATABASE_URL, where set, is used instead of a private Postgres: the demo makes a
database of its own there, and drops it in the end.

There is a story of every kind of change of the example configuration:
`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stay, err := cmd.Flags().GetBool("stay")
			if err != nil {
				return err
			}
			kind, err := cmd.Flags().GetString("story")
			if err != nil {
				return err
			}
			told, err := storyNamed(kind)
			if err != nil {
				return err
			}
			return demo(cmd.Context(), cmd.OutOrStdout(), told, stay)
		},
	}
	for _, st := range stories() {
		cmd.Long += fmt.Sprintf("\n  %-22s %s", st.kind, st.says)
	}
	cmd.Flags().String("story", stories()[0].kind, "the kind of change that is played")
	cmd.Flags().Bool("stay", false, "remain up for exploring, until interrupted")
	return cmd
}

// demoWithin bounds the whole story. It takes well under a minute.
const demoWithin = 5 * time.Minute

func demo(ctx context.Context, out io.Writer, told story, stay bool) (err error) {
	n := newNarrator(out)
	within, cancel := context.WithTimeout(ctx, demoWithin)
	defer cancel()
	s, err := openStage(within, stageOptions{say: n.say})
	if err != nil {
		return fmt.Errorf("the demo could not start: %w", err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	n.watch(s)
	n.say("breakglass is up, with stand-ins for Slack, AWS, Jira, incident.io, GitLab and GitHub. Its log is %s.", s.logFile())
	page, closePage, err := serveWorkspace(ctx, s)
	if err != nil {
		return fmt.Errorf("the demo could not start: %w", err)
	}
	defer func() { err = errors.Join(err, closePage()) }()
	n.say("Watch it, and play along, in a browser: %s", page)
	if err := told.play(within, s, n); err != nil {
		return fmt.Errorf("the demo stopped: %w", err)
	}
	if err := n.summary(within, s); err != nil {
		return err
	}
	if stay {
		return n.remain(ctx, s, page)
	}
	return nil
}
