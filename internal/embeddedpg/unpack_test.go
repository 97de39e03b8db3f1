package embeddedpg

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func archive(t *testing.T, entries ...tar.Header) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range entries {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content = "content"
		}
		h.Size = int64(len(content))
		must(t, w.WriteHeader(&h))
		_, err := w.Write([]byte(content))
		must(t, err)
	}
	must(t, w.Close())
	return &out
}

func TestAnArchiveCannotLeadOutOfItsFolder(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string][]tar.Header{
		"a file above":            {{Name: "../evil", Typeflag: tar.TypeReg}},
		"a file above, hidden":    {{Name: "a/../../evil", Typeflag: tar.TypeReg}},
		"an absolute file":        {{Name: "/tmp/evil", Typeflag: tar.TypeReg}},
		"a link above":            {{Name: "a/link", Typeflag: tar.TypeSymlink, Linkname: "../../evil"}},
		"an absolute link":        {{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc"}},
		"a hard link above":       {{Name: "link", Typeflag: tar.TypeLink, Linkname: "../evil"}},
		"a folder above":          {{Name: "../evil", Typeflag: tar.TypeDir, Mode: 0o700}},
		"a device":                {{Name: "null", Typeflag: tar.TypeChar}},
		"a file twice":            {{Name: "a", Typeflag: tar.TypeReg}, {Name: "a", Typeflag: tar.TypeReg}},
		"a file through its link": {{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b"}, {Name: "a", Typeflag: tar.TypeReg}},
	} {
		root := t.TempDir()
		dir := filepath.Join(root, "x", "y")
		must(t, os.MkdirAll(dir, 0o700))
		if err := unpack(archive(t, entries...), dir, asPacked); err == nil {
			t.Errorf("%s: unpacked", name)
		}
		if exists(filepath.Join(root, "evil")) || exists(filepath.Join(root, "x", "evil")) {
			t.Errorf("%s: written outside", name)
		}
	}
}

func TestUnpackedProgramsCanBeRunByEveryone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, unpack(archive(t,
		tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o700},
		tar.Header{Name: "./bin/", Typeflag: tar.TypeDir, Mode: 0o700},
		tar.Header{Name: "./bin/postgres", Typeflag: tar.TypeReg, Mode: 0o700},
		tar.Header{Name: "./share/file", Typeflag: tar.TypeReg, Mode: 0o600},
		tar.Header{Name: "./lib", Typeflag: tar.TypeSymlink, Linkname: "share"},
		tar.Header{Name: "./hard", Typeflag: tar.TypeLink, Linkname: "./share/file"},
	), dir, forEveryone))
	for name, want := range map[string]os.FileMode{"bin": 0o755, "bin/postgres": 0o755, "share": 0o755, "share/file": 0o644, "lib/file": 0o644, "hard": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s is %s", name, info.Mode())
		}
	}
}

func TestAnArchiveHasABound(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	must(t, w.WriteHeader(&tar.Header{Name: "huge", Typeflag: tar.TypeReg, Size: maxUnpacked + 1}))
	err := unpack(&out, t.TempDir(), asPacked)
	if err == nil || !strings.Contains(err.Error(), "more than 1024 MB") {
		t.Errorf("got %v", err)
	}
}
