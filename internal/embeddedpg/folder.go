package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The names in a folder. The lock file also marks the folder as ours: a folder
// with other things in it is never given to another user.
const (
	lockName   = "breakglass-postgres.lock"
	dataName   = "data"
	logName    = "postgres.log"
	socketName = ".s.PGSQL.5432"

	throwAwayPrefix = "breakglass-pg-"
)

// maxSocketPath is in bytes. Linux takes 107 and macOS 103.
const maxSocketPath = 100

// abandonedAfter is the age at which a folder without a lock file is no longer
// taken for one that is just being made.
const abandonedAfter = time.Hour

// folder is a locked folder of one server.
type folder struct {
	path      string
	throwAway bool
	lock      *os.File // the lock is held while it is open
}

func (f folder) data() string { return filepath.Join(f.path, dataName) }

func (f folder) close() error {
	if err := f.lock.Close(); err != nil {
		return fmt.Errorf("unlocking %s: %w", f.path, err)
	}
	return nil
}

// remove deletes a throw-away folder and leaves any other.
func (f folder) remove() error {
	if !f.throwAway {
		return nil
	}
	if err := os.RemoveAll(f.path); err != nil {
		return fmt.Errorf("removing %s: %w", f.path, err)
	}
	return nil
}

// openFolder makes or takes over the folder and locks it.
func (o Options) openFolder(ctx context.Context, run account) (folder, error) {
	if o.Dir == "" {
		return o.makeThrowAway(ctx, run)
	}
	return o.openKept(ctx, run)
}

func (o Options) openKept(ctx context.Context, run account) (folder, error) {
	if err := socketFits(o.Dir); err != nil {
		return folder{}, err
	}
	if err := os.MkdirAll(filepath.Dir(o.Dir), 0o755); err != nil { //nolint:gosec // the parents are no secret; the folder itself is
		return folder{}, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	if err := os.Mkdir(o.Dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return folder{}, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	dir, err := filepath.EvalSymlinks(o.Dir)
	if err != nil {
		return folder{}, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	err = errors.Join(socketFits(dir), isOurs(dir), run.canEnter(filepath.Dir(dir)), o.system.enough(dir, spaceForCluster))
	if err != nil {
		return folder{}, err
	}
	// A program that was just killed leaves a server that needs a moment.
	ctx, cancel := context.WithTimeout(ctx, o.system.patience)
	defer cancel()
	lock, err := awaitLock(ctx, filepath.Join(dir, lockName))
	if err != nil {
		return folder{}, err
	}
	f := folder{path: dir, lock: lock}
	if err := errors.Join(giveFolder(f.path, run), removeUnfinished(f.path)); err != nil {
		return folder{}, errors.Join(err, f.close())
	}
	return f, nil
}

func giveFolder(dir string, run account) error {
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a folder needs its x
		return fmt.Errorf("closing %s to others: %w", dir, err)
	}
	if !run.drop {
		return nil
	}
	if err := os.Lchown(dir, int(run.uid), int(run.gid)); err != nil {
		return fmt.Errorf("giving %s to the user %s: %w", dir, run.name, err)
	}
	return nil
}

// isOurs accepts an empty folder and one that has our lock file.
func isOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	for _, e := range entries {
		if e.Name() == lockName {
			return nil
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: %s holds other things; choose an empty one, or one that does not exist yet", ErrFolder, dir)
	}
	return nil
}

// socketFits refuses paths that the kernel cannot hold in a socket's address.
func socketFits(dir string) error {
	if n := len(filepath.Join(dir, socketName)); n > maxSocketPath {
		return fmt.Errorf("%w: %s is %d bytes long, and %d is the most; choose a folder nearer the root", ErrPathTooLong, dir, len(dir), maxSocketPath-len(socketName)-1)
	}
	if strings.ContainsAny(dir, "\"\n") {
		return fmt.Errorf("%w: its path %q has a character that Postgres cannot take", ErrFolder, dir)
	}
	return nil
}

// takeLock opens and locks a file for as long as it stays open, here or in a
// guard. The kernel lets go of it when they are gone.
func takeLock(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|flags, 0o600) //nolint:gosec // the path is made of a folder of ours
	if err != nil {
		return nil, fmt.Errorf("opening the lock file: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w %s; stop it, or choose another folder", ErrInUse, filepath.Dir(path))
	} else {
		err = fmt.Errorf("locking %s: %w", path, err)
	}
	return nil, errors.Join(err, f.Close())
}

// awaitLock waits for a lock that another program holds until the context ends.
func awaitLock(ctx context.Context, path string) (*os.File, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		lock, err := takeLock(path, os.O_CREATE)
		if !errors.Is(err, ErrInUse) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}
