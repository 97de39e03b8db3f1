package embeddedpg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopLeftover stops the server that a dead program left running on the data,
// if there is one, and removes the lock files of one that is gone. The caller holds
// the folder's lock.
func stopLeftover(ctx context.Context, data string) error {
	for _, file := range []string{filepath.Join(data, "postmaster.pid"), filepath.Join(filepath.Dir(data), ".s.PGSQL.5432.lock")} {
		if err := stopNamed(ctx, file, data); err != nil {
			return err
		}
	}
	return nil
}

// stopNamed stops the server that a lock file names.
func stopNamed(ctx context.Context, pidFile, data string) error {
	pid, err := readPID(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// Harshest last: break off the sessions; break off without writing; kill.
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if !isServer(ctx, pid, data) {
			break
		}
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stopping the left-over Postgres %d in %s: %w", pid, data, err)
		}
		if err := awaitGone(ctx, pid, data); err != nil {
			return err
		}
	}
	if isServer(ctx, pid, data) {
		return fmt.Errorf("%w %s: its Postgres, process %d, cannot be stopped", ErrInUse, filepath.Dir(data), pid)
	}
	// The number may meanwhile belong to another program, and Postgres would
	// then refuse to start.
	if err := os.Remove(pidFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", pidFile, err)
	}
	return nil
}

// readPID reads the first line of a postmaster.pid. An unfinished file has none
// and counts as absent.
func readPID(path string) (int, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0) //nolint:gosec // a file of a folder of ours
	if err != nil {
		return 0, fmt.Errorf("reading the server's number: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	if !lines.Scan() {
		return 0, fmt.Errorf("reading the server's number: %w", errors.Join(fs.ErrNotExist, lines.Err()))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("%s names no process: %.40q", path, lines.Text())
	}
	return pid, nil
}

// awaitGone returns when the server is gone, or after some seconds.
func awaitGone(ctx context.Context, pid int, data string) error {
	waiting, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for isServer(ctx, pid, data) {
		select {
		case <-waiting.Done():
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("waiting for the left-over Postgres %d: %w", pid, err)
			}
			return nil
		case <-tick.C:
		}
	}
	return nil
}

// isServer says whether the process is a Postgres that works on the data, so
// that no other program that was given the number is ever signalled.
func isServer(ctx context.Context, pid int, data string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	if _, err := os.Stat("/proc/self/exe"); err == nil {
		exe, err := os.Readlink(filepath.Join(proc, "exe"))
		if err != nil || filepath.Base(strings.TrimSuffix(exe, " (deleted)")) != "postgres" {
			return false
		}
		cwd, err := os.Stat(filepath.Join(proc, "cwd")) // Postgres works in its data
		if err != nil {
			return false
		}
		here, err := os.Stat(data)
		return err == nil && os.SameFile(cwd, here)
	}
	// Without /proc, as on macOS, the data cannot be seen, only the name.
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // a number
	return err == nil && filepath.Base(strings.TrimSpace(string(out))) == "postgres"
}
