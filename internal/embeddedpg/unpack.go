package embeddedpg

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// What an archive may hold at most. Postgres takes about 60 MB and 2,000 files.
const (
	maxUnpacked = 1 << 30
	maxEntries  = 50_000
)

// mode decides a file's permissions from those in the archive.
type mode func(fs.FileMode) fs.FileMode

// asPacked keeps the archive's permissions.
func asPacked(m fs.FileMode) fs.FileMode { return m.Perm() }

// forEveryone lets another user read, and run what can be run.
func forEveryone(m fs.FileMode) fs.FileMode {
	if m.IsDir() || m&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// unpack writes a tar archive into an existing folder. Nothing is written
// outside of it, and no link in it leads outside.
func unpack(archive io.Reader, dir string, permissions mode) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	defer root.Close() //nolint:errcheck // nothing is written through it any more
	left := int64(maxUnpacked)
	reader := tar.NewReader(archive)
	for range maxEntries {
		h, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the archive: %w", err)
		}
		if left -= h.Size; h.Size < 0 || left < 0 {
			return fmt.Errorf("the archive holds more than %d MB", maxUnpacked>>20)
		}
		if err := unpackEntry(root, reader, h, permissions); err != nil {
			return fmt.Errorf("unpacking %.100q: %w", h.Name, err)
		}
	}
	return fmt.Errorf("the archive holds more than %d files", maxEntries)
}

var errEscapes = errors.New("it leads out of the archive's folder")

func unpackEntry(root *os.Root, content io.Reader, h *tar.Header, permissions mode) error {
	name := path.Clean(h.Name)
	if name == "." {
		return nil
	}
	if !filepath.IsLocal(name) {
		return errEscapes
	}
	perm := permissions(h.FileInfo().Mode())
	if h.Typeflag == tar.TypeDir {
		if err := root.MkdirAll(name, perm); err != nil {
			return err
		}
		return root.Chmod(name, perm)
	}
	if err := root.MkdirAll(path.Dir(name), permissions(fs.ModeDir|0o700)); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg:
		return writeFile(root, name, content, perm)
	case tar.TypeSymlink:
		if path.IsAbs(h.Linkname) || !filepath.IsLocal(path.Join(path.Dir(name), h.Linkname)) { //nolint:gosec // the path is only looked at; root writes
			return errEscapes
		}
		return root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		if !filepath.IsLocal(h.Linkname) {
			return errEscapes
		}
		return root.Link(path.Clean(h.Linkname), name)
	default:
		return fmt.Errorf("an entry of the kind %q is not expected", h.Typeflag)
	}
}

func writeFile(root *os.Root, name string, content io.Reader, perm fs.FileMode) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content) // the tar reader ends at the size that was counted
	// Again, for OpenFile's permissions are less what the umask takes away.
	return errors.Join(err, f.Chmod(perm), f.Close())
}
