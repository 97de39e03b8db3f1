package audit

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// ErrOccupied says that an export would go where something is already.
var ErrOccupied = errors.New("there is something already")

// folder is a folder that appears whole or not at all. Only its owner may read
// it: it names people.
type folder struct {
	target, work string
	open         []*sheet
	sums         map[string]string
}

// sheet is a file of the folder that is being written.
type sheet struct {
	*bufio.Writer
	name string
	file *os.File
	sum  hash.Hash
}

// newFolder begins a folder. It answers ErrOccupied where the target is a file,
// or a folder that holds anything.
func newFolder(target string) (*folder, error) {
	target = filepath.Clean(target)
	entries, err := os.ReadDir(target)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil || len(entries) > 0:
		return nil, fmt.Errorf("%s: %w; name a folder that is empty, or that does not exist yet", target, ErrOccupied)
	}
	work, err := os.MkdirTemp(filepath.Dir(target), "."+filepath.Base(target)+".*") // 0700
	if err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	return &folder{target: target, work: work, sums: map[string]string{}}, nil
}

// create begins a file, which end closes.
func (f *folder) create(name string) (*sheet, error) {
	file, err := os.OpenFile(filepath.Join(f.work, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // into a folder that was just made
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	s := &sheet{name: name, file: file, sum: sha256.New()}
	s.Writer = bufio.NewWriterSize(io.MultiWriter(file, s.sum), 1<<16)
	f.open = append(f.open, s)
	return s, nil
}

// close ends every open file, and keeps its sum.
func (f *folder) close() error {
	var failures []error
	for _, s := range f.open {
		failures = append(failures, s.Flush(), s.file.Close())
		f.sums[s.name] = hex.EncodeToString(s.sum.Sum(nil))
	}
	f.open = nil
	return errors.Join(failures...)
}

// appear puts the folder where it belongs.
func (f *folder) appear() error {
	if err := f.close(); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	if err := os.Remove(f.target); err != nil && !errors.Is(err, os.ErrNotExist) { // an empty folder
		return fmt.Errorf("%s: %w", f.target, ErrOccupied)
	}
	if err := os.Rename(f.work, f.target); err != nil {
		return fmt.Errorf("put the export in its place: %w", err)
	}
	return nil
}

// discard takes away what was begun.
func (f *folder) discard() error {
	return errors.Join(f.close(), os.RemoveAll(f.work))
}
