package embeddedpg

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ulikunitz/xz"
)

// mavenCentral is where the archives are published.
const mavenCentral = "https://repo1.maven.org/maven2"

// downloadedVersion is the version of the archives that is asked for.
const downloadedVersion = "17.6.0"

// artifact is the archive's name for a system, empty where none is published.
// Alpine's C library is another one than that of all other systems.
func artifact(goos, goarch string, alpine bool) string {
	arch := map[string]string{"amd64": "amd64", "arm64": "arm64v8"}[goarch]
	if arch == "" || (goos != "linux" && goos != "darwin") {
		return ""
	}
	name := "embedded-postgres-binaries-" + goos + "-" + arch
	if goos == "linux" && alpine {
		name += "-alpine"
	}
	return name
}

func onAlpine() bool {
	found, err := filepath.Glob("/lib/ld-musl-*")
	return err == nil && len(found) > 0
}

// download gives the binaries in the cache, putting them there first if they
// are not. Parallel programs download once.
func (o Options) download(ctx context.Context, run account) (b binaries, err error) {
	name := artifact(runtime.GOOS, runtime.GOARCH, onAlpine())
	if name == "" {
		return b, fmt.Errorf("%w: none is published for %s on %s", ErrNoDownload, runtime.GOOS, runtime.GOARCH)
	}
	if o.CacheDir == "" {
		return b, fmt.Errorf("%w: the user has no cache folder to keep it in; set HOME", ErrNoDownload)
	}
	if err := os.MkdirAll(o.CacheDir, 0o755); err != nil { //nolint:gosec // the user that Postgres runs as reads it
		return b, fmt.Errorf("%w: %w", ErrNoDownload, err)
	}
	if err := run.canEnter(o.CacheDir); err != nil {
		return b, err
	}
	lock, err := awaitLock(ctx, filepath.Join(o.CacheDir, "download.lock"))
	if err != nil {
		return b, fmt.Errorf("waiting for another program that downloads Postgres: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()

	target := filepath.Join(o.CacheDir, name+"-"+downloadedVersion)
	if b, err := askVersion(ctx, filepath.Join(target, "bin")); err == nil {
		return b, nil
	}
	if err := o.system.enough(o.CacheDir, spaceForDownload); err != nil {
		return b, err
	}
	if err := o.fill(ctx, target, name); err != nil {
		return b, err
	}
	b, err = askVersion(ctx, filepath.Join(target, "bin"))
	if err != nil {
		return b, fmt.Errorf("%w: the archive %s does not work on this machine: %w", ErrNoDownload, name, err)
	}
	return b, nil
}

// fill makes the target folder from the archive. The caller holds the lock, so
// what an earlier try left behind can go.
func (o Options) fill(ctx context.Context, target, name string) error {
	unfinished := target + ".new"
	if err := errors.Join(os.RemoveAll(unfinished), os.RemoveAll(target), os.Mkdir(unfinished, 0o755)); err != nil { //nolint:gosec // the user that Postgres runs as reads it
		return fmt.Errorf("%w: %w", ErrNoDownload, err)
	}
	err := o.fetchAndUnpack(ctx, unfinished, name)
	if err == nil {
		err = os.Chmod(unfinished, 0o755) //nolint:gosec // as above; the umask may have closed it
	}
	if err == nil {
		err = os.Rename(unfinished, target)
	}
	if err != nil {
		// A disk that filled up meanwhile explains every other error.
		return errors.Join(err, o.system.enough(o.CacheDir, 16<<20), os.RemoveAll(unfinished))
	}
	return nil
}

func (o Options) fetchAndUnpack(ctx context.Context, dir, name string) error {
	jar := filepath.Join(dir, "archive.jar")
	source := fmt.Sprintf("%s/io/zonky/test/postgres/%s/%s/%s-%s.jar", strings.TrimRight(o.Mirror, "/"), name, downloadedVersion, name, downloadedVersion)
	if err := o.fetchVerified(ctx, source, jar); err != nil {
		return err
	}
	if err := unpackJar(jar, dir); err != nil {
		return fmt.Errorf("%w: %w", ErrNoDownload, err)
	}
	if err := os.Remove(jar); err != nil {
		return fmt.Errorf("removing the unpacked archive: %w", err)
	}
	return nil
}

// unpackJar unpacks the compressed tar archive that the jar, a zip archive,
// holds beside its manifest.
func unpackJar(jar, dir string) (err error) {
	z, err := zip.OpenReader(jar)
	if err != nil {
		return fmt.Errorf("opening the archive: %w", err)
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	for _, entry := range z.File {
		if !strings.HasSuffix(entry.Name, ".txz") {
			continue
		}
		f, err := entry.Open()
		if err != nil {
			return fmt.Errorf("opening %.80q in the archive: %w", entry.Name, err)
		}
		return errors.Join(unpackTxz(f, dir), f.Close())
	}
	return errors.New("the archive has no .txz file in it")
}

func unpackTxz(compressed io.Reader, dir string) error {
	r, err := xz.NewReader(compressed)
	if err != nil {
		return fmt.Errorf("reading the compressed archive: %w", err)
	}
	return unpack(r, dir, forEveryone)
}
