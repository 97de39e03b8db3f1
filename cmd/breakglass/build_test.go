package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// builds are the programs that the tests have built, as anybody would build
// them: by the go command, from this source.
var builds struct {
	mu     sync.Mutex
	folder string
	done   map[string]string
}

// build is one way to build the program.
type build struct {
	name    string
	tags    string
	folder  string            // the module; empty: this one
	overlay map[string]string // files of the module that others stand in for; to "": left out
}

// armed is the program with its points at which it may be killed.
var armed = build{name: "armed", tags: "crashpoints"}

// binary builds the program, once, and answers where it is.
func binary(t testing.TB, b build) string {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if at := builds.done[b.name]; at != "" {
		return at
	}
	if builds.folder == "" {
		folder, err := os.MkdirTemp("", "breakglass-built-")
		if err != nil {
			t.Fatal(err)
		}
		builds.folder, builds.done = folder, map[string]string{}
	}
	at := filepath.Join(builds.folder, b.name)
	if err := b.run(t.Context(), at); err != nil {
		t.Fatalf("build the program %s: %v", b.name, err)
	}
	builds.done[b.name] = at
	return at
}

func (b build) run(ctx context.Context, to string) error {
	module, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	if b.folder != "" {
		module = b.folder
	}
	args := []string{"build", "-buildvcs=false", "-trimpath", "-tags", b.tags, "-o", to}
	if len(b.overlay) > 0 {
		replace := map[string]string{}
		for name, other := range b.overlay {
			replace[filepath.Join(module, filepath.FromSlash(name))] = other
		}
		raw, err := json.Marshal(map[string]any{"Replace": replace})
		if err != nil {
			return err
		}
		if err := os.WriteFile(to+".overlay.json", raw, 0o600); err != nil {
			return err
		}
		args = append(args, "-overlay", to+".overlay.json")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/breakglass")...)
	cmd.Dir = module
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0") // as `make build` does, whose packages it finds in the cache
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// removeBuilds takes away what was built.
func removeBuilds() error {
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if builds.folder == "" {
		return nil
	}
	return os.RemoveAll(builds.folder)
}

func TestAnOrdinaryBuildHoldsNoPoints(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		build
		want bool
	}{
		"ordinary": {build{name: "ordinary"}, false},
		"armed":    {armed, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), "go", "tool", "nm", binary(t, c.build)).Output()
			if exit, failed := errors.AsType[*exec.ExitError](err); failed {
				t.Fatalf("%v: %s", err, exit.Stderr)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(out), "/internal/workflow.") {
				t.Fatal("the program has no symbols to look at")
			}
			if got := strings.Contains(string(out), "/internal/crashpoint."); got != c.want {
				t.Errorf("the program holds something of crashpoint: %t", got)
			}
		})
	}
}

// TestTheImageSaysTheVersionThatItWasBuiltWith links the program as the
// Dockerfile does.
func TestTheImageSaysTheVersionThatItWasBuiltWith(t *testing.T) {
	t.Parallel()
	dockerfile, err := os.ReadFile(filepath.Join("..", "..", "deploy", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`-ldflags="([^"]+)"`).FindSubmatch(dockerfile)
	if flags == nil || !regexp.MustCompile(`(?m)^ARG VERSION=$`).Match(dockerfile) {
		t.Fatal("the Dockerfile takes no version, or hands it to no linker")
	}
	const version = "v1.2.3-4-g5678abc"
	program := filepath.Join(t.TempDir(), "breakglass")
	linked := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "-ldflags", strings.ReplaceAll(string(flags[1]), "${VERSION}", version), ".")
	if out, err := linked.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program, "version").Output()
	if want := "breakglass " + version + "\n"; err != nil || string(out) != want {
		t.Errorf("it says %q, want %q (%v)", out, want, err)
	}
}
