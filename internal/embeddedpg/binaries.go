package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The oldest Postgres that will do, and the oldest that is chosen gladly: 15
// copies a template database faster.
const (
	oldestMajor    = 14
	preferredMajor = 15
)

// askTimeout bounds a question to a binary, such as its version.
const askTimeout = 10 * time.Second

// binaries is a folder with postgres and initdb.
type binaries struct {
	dir     string
	version string // as postgres --version prints it
	major   int
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// findBinaries gives BinDir, else the best installed folder, else what can be
// downloaded.
func (o Options) findBinaries(ctx context.Context, run account) (binaries, error) {
	if o.BinDir != "" {
		b, err := askVersion(ctx, o.BinDir)
		if err != nil {
			return b, fmt.Errorf("%w in %s: %w", ErrNoBinaries, o.BinDir, err)
		}
		if b.major < oldestMajor {
			return b, fmt.Errorf("%w in %s: it is Postgres %d, and %d or newer is needed", ErrNoBinaries, o.BinDir, b.major, oldestMajor)
		}
		return b, run.canEnter(o.BinDir)
	}
	b, unfit := chooseInstalled(ctx, o.system.installed(ctx), run)
	if b.dir != "" {
		o.Log.Info("using the installed Postgres", "folder", b.dir, "version", b.version)
		return b, nil
	}
	b, err := o.download(ctx, run)
	if err != nil {
		return b, fmt.Errorf("%w: %s, and none could be downloaded; install Debian's package postgresql (or your system's), or set DATABASE_URL to a server that runs already: %w",
			ErrNoBinaries, notInstalled(unfit), err)
	}
	return b, nil
}

func notInstalled(unfit []string) string {
	if len(unfit) == 0 {
		return "none is installed"
	}
	return "those installed will not do (" + strings.Join(unfit, "; ") + ")"
}

// chooseInstalled takes the first folder with a preferred version, else the
// first that will do at all. unfit says why the others were passed over.
func chooseInstalled(ctx context.Context, folders []string, run account) (best binaries, unfit []string) {
	for _, dir := range folders {
		b, err := askVersion(ctx, dir)
		switch {
		case errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound):
			continue // a folder with client programs only
		case err != nil:
			unfit = append(unfit, err.Error())
			continue
		case b.major < oldestMajor:
			unfit = append(unfit, fmt.Sprintf("%s holds Postgres %d, and %d or newer is needed", dir, b.major, oldestMajor))
			continue
		}
		if err := run.canEnter(dir); err != nil {
			unfit = append(unfit, err.Error())
			continue
		}
		if b.major >= preferredMajor {
			return b, unfit
		}
		if best.dir == "" {
			best = b
		}
	}
	return best, unfit
}

// askVersion checks that dir holds both programs and asks postgres what it is.
func askVersion(ctx context.Context, dir string) (binaries, error) {
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return binaries{}, fmt.Errorf("looking for %s in %s: %w", name, dir, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version") //nolint:gosec // the folder is the machine's or the caller's
	cmd.Env = environment()
	out, err := cmd.Output()
	if err != nil {
		return binaries{}, fmt.Errorf("asking %s for its version: %w", filepath.Join(dir, "postgres"), err)
	}
	version := strings.TrimSpace(string(out))
	match := versionPattern.FindStringSubmatch(version)
	if match == nil {
		return binaries{}, fmt.Errorf("%s says %.80q, which is no version of Postgres", filepath.Join(dir, "postgres"), version)
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return binaries{}, fmt.Errorf("reading the version %.80q: %w", version, err)
	}
	return binaries{dir: dir, version: version, major: major}, nil
}

// installedFolders lists where this machine may have binaries, best first.
func installedFolders(ctx context.Context) []string {
	var folders []string
	add := func(dir string) {
		if dir != "" && !slices.Contains(folders, dir) {
			folders = append(folders, dir)
		}
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			add(filepath.Dir(real))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		add(strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",          // Debian
		"/usr/pgsql-*/bin",                   // Fedora and Red Hat
		"/opt/homebrew/opt/postgresql@*/bin", // Homebrew on Apple's processors
		"/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel's
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/usr/libexec/postgresql*", // Alpine
	} {
		for _, dir := range newestFirst(pattern) {
			add(dir)
		}
	}
	return folders
}

var numberPattern = regexp.MustCompile(`(\d+)(\.\d+)*`)

// newestFirst lists the folders that match, the highest version first; sorted
// as text, 9 would come before 15. The version is a path's last number.
func newestFirst(pattern string) []string {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return nil // only for a malformed pattern, and ours are fixed
	}
	number := func(dir string) int {
		numbers := numberPattern.FindAllStringSubmatch(dir, -1)
		if len(numbers) == 0 {
			return 0
		}
		n, err := strconv.Atoi(numbers[len(numbers)-1][1])
		if err != nil {
			return 0
		}
		return n
	}
	slices.SortStableFunc(found, func(a, b string) int { return number(b) - number(a) })
	return found
}

// environment is what Postgres is started with. Nothing named PG… is passed
// on: such a variable of the caller's could move its port or its data.
func environment() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
