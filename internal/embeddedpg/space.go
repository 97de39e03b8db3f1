package embeddedpg

import (
	"fmt"
	"syscall"
)

// What must be free, in bytes: a fresh cluster takes 40 MB, and 16 MB for each
// piece of its log; an archive takes 15 MB and 60 MB unpacked.
const (
	spaceForCluster  = 300 << 20
	spaceInMemory    = 2 << 30
	spaceForDownload = 300 << 20
)

// freeBytes is what an ordinary user may still write in dir's file system.
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("asking how much is free in %s: %w", dir, err)
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:gosec,unconvert // never negative; the types differ between systems
}

// enough is an ErrNoSpace when dir has less than need bytes free.
func (s system) enough(dir string, need uint64) error {
	free, err := s.free(dir)
	if err != nil {
		return err
	}
	if free < need {
		return fmt.Errorf("%w: %s has %d MB free, and %d MB are needed; free some, or choose another folder", ErrNoSpace, dir, free>>20, need>>20)
	}
	return nil
}
