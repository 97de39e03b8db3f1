package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// childReady is how long the program may take to be up.
const childReady = 30 * time.Second

// asProgram tells a test binary to be the program. It is never set elsewhere.
const asProgram = "BREAKGLASS_AS_PROGRAM=1"

// child is the program as a process of its own. It ends with us, even when we
// are killed: it stops when its standard input closes.
type child struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	ended   chan struct{} // closed when it has ended
	err     error         // why it ended; to be read after that
	address string        // where it listens
}

// startChild runs this very program with other arguments, and waits until it
// says that it is up.
func startChild(ctx context.Context, logFile string, env []string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program: %w", err)
	}
	return startProgram(ctx, self, logFile, env, args...)
}

// startProgram runs a program, and waits until it says that it is up. Its log
// goes to a file.
func startProgram(ctx context.Context, program, logFile string, env []string, args ...string) (*child, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the file is in our own folder
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.CommandContext(context.WithoutCancel(ctx), program, args...), ended: make(chan struct{})} //nolint:gosec // it is this program
	c.cmd.Env = append(cleanEnvironment(), append(env, asProgram)...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to handle
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the program: %w", err), log.Close())
	}
	up := make(chan string, 1)
	go func() {
		last := follow(stderr, log, up)
		err := errors.Join(c.cmd.Wait(), log.Close())
		if err != nil {
			err = fmt.Errorf("%w: %s", err, last)
		}
		c.err = err
		close(c.ended)
	}()
	select {
	case c.address = <-up:
		return c, nil
	case <-c.ended:
		return nil, fmt.Errorf("the program ended at once: %w", c.err)
	case <-time.After(childReady):
	case <-ctx.Done():
	}
	return nil, errors.Join(fmt.Errorf("the program did not come up; its log is %s", logFile), c.kill(), ctx.Err())
}

// cleanEnvironment is ours without what would configure the program otherwise.
func cleanEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		for _, prefix := range []string{"SLACK_", "JIRA_", "INCIDENT_IO_", "GITLAB_", "GITHUB_", "AWS_", "DATABASE_", "BREAKGLASS_"} {
			if strings.HasPrefix(v, prefix) {
				return true
			}
		}
		return false
	})
}

// follow copies the log, tells the address once the program is up, and answers
// the last line.
func follow(from io.Reader, to io.Writer, up chan<- string) string {
	var last string
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		last = lines.Text()
		_, _ = fmt.Fprintln(to, last) // a full disk must not stop the demo
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "breakglass is up" {
			up <- line.Address
		}
	}
	return last
}

// kill ends the program as a crash would.
func (c *child) kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-c.ended
	return nil
}

// stop ends the program gracefully.
func (c *child) stop() error {
	if err := c.stdin.Close(); err != nil {
		return err
	}
	select {
	case <-c.ended:
		return c.err
	case <-time.After(stopWithin + 5*time.Second):
		return errors.Join(errors.New("the program did not stop"), c.kill())
	}
}
