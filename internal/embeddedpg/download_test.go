package embeddedpg

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/ulikunitz/xz"
)

// mirror serves one archive the way a Maven repository does.
type mirror struct {
	jar       []byte
	sum       string // empty: the right one
	noSum     bool
	truncated bool
	hits      atomic.Int32 // of the archive
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := artifact(runtime.GOOS, runtime.GOARCH, onAlpine())
	path := "/maven/io/zonky/test/postgres/" + name + "/" + downloadedVersion + "/" + name + "-" + downloadedVersion + ".jar"
	switch r.URL.Path {
	case path + ".sha256":
		if m.noSum {
			http.NotFound(w, r)
			return
		}
		sum := m.sum
		if sum == "" {
			hash := sha256.Sum256(m.jar)
			sum = hex.EncodeToString(hash[:])
		}
		io.WriteString(w, sum+"\n") //nolint:errcheck // the client will notice
	case path:
		m.hits.Add(1)
		if m.truncated {
			w.Header().Set("Content-Length", strconv.Itoa(len(m.jar)))
			w.Write(m.jar[:len(m.jar)/2]) //nolint:errcheck // the client will notice
			return
		}
		w.Write(m.jar) //nolint:errcheck // the client will notice
	default:
		http.NotFound(w, r)
	}
}

// without is a machine without Postgres that downloads from the mirror.
func without(t *testing.T, m *mirror) Options {
	t.Helper()
	web := httptest.NewServer(m)
	t.Cleanup(web.Close)
	o := in(enterable(t))
	o.CacheDir = filepath.Join(enterable(t), "cache")
	o.Mirror = web.URL + "/maven/"
	o.system.installed = func(context.Context) []string { return nil }
	return o
}

func TestAMachineWithoutPostgresDownloadsOne(t *testing.T) {
	t.Parallel()
	m := &mirror{jar: jarOfThisMachine(t)}
	o := without(t, m)
	s := start(t, o)
	for _, name := range []string{"BINDIR", "SHAREDIR", "PKGLIBDIR"} {
		got := ask[string](t, s.URL("postgres"), "SELECT setting FROM pg_config WHERE name = $1", name)
		if !strings.HasPrefix(got, o.CacheDir) {
			t.Errorf("%s is %s, not what was downloaded", name, got)
		}
	}
	run(t, s.URL("postgres"), "DO $$ BEGIN PERFORM 1; END $$") // loads plpgsql
	start(t, o)
	if n := m.hits.Load(); n != 1 {
		t.Errorf("it was downloaded %d times", n)
	}
	left, err := filepath.Glob(filepath.Join(o.CacheDir, "*", "*.jar"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestASpoiltDownloadIsRefused(t *testing.T) {
	t.Parallel()
	small := jar(t, map[string]string{"bin/postgres": "no program", "bin/initdb": "no program"})
	for _, test := range []struct {
		name  string
		m     *mirror
		want  error
		words []string
	}{
		{"another archive", &mirror{jar: small, sum: strings.Repeat("ab", 32)}, ErrChecksum, []string{"is published", "another mirror"}},
		{"no checksum in the file", &mirror{jar: small, sum: "<html>"}, ErrNoDownload, []string{"holds no checksum"}},
		{"no checksum file", &mirror{jar: small, noSum: true}, ErrNoDownload, []string{"404", ".sha256"}},
		{"cut short", &mirror{jar: small, truncated: true}, ErrNoDownload, []string{"broke off after"}},
		{"no zip", &mirror{jar: []byte("hello")}, ErrNoDownload, []string{"opening the archive"}},
		{"no binaries for this machine", &mirror{jar: small}, ErrNoDownload, []string{"does not work on this machine"}},
		{"an escaping archive", &mirror{jar: jar(t, map[string]string{"../../evil": "x"})}, ErrNoDownload, []string{"leads out of"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := without(t, test.m)
			refused(t, o, test.want, test.words...)
			// Nothing half done stays to be trusted later.
			if left, err := filepath.Glob(filepath.Join(o.CacheDir, "*.new")); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
			if exists(filepath.Join(filepath.Dir(o.CacheDir), "evil")) {
				t.Error("the archive wrote outside of its folder")
			}
		})
	}
}

func TestAMirrorWithoutTheArchiveIsTold(t *testing.T) {
	t.Parallel()
	o := without(t, &mirror{})
	o.Mirror = strings.TrimSuffix(o.Mirror, "maven/") + "elsewhere"
	refused(t, o, ErrNoDownload, "404", "elsewhere")
}

func TestADownloadNeedsSpaceAndAFolder(t *testing.T) {
	t.Parallel()
	m := &mirror{jar: []byte("x")}
	o := without(t, m)
	o.system.free = func(string) (uint64, error) { return 1 << 20, nil }
	refused(t, o, ErrNoSpace, "1 MB free", o.CacheDir)
	if m.hits.Load() > 0 {
		t.Error("it was downloaded all the same")
	}
	o.CacheDir = ""
	defaults, err := o.withDefaults()
	must(t, err)
	defaults.CacheDir = "" // as for a user without a home
	if _, err := defaults.download(t.Context(), account{}); !errors.Is(err, ErrNoDownload) || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("got %v", err)
	}
}

// jar packs files as the published archives do: a zip with a .txz in it.
func jar(t *testing.T, files map[string]string) []byte {
	t.Helper()
	return zipped(t, compressed, func(w *tar.Writer) {
		for name, content := range files {
			must(t, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))}))
			_, err := w.Write([]byte(content))
			must(t, err)
		}
	})
}

