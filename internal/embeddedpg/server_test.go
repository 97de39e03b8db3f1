package embeddedpg

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestAServerAnswersOnItsSocketOnly(t *testing.T) {
	t.Parallel()
	s := start(t, in(enterable(t)))
	if got := ask[string](t, s.URL("postgres"), "SHOW listen_addresses"); got != "" {
		t.Errorf("it listens on %q", got)
	}
	if got := ask[string](t, s.URL("postgres"), "SHOW unix_socket_directories"); strings.Trim(got, `"`) != s.Dir() {
		t.Errorf("its socket is in %s, not %s", got, s.Dir())
	}
	info, err := os.Stat(s.Dir())
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("others may enter its folder: %s", info.Mode())
	}
	if got := ask[int](t, s.URL("postgres"), "SELECT current_setting('server_version_num')::int / 10000"); got != s.Major() {
		t.Errorf("it is version %d and says %d", got, s.Major())
	}
	if got := ask[string](t, s.URL("postgres"), "SHOW server_encoding"); got != "UTF8" {
		t.Errorf("its encoding is %s", got)
	}
	if got := ask[string](t, s.URL("postgres"), "SHOW TimeZone"); got != "UTC" {
		t.Errorf("its time zone is %s", got)
	}
}

func TestTheServerNeverRunsAsRoot(t *testing.T) {
	t.Parallel()
	s := start(t, in(enterable(t)))
	o, err := Options{}.withDefaults()
	must(t, err)
	want, err := o.system.runAs()
	must(t, err)
	// The server made this file itself.
	info, err := os.Stat(filepath.Join(s.Dir(), dataName, "postmaster.pid"))
	must(t, err)
	owner := info.Sys().(*syscall.Stat_t) // always, on a Unix
	if owner.Uid != want.uid || owner.Uid == 0 {
		t.Errorf("it runs as user number %d, not %d (%s)", owner.Uid, want.uid, want.name)
	}
}

func TestATemporaryServerLeavesNothing(t *testing.T) {
	t.Parallel()
	root := enterable(t)
	s := start(t, in(root))
	pid := serverPID(t, s.Dir())
	must(t, s.Stop())
	if isServer(t.Context(), pid, filepath.Join(s.Dir(), dataName)) {
		t.Error("the server runs on")
	}
	left, err := os.ReadDir(root)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
	must(t, s.Stop()) // a second time is harmless
	<-s.Done()
}

func TestAKeptFolderKeepsItsData(t *testing.T) {
	t.Parallel()
	o := in("")
	o.Dir = filepath.Join(enterable(t), "a", "kept one")
	s := start(t, o)
	must(t, s.CreateDatabase(t.Context(), "breakglass"))
	must(t, s.CreateDatabase(t.Context(), "breakglass")) // there already
	run(t, s.URL("breakglass"), "CREATE TABLE kept AS SELECT 42 AS answer")
	must(t, s.Stop())

	s = start(t, o)
	if got := ask[int](t, s.URL("breakglass"), "SELECT answer FROM kept"); got != 42 {
		t.Errorf("the data hold %d", got)
	}
}

func TestDurabilityIsAsAskedFor(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{false, true} {
		o := in(enterable(t))
		o.Durable = durable
		o.Settings = map[string]string{"max_connections": "33", "listen_addresses": "localhost"}
		s := start(t, o)
		want := map[bool]string{false: "off", true: "on"}[durable]
		for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
			if got := ask[string](t, s.URL("postgres"), "SELECT current_setting($1)", name); got != want {
				t.Errorf("durable %v: %s is %s", durable, name, got)
			}
		}
		if got := ask[string](t, s.URL("postgres"), "SHOW max_connections"); got != "33" {
			t.Errorf("max_connections is %s", got)
		}
		if got := ask[string](t, s.URL("postgres"), "SHOW listen_addresses"); got != "" {
			t.Errorf("a setting made it listen on %s", got)
		}
	}
}

func TestASecondTemporaryServerComesFromTheImage(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.CacheDir = enterable(t)
	first := start(t, o)
	images, err := filepath.Glob(filepath.Join(o.CacheDir, "initdb-*.tar"))
	must(t, err)
	if len(images) != 1 {
		t.Fatalf("images: %v", images)
	}
	const id = "SELECT system_identifier::text FROM pg_control_system()"
	want := ask[string](t, first.URL("postgres"), id)
	if got := ask[string](t, start(t, o).URL("postgres"), id); got != want {
		t.Errorf("the second server was initialised anew: %s, not %s", got, want)
	}

	must(t, os.Truncate(images[0], 1<<20))
	if got := ask[string](t, start(t, o).URL("postgres"), id); got == want {
		t.Error("a damaged image was used")
	}
}
