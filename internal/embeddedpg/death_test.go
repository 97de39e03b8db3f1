package embeddedpg

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAKilledProgramLeavesNoServer(t *testing.T) {
	t.Parallel()
	root := enterable(t)
	dir, kill := startChild(t, root)
	pid, data := serverPID(t, dir), filepath.Join(dir, dataName)
	if !isServer(t.Context(), pid, data) {
		t.Fatal("the program's server does not run")
	}
	kill()
	eventually(t, "the server is gone", func() bool { return !isServer(t.Context(), pid, data) })
	eventually(t, "its folder is gone", func() bool { return !exists(dir) })
}

func TestAProgramKilledWhileItMakesDataLeavesNothing(t *testing.T) {
	t.Parallel()
	root := enterable(t)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVariable+"="+root, cacheVariable+"="+enterable(t)) // no image there: initdb runs
	_, err = cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	begun := filepath.Join(root, throwAwayPrefix+"*", unfinishedPrefix+"*", "PG_VERSION")
	eventually(t, "initdb runs", func() bool {
		found, err := filepath.Glob(begun)
		return err == nil && len(found) > 0
	})
	must(t, cmd.Process.Kill())
	if err := cmd.Wait(); err == nil {
		t.Error("the program ended by itself")
	}
	eventually(t, "nothing is left", func() bool {
		left, err := os.ReadDir(root)
		return err == nil && len(left) == 0
	})
}

// startChild runs this test binary as a program with a throw-away server.
func startChild(t *testing.T, root string) (dir string, kill func()) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVariable+"="+root)
	cmd.Stderr = os.Stderr
	_, err = cmd.StdinPipe() // stays open until it is killed
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the program said nothing: %v, %v", err, cmd.Wait())
	}
	return strings.TrimSpace(line), func() {
		must(t, cmd.Process.Kill())
		if err := cmd.Wait(); err == nil {
			t.Error("the program ended by itself")
		}
	}
}

func TestAFolderIsFreeSoonAfterItsProgramWasKilled(t *testing.T) {
	t.Parallel()
	root := enterable(t)
	dir, kill := startChild(t, root)
	pid := serverPID(t, dir)
	lock := filepath.Join(dir, lockName)
	if held, err := takeLock(lock, 0); !errors.Is(err, ErrInUse) {
		t.Fatalf("the lock is free: %v, %v", held, err)
	}
	kill()
	// Whoever gets the lock, or finds the folder gone, finds no server.
	eventually(t, "the lock is free", func() bool {
		held, err := takeLock(lock, 0)
		if err == nil {
			err = held.Close()
		}
		return !errors.Is(err, ErrInUse)
	})
	if isServer(t.Context(), pid, filepath.Join(dir, dataName)) {
		t.Error("the server still runs")
	}
}

func TestALeftOverServerOfTheFolderIsStoppedFirst(t *testing.T) {
	t.Parallel()
	o := in("")
	o.Dir = filepath.Join(enterable(t), "kept")
	s := start(t, o)
	run(t, s.URL("postgres"), "CREATE TABLE kept AS SELECT 42 AS answer")
	must(t, s.Stop())
	orphan := startUnguarded(t, s.folder)

	s = start(t, o)
	select {
	case <-orphan.gone:
	default:
		t.Error("the left-over server runs on")
	}
	if got := serverPID(t, s.Dir()); got == orphan.pid {
		t.Error("the left-over server was taken over")
	}
	if got := ask[int](t, s.URL("postgres"), "SELECT answer FROM kept"); got != 42 {
		t.Errorf("the data hold %d", got)
	}
}

// A server that was killed leaves its lock files, and their number may soon belong to
// another process, or to the server itself until somebody has noticed that it is dead.
func TestLockFilesOfAServerThatIsGoneHoldUpNoOther(t *testing.T) {
	t.Parallel()
	o := in("")
	o.Dir = filepath.Join(enterable(t), "kept")
	s := start(t, o)
	must(t, s.Stop())
	for _, name := range []string{filepath.Join(s.folder.data(), "postmaster.pid"), filepath.Join(s.Dir(), ".s.PGSQL.5432.lock")} {
		must(t, os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600))
	}
	s = start(t, o)
	if got := ask[int](t, s.URL("postgres"), "SELECT 42"); got != 42 {
		t.Errorf("it answers %d", got)
	}
}

