//go:build crashpoints

package crashpoint

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Armed tells whether this build has points at all.
const Armed = true

// folderVariable names the folder that the points are written down in.
const folderVariable = "CRASHPOINTS"

type doing struct{}

// Doing names what is done from here on: by a string, or by the type of what is
// given.
func Doing(ctx context.Context, what any) context.Context {
	name, ok := what.(string)
	if !ok {
		name = fmt.Sprintf("%T", what)
	}
	if before, ok := ctx.Value(doing{}).(string); ok {
		name = before + " / " + name
	}
	return context.WithValue(ctx, doing{}, name)
}

// points are those reached so far, and those at which to die.
type points struct {
	mu      sync.Mutex
	counts  map[string]int
	kill    map[string]bool
	reached *os.File
	killed  string
}

// known is read from the folder when the first point is reached; nil without one.
var known = sync.OnceValue(read)

func read() *points {
	folder := os.Getenv(folderVariable)
	if folder == "" {
		return nil
	}
	p := &points{counts: map[string]int{}, kill: map[string]bool{}, killed: filepath.Join(folder, "killed")}
	for _, line := range lines(filepath.Join(folder, "reached")) {
		p.counts[line]++
	}
	for _, line := range lines(filepath.Join(folder, "kill")) {
		p.kill[line] = true
	}
	for _, line := range lines(p.killed) {
		delete(p.kill, line)
	}
	p.reached = appending(filepath.Join(folder, "reached"))
	return p
}

// lines reads a file that may not be there yet.
func lines(name string) []string {
	content, err := os.ReadFile(name) //nolint:gosec // the folder is the test's own
	if err != nil {
		return nil
	}
	var all []string
	for scan := bufio.NewScanner(strings.NewReader(string(content))); scan.Scan(); {
		all = append(all, scan.Text())
	}
	return all
}

func appending(name string) *os.File {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the folder is the test's own
	if err != nil {
		panic(err) // only a test ever sets the folder
	}
	return f
}

// Reach is a point. Where it is one to die at, it does not return.
func Reach(ctx context.Context, name string) {
	p := known()
	if p == nil {
		return
	}
	if what, ok := ctx.Value(doing{}).(string); ok {
		name += " in " + what
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[name]++
	write(p.reached, name)
	key := fmt.Sprintf("%s#%d", name, p.counts[name])
	if !p.kill[key] {
		return
	}
	write(appending(p.killed), key)
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	select {} // until the signal is here
}

func write(to *os.File, line string) {
	if _, err := to.WriteString(line + "\n"); err != nil {
		panic(err)
	}
}
