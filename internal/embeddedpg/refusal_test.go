package embeddedpg

import (
	"context"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// refused checks that Start fails with the error, in a sentence that holds all
// the words.
func refused(t *testing.T, o Options, want error, words ...string) {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err == nil {
		must(t, s.Stop())
		t.Fatal("it started")
	}
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q says nothing of %q", err, word)
		}
	}
}

func nobodyKnown(string) (*user.User, error) { return nil, user.UnknownUserError("x") }

func TestRootWithoutAUserToDropToIsTold(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.system.euid = func() int { return 0 }
	o.system.lookupName = nobodyKnown
	refused(t, o, ErrNoUser, "root", "postgres", "nobody", "create one", "DATABASE_URL")
}

func TestAUserNumberWithoutANameIsTold(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.system.euid = func() int { return 4711 }
	o.system.lookupID = nobodyKnown
	refused(t, o, ErrNoUser, "4711", "/etc/passwd")
}

func TestRootRunsItAsPostgresElseAsNobody(t *testing.T) {
	t.Parallel()
	for _, known := range [][]string{{"postgres", "nobody"}, {"nobody"}} {
		s := system{euid: func() int { return 0 }, lookupName: func(name string) (*user.User, error) {
			for _, k := range known {
				if name == k {
					return &user.User{Username: name, Uid: "70", Gid: "71"}, nil
				}
			}
			return nil, user.UnknownUserError(name)
		}}
		got, err := s.runAs()
		must(t, err)
		if want := (account{name: known[0], uid: 70, gid: 71, drop: true}); got != want {
			t.Errorf("of %v it is %+v", known, got)
		}
	}
}

func TestAFullDiskIsTold(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.system.roots[0].need = 300 << 20
	o.system.free = func(string) (uint64, error) { return 12 << 20, nil }
	refused(t, o, ErrNoSpace, "12 MB free", "300 MB are needed", o.system.roots[0].path)
	o.Dir = filepath.Join(o.system.roots[0].path, "kept")
	refused(t, o, ErrNoSpace, "12 MB free", o.Dir)
}

func TestTheNextPlaceIsTakenWhenMemoryIsShort(t *testing.T) {
	t.Parallel()
	small, large := enterable(t), enterable(t)
	o := in("")
	o.system.roots = []throwAwayRoot{{"/no/such/folder", 0}, {small, spaceInMemory}, {large, spaceForCluster}}
	o.system.free = func(string) (uint64, error) { return 1 << 30, nil }
	if s := start(t, o); filepath.Dir(s.Dir()) != large {
		t.Errorf("it is in %s", s.Dir())
	}
}

func TestAPathTooLongForASocketIsTold(t *testing.T) {
	t.Parallel()
	o := in("")
	o.Dir = filepath.Join(enterable(t), strings.Repeat("x", 90))
	refused(t, o, ErrPathTooLong, o.Dir, "nearer the root")
	if exists(o.Dir) {
		t.Error("the folder was made all the same")
	}
}

func TestAFolderInUseIsTold(t *testing.T) {
	t.Parallel()
	o := in("")
	o.Dir = filepath.Join(enterable(t), "kept")
	s := start(t, o)
	o.system.patience = time.Millisecond
	refused(t, o, ErrInUse, o.Dir, "another program")
	if got := ask[int](t, s.URL("postgres"), "SELECT 42"); got != 42 {
		t.Error("the first server was harmed")
	}
}

func TestAFolderWithOtherThingsIsLeftAlone(t *testing.T) {
	t.Parallel()
	o := in("")
	o.Dir = enterable(t)
	must(t, os.WriteFile(filepath.Join(o.Dir, "thesis.txt"), nil, 0o600))
	before, err := os.Stat(o.Dir)
	must(t, err)
	refused(t, o, ErrFolder, o.Dir, "holds other things")
	after, err := os.Stat(o.Dir)
	must(t, err)
	if before.Mode() != after.Mode() {
		t.Errorf("it is now %s", after.Mode())
	}
}

func TestAFolderThatTheOtherUserCannotEnterIsTold(t *testing.T) {
	t.Parallel()
	closed := t.TempDir()
	must(t, os.Chmod(closed, 0o700))
	err := account{name: "postgres", uid: 70, gid: 71, drop: true}.canEnter(closed)
	if !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), "the user postgres, who may not enter") {
		t.Errorf("got %v", err)
	}
	must(t, account{uid: 70}.canEnter(closed)) // the program's own user
	must(t, account{name: "postgres", uid: 70, gid: 71, drop: true}.canEnter("/usr"))
}

func TestDataOfAnotherVersionAreLeftAlone(t *testing.T) {
	t.Parallel()
	o := in("")
	o.Dir = filepath.Join(enterable(t), "kept")
	s := start(t, o)
	must(t, s.Stop())
	must(t, os.WriteFile(filepath.Join(s.folder.data(), "PG_VERSION"), []byte("9\n"), 0o600))
	refused(t, o, ErrVersion, "data of Postgres 9", "use that version, or remove")
}

func TestAServerThatCannotStartShowsItsLog(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.Settings = map[string]string{"shared_buffers": "no number"}
	refused(t, o, ErrNotStarted, "its log ends with", "shared_buffers")
	left, err := os.ReadDir(o.system.roots[0].path)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
	o.Settings = map[string]string{"a=b": "c"}
	if _, err := Start(t.Context(), o); err == nil {
		t.Error("a malformed name was accepted")
	}
}

func TestWithoutPostgresAndMirrorItIsTold(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.CacheDir = enterable(t)
	o.Mirror = "http://127.0.0.1:1"
	o.system.installed = func(context.Context) []string { return nil }
	refused(t, o, ErrNoBinaries, "none is installed", "DATABASE_URL", "http://127.0.0.1:1/")
	refused(t, o, ErrNoDownload, "the mirror cannot be reached")
}