func TestATemporaryFolderOfADeadProgramIsReclaimed(t *testing.T) {
	t.Parallel()
	o, err := in(enterable(t)).withDefaults()
	must(t, err)
	alive := start(t, o)

	// As after a kill of the program and its guard: data, a server, no lock.
	account, err := o.system.runAs()
	must(t, err)
	bin, err := o.findBinaries(t.Context(), account)
	must(t, err)
	f, err := o.openFolder(t.Context(), account)
	must(t, err)
	must(t, o.prepareData(t.Context(), f, bin, account, os.Stderr))
	orphan := startUnguarded(t, f)
	must(t, f.close())

	start(t, o)
	if exists(f.path) {
		t.Error("the folder is left")
	}
	<-orphan.gone
	if got := ask[int](t, alive.URL("postgres"), "SELECT 42"); got != 42 {
		t.Error("the server of a living program was harmed")
	}
}

func TestAFolderThatIsJustBeingMadeIsNotReclaimed(t *testing.T) {
	t.Parallel()
	o, err := in(enterable(t)).withDefaults()
	must(t, err)
	account, err := o.system.runAs()
	must(t, err)
	root := o.system.roots[0].path
	newborn, old := filepath.Join(root, throwAwayPrefix+"1"), filepath.Join(root, throwAwayPrefix+"2")
	must(t, os.Mkdir(newborn, 0o700))
	must(t, os.Mkdir(old, 0o700))
	info, err := os.Stat(old)
	must(t, err)
	past := info.ModTime().Add(-2 * abandonedAfter)
	must(t, os.Chtimes(old, past, past))

	must(t, o.reclaim(t.Context(), root, account))
	if !exists(newborn) {
		t.Error("a new folder was removed under its maker's hands")
	}
	if exists(old) {
		t.Error("an abandoned folder without a lock stays for ever")
	}
}

func TestAProcessThatIsNoPostgresIsNeverSignalled(t *testing.T) {
	t.Parallel()
	o := in("")
	o.Dir = filepath.Join(enterable(t), "kept")
	s := start(t, o)
	must(t, s.Stop())
	// As after a crash of the machine: the number now belongs to another
	// program, to this one.
	pidFile := filepath.Join(s.folder.data(), "postmaster.pid")
	must(t, os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"+s.folder.data()+"\n"), 0o644))

	s = start(t, o) // were this program signalled, the test would not go on
	if got := ask[int](t, s.URL("postgres"), "SELECT 42"); got != 42 {
		t.Errorf("the server says %d", got)
	}
}

func TestOnlyAPostgresOnTheSameDataCountsAsTheServer(t *testing.T) {
	t.Parallel()
	s := start(t, in(enterable(t)))
	pid := serverPID(t, s.Dir())
	if !isServer(t.Context(), pid, s.folder.data()) {
		t.Error("the server is not recognised")
	}
	if exists("/proc/self/exe") && isServer(t.Context(), pid, s.Dir()) {
		t.Error("a server on other data is taken for ours")
	}
	other := exec.CommandContext(t.Context(), "/bin/sh", "-c", "read -r _")
	other.Dir = s.folder.data()
	_, err := other.StdinPipe() // it reads until it is killed
	must(t, err)
	must(t, other.Start())
	if isServer(t.Context(), other.Process.Pid, s.folder.data()) {
		t.Error("a shell in the data folder is taken for a server")
	}
	must(t, other.Process.Kill())
	if err := other.Wait(); err == nil {
		t.Error("the shell ended by itself")
	}
}

type unguarded struct {
	pid  int
	gone chan struct{}
}

// startUnguarded starts a server that nothing but Start will stop.
func startUnguarded(t *testing.T, f folder) unguarded {
	t.Helper()
	o, err := Options{}.withDefaults()
	must(t, err)
	account, err := o.system.runAs()
	must(t, err)
	bin, err := o.findBinaries(t.Context(), account)
	must(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(bin.dir, "postgres"), o.arguments(f)...)
	cmd.SysProcAttr = account.attributes()
	cmd.Env = environment()
	cmd.Dir = f.path
	must(t, cmd.Start())
	u := unguarded{pid: cmd.Process.Pid, gone: make(chan struct{})}
	go func() {
		defer close(u.gone)
		_ = cmd.Wait() // how it ends is the test's business
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is gone, if all went well
		<-u.gone
	})
	eventually(t, "the server has written its number", func() bool {
		pid, err := readPID(filepath.Join(f.data(), "postmaster.pid"))
		return err == nil && pid == u.pid
	})
	return u
}

func TestAServerThatEndsByItselfIsNoticed(t *testing.T) {
	t.Parallel()
	s := start(t, in(enterable(t)))
	run(t, s.URL("postgres"), "SELECT pg_sleep(0)")
	process, err := os.FindProcess(serverPID(t, s.Dir()))
	must(t, err)
	must(t, process.Signal(os.Interrupt))
	select {
	case <-s.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("nobody noticed")
	}
	if !exists(filepath.Join(s.Dir(), logName)) {
		t.Error("the log of a server that failed is gone")
	}
}