func compressed(content []byte) []byte {
	var out bytes.Buffer
	w, err := xz.NewWriter(&out)
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // in memory
	}
	return out.Bytes()
}

func zipped(t *testing.T, compress func([]byte) []byte, fill func(*tar.Writer)) []byte {
	t.Helper()
	var packed, out bytes.Buffer
	w := tar.NewWriter(&packed)
	fill(w)
	must(t, w.Close())
	z := zip.NewWriter(&out)
	_, err := z.Create("META-INF/MANIFEST.MF")
	must(t, err)
	entry, err := z.CreateHeader(&zip.FileHeader{Name: "postgres-linux-x86_64.txz", Method: zip.Store})
	must(t, err)
	_, err = entry.Write(compress(packed.Bytes()))
	must(t, errors.Join(err, z.Close()))
	return out.Bytes()
}

// jarOfThisMachine packs the installed Postgres. Its parts keep their places to
// each other, since Postgres finds its files from where its program is; bin is
// a link where the system has it elsewhere.
func jarOfThisMachine(t *testing.T) []byte {
	t.Helper()
	s := start(t, in(enterable(t)))
	conn, err := pgx.Connect(t.Context(), s.URL("postgres"))
	must(t, err)
	var bin, lib, share string
	must(t, conn.QueryRow(t.Context(), `SELECT max(setting) FILTER (WHERE name = 'BINDIR'), max(setting) FILTER (WHERE name = 'PKGLIBDIR'),
		max(setting) FILTER (WHERE name = 'SHAREDIR') FROM pg_config`).Scan(&bin, &lib, &share))
	must(t, conn.Close(t.Context()))
	prefix := bin
	for !strings.HasPrefix(lib, prefix+"/") || !strings.HasPrefix(share, prefix+"/") {
		prefix = filepath.Dir(prefix)
	}
	within := func(path string) string {
		rel, err := filepath.Rel(prefix, path)
		must(t, err)
		return rel
	}
	return zipped(t, storedXZ, func(w *tar.Writer) {
		pack := func(path string) { packFile(t, w, path, within(path)) }
		pack(filepath.Join(bin, "postgres"))
		pack(filepath.Join(bin, "initdb"))
		for _, name := range []string{"plpgsql.so", "plpgsql.dylib", "dict_snowball.so", "dict_snowball.dylib"} {
			if exists(filepath.Join(lib, name)) {
				pack(filepath.Join(lib, name))
			}
		}
		must(t, filepath.WalkDir(share, func(path string, d fs.DirEntry, err error) error {
			if d.IsDir() && (d.Name() == "man" || d.Name() == "contrib") {
				return fs.SkipDir
			}
			inExtension := filepath.Base(filepath.Dir(path)) == "extension"
			if err == nil && !d.IsDir() && (!inExtension || strings.HasPrefix(d.Name(), "plpgsql")) {
				pack(path)
			}
			return err
		}))
		if target := within(bin); target != "bin" {
			must(t, w.WriteHeader(&tar.Header{Name: "./bin", Typeflag: tar.TypeSymlink, Linkname: target}))
		}
	})
}

func packFile(t *testing.T, w *tar.Writer, path, name string) {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	info, err := os.Stat(path)
	must(t, err)
	must(t, w.WriteHeader(&tar.Header{Name: "./" + name, Typeflag: tar.TypeReg, Mode: int64(info.Mode().Perm()), Size: int64(len(content))}))
	_, err = w.Write(content)
	must(t, err)
}
