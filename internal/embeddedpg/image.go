package embeddedpg

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An image is freshly initialised data in one file. Each test binary starts a
// server of its own, and unpacking is many times faster than initdb. It is only
// ever a shortcut: whatever goes wrong with it, initdb does the work.

// imageFor is the image's path for these binaries, empty where none is used:
// data that stay are made by initdb itself.
func (o Options) imageFor(f folder, bin binaries) string {
	if !f.throwAway || o.CacheDir == "" {
		return ""
	}
	key := sha256.Sum256([]byte(strings.Join(append([]string{bin.version, bin.dir}, initdbArgs...), "\n")))
	return filepath.Join(o.CacheDir, "initdb-"+hex.EncodeToString(key[:8])+".tar")
}

// unpackImage says whether data now holds the whole image.
func (o Options) unpackImage(image, data string, run account) bool {
	f, err := os.Open(image) //nolint:gosec // a file of our cache
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		err = errors.Join(unpack(f, data, asPacked), f.Close())
	}
	if err == nil {
		err = run.own(data)
	}
	if err == nil {
		return true
	}
	o.Log.Warn("the cached Postgres data cannot be used", "file", image, "error", err)
	if err := errors.Join(os.Remove(image), emptyFolder(data)); err != nil {
		o.Log.Warn("the cached Postgres data cannot be removed", "file", image, "error", err)
	}
	return false
}

// packImage keeps data for next time. The file gets its name when it is whole
// and on the disk, so parallel programs and power cuts do no harm.
func (o Options) packImage(image, data string) {
	err := os.MkdirAll(o.CacheDir, 0o755) //nolint:gosec // holds programs that another user runs
	if err == nil {
		err = writeImage(image, data)
	}
	if err != nil {
		o.Log.Warn("the new Postgres data cannot be cached", "file", image, "error", err)
	}
}

func writeImage(image, data string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(image), "new-*.tar")
	if err != nil {
		return fmt.Errorf("creating the image: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := tar.NewWriter(f)
	if err := errors.Join(w.AddFS(os.DirFS(data)), w.Close(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the image: %w", err)
	}
	if err := os.Rename(f.Name(), image); err != nil {
		return fmt.Errorf("naming the image: %w", err)
	}
	return nil
}

func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("emptying %s: %w", dir, err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("emptying %s: %w", dir, err)
		}
	}
	return nil
}
