package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// throwAwayRoot is a place for throw-away folders, and what must be free there.
type throwAwayRoot struct {
	path string
	need uint64 // bytes
}

// throwAwayRoots prefers memory, unless the data are to be on a disk.
func throwAwayRoots(durable bool) []throwAwayRoot {
	disks := []throwAwayRoot{{"/var/tmp", spaceForCluster}, {"/tmp", spaceForCluster}}
	if durable {
		return disks
	}
	return append([]throwAwayRoot{{"/dev/shm", spaceInMemory}}, disks...)
}

// makeThrowAway makes a folder in the first place that has room, after freeing
// what dead programs have left there.
func (o Options) makeThrowAway(ctx context.Context, run account) (folder, error) {
	var problems []error
	for _, root := range o.system.roots {
		if _, err := os.Stat(root.path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := o.reclaim(ctx, root.path, run); err != nil {
			// Somebody's left-over must not stop us; it is told and left.
			o.Log.Warn("a left-over Postgres folder could not be removed", "error", err)
		}
		f, err := o.makeIn(root, run)
		if err == nil {
			return f, nil
		}
		problems = append(problems, err)
	}
	if len(problems) == 0 {
		return folder{}, fmt.Errorf("%w: this machine has no folder for temporary files; name one for Postgres", ErrFolder)
	}
	return folder{}, fmt.Errorf("finding a place for a temporary Postgres: %w", errors.Join(problems...))
}

func (o Options) makeIn(root throwAwayRoot, run account) (folder, error) {
	if err := o.system.enough(root.path, root.need); err != nil {
		return folder{}, err
	}
	if err := run.canEnter(root.path); err != nil {
		return folder{}, err
	}
	dir, err := os.MkdirTemp(root.path, throwAwayPrefix+"*")
	if err != nil {
		return folder{}, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	f, err := lockNew(dir)
	if err == nil {
		err = errors.Join(socketFits(dir), giveFolder(dir, run))
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}
	if err != nil {
		return folder{}, errors.Join(err, os.RemoveAll(dir))
	}
	return f, nil
}

// lockNew locks the file before it gets its name, so that a reclaiming program
// never finds the lock of a living one free.
func lockNew(dir string) (folder, error) {
	unnamed := filepath.Join(dir, lockName+".new")
	lock, err := takeLock(unnamed, os.O_CREATE|os.O_EXCL)
	if err != nil {
		return folder{}, err
	}
	if err := os.Rename(unnamed, filepath.Join(dir, lockName)); err != nil {
		return folder{}, errors.Join(fmt.Errorf("naming the lock file: %w", err), lock.Close())
	}
	return folder{path: dir, throwAway: true, lock: lock}, nil
}

// reclaim stops the servers and removes the throw-away folders of programs
// that are gone.
func (o Options) reclaim(ctx context.Context, root string, run account) error {
	dirs, err := filepath.Glob(filepath.Join(root, throwAwayPrefix+"*"))
	if err != nil {
		return fmt.Errorf("listing left-over folders: %w", err)
	}
	var problems []error
	for _, dir := range dirs {
		problems = append(problems, o.reclaimOne(ctx, dir, run))
	}
	return errors.Join(problems...)
}

func (o Options) reclaimOne(ctx context.Context, dir string, run account) error {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || !o.mayRemove(info, run) {
		return nil // gone meanwhile, or not of our making
	}
	lock, err := takeLock(filepath.Join(dir, lockName), 0)
	switch {
	case errors.Is(err, ErrInUse):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		if !olderThanNow(dir, info) {
			return nil
		}
	case err != nil:
		return err
	default:
		defer lock.Close() //nolint:errcheck // the file is being deleted
	}
	if err := stopLeftover(ctx, filepath.Join(dir, dataName)); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing the left-over folder %s: %w", dir, err)
	}
	o.Log.Info("removed the Postgres folder of a program that is gone", "folder", dir)
	return nil
}

// mayRemove accepts folders of the account and of the program's own user: in a
// folder that all can write to, others can make folders with our prefix.
func (o Options) mayRemove(info fs.FileInfo, run account) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && (owner.Uid == run.uid || int(owner.Uid) == o.system.euid())
}

// olderThanNow says whether a folder without a lock file is abandoned. The time
// now is that of a file made now, on the same file system.
func olderThanNow(dir string, info fs.FileInfo) bool {
	probe, err := os.MkdirTemp(filepath.Dir(dir), ".breakglass-age-*")
	if err != nil {
		return false
	}
	defer os.Remove(probe) //nolint:errcheck // an empty folder is all that could stay
	now, err := os.Stat(probe)
	return err == nil && now.ModTime().Sub(info.ModTime()) > abandonedAfter
}
