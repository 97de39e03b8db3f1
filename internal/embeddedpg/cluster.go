package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// unfinishedPrefix begins the name of data that are still being made.
const unfinishedPrefix = dataName + ".new-"

// initdbArgs make clusters alike on all machines. Who may connect is decided by
// the folder, which only the account and root can enter.
var initdbArgs = []string{"--no-sync", "-A", "trust", "-E", "UTF8", "--no-locale", "-U", superuser}

// prepareData makes the folder's data unless they are there. They get their
// name last, so data that have it are whole.
func (o Options) prepareData(ctx context.Context, f folder, bin binaries, run account, log *os.File) error {
	found, err := os.ReadFile(filepath.Join(f.data(), "PG_VERSION"))
	switch {
	case err == nil:
		if v := strings.TrimSpace(string(found)); v != strconv.Itoa(bin.major) {
			return fmt.Errorf("%w: %s holds data of Postgres %.10s, and %s is Postgres %d; use that version, or remove the folder with its data", ErrVersion, f.path, v, bin.dir, bin.major)
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	unfinished, err := os.MkdirTemp(f.path, unfinishedPrefix+"*")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	if err := giveFolder(unfinished, run); err != nil {
		return err
	}
	image := o.imageFor(f, bin)
	if image == "" || !o.unpackImage(image, unfinished, run) {
		if err := o.initdb(ctx, f, unfinished, bin, run, log); err != nil {
			return err
		}
		if image != "" {
			o.packImage(image, unfinished)
		}
	}
	if err := os.Rename(unfinished, f.data()); err != nil {
		return fmt.Errorf("naming the new data: %w", err)
	}
	return nil
}

func (o Options) initdb(ctx context.Context, f folder, data string, bin binaries, run account, log *os.File) error {
	initdb := filepath.Join(bin.dir, "initdb")
	g, err := startGuarded(run, f, log, letItFinish, initdb, append([]string{"-D", data}, initdbArgs...)...)
	if err == nil {
		err = g.wait(ctx)
	}
	if err != nil {
		// A full disk is the likely reason, and worth a sentence of its own.
		return errors.Join(fmt.Errorf("%w: initdb failed: %w%s", ErrNotStarted, err, tail(log.Name())), o.system.enough(f.path, 16<<20))
	}
	return nil
}

// removeUnfinished deletes what a killed program had begun to make.
func removeUnfinished(dir string) error {
	begun, err := filepath.Glob(filepath.Join(dir, unfinishedPrefix+"*"))
	if err != nil {
		return fmt.Errorf("listing unfinished data: %w", err)
	}
	for _, path := range begun {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("removing unfinished data: %w", err)
		}
	}
	return nil
}
