package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// guardScript runs a program and stops it when the pipe at number 3 closes,
// which the kernel sees to however this process ends. It uses builtins only.
//
// The program starts with INT ignored, as a shell's background jobs do, and so
// it also gets TERM, which ends it if it has not set its own handlers yet. To a
// Postgres that runs, INT means "break off the sessions and stop" and the TERM
// after it changes nothing.
//
// $1 says whether to stop the program or let it finish; $2 is the rm program,
// empty for a folder that stays; $3 the folder. It is removed only when the
// pipe closed, not when the program failed by itself: then its log is still
// wanted. Number 4 is the folder's lock, which so is held until all that is
// done: nobody takes over or removes a folder in which something still works.
const guardScript = `
ending=$1 remove=$2 folder=$3
shift 3
"$@" 3<&- 4<&- </dev/null &
program=$!
{
	read -r _
	if [ "$ending" = stop ]; then kill -INT "$program"; kill -TERM "$program"; fi
	true
} <&3 3<&- 2>/dev/null &
reader=$!
exec 3<&- 2>/dev/null
wait "$program"
status=$?
kill "$reader" 2>/dev/null
if wait "$reader" && [ -n "$remove" ]; then "$remove" -rf "$folder"; fi
exit "$status"
`

// ending is what becomes of a guarded program when this one ends.
type ending string

const (
	stopIt      ending = "stop"
	letItFinish ending = "finish" // for a program that takes a second and would leave shared memory behind
)

// guarded is a program that ends when this one does.
type guarded struct {
	cmd      *exec.Cmd // the shell
	lifeline *os.File  // the end of the pipe whose closing stops the program
	done     chan struct{}
	err      error // how it ended; to be read after done is closed
}

// startGuarded runs a program in a folder as the account. A throw-away folder
// goes once the pipe is closed and the program has ended.
func startGuarded(run account, f folder, log *os.File, end ending, program string, args ...string) (*guarded, error) {
	reading, writing, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	rm := ""
	if f.throwAway {
		// Without an rm the folder stays until the next start reclaims it.
		if path, err := exec.LookPath("rm"); err == nil {
			rm = path
		}
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", guardScript, "breakglass-postgres-guard", string(end), rm, f.path, program}, args...)...) //nolint:gosec,noctx // the script is fixed, the rest are its arguments; the pipe ends it, not a context
	cmd.Dir = f.path
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{reading, f.lock}
	cmd.SysProcAttr = run.attributes()
	err = cmd.Start()
	closing := reading.Close()
	if err = errors.Join(err, closing); err != nil {
		return nil, errors.Join(fmt.Errorf("running %s as the user %s: %w", program, run.name, err), writing.Close())
	}
	g := &guarded{cmd: cmd, lifeline: writing, done: make(chan struct{})}
	go func() {
		g.err = cmd.Wait()
		close(g.done)
	}()
	return g, nil
}

// wait gives the program's end. When the context ends first, so does the
// program, in its way.
func (g *guarded) wait(ctx context.Context) error {
	select {
	case <-g.done:
		return errors.Join(g.err, g.lifeline.Close())
	case <-ctx.Done():
		return errors.Join(ctx.Err(), g.stop())
	}
}

// stopTimeout is how long a server may take to write what it still holds.
const stopTimeout = 30 * time.Second

// stop closes the pipe and waits for the program. It may be called once.
func (g *guarded) stop() error {
	closing := g.lifeline.Close()
	late := time.NewTimer(stopTimeout)
	defer late.Stop()
	select {
	case <-g.done:
		return closing
	case <-late.C:
	}
	// The whole group: the shell, and the server that did not listen to it.
	killing := syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL)
	<-g.done
	return errors.Join(fmt.Errorf("the program took more than %s to stop and was killed", stopTimeout), closing, killing)
}
