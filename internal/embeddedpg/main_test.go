package embeddedpg

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childVariable makes the test binary a program that starts a server, says
// where, and then waits to be killed.
const childVariable = "BREAKGLASS_PG_TEST_CHILD"

// cacheVariable hands the cache folder to that program.
const cacheVariable = "BREAKGLASS_PG_TEST_CACHE"

func TestMain(m *testing.M) {
	if root := os.Getenv(childVariable); root != "" {
		os.Exit(child(root))
	}
	os.Exit(withCache(m))
}

func withCache(m *testing.M) int {
	cache, err := os.MkdirTemp("/tmp", "bgcache")
	if err == nil {
		err = os.Setenv(cacheVariable, cache)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := os.RemoveAll(cache); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func child(root string) int {
	server, err := Start(context.Background(), in(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(server.Dir())
	_, err = io.Copy(io.Discard, os.Stdin) // ends when the test ends, if it did not kill us
	fmt.Fprintln(os.Stderr, err)
	return 2
}

// in is a throw-away server in a folder of the test's own, so that parallel
// tests don't reclaim each other's.
func in(root string) Options {
	return Options{
		CacheDir: os.Getenv(cacheVariable),
		system:   system{roots: []throwAwayRoot{{path: root, need: 1}}},
	}
}

// enterable is a temporary folder with a short path that other users may enter;
// t.TempDir's is neither.
func enterable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "bg")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	must(t, os.Chmod(dir, 0o777|os.ModeSticky))
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { must(t, s.Stop()) })
	return s
}

// ask gives the single value of a query.
func ask[T any](t *testing.T, url, query string, args ...any) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	var value T
	must(t, conn.QueryRow(t.Context(), query, args...).Scan(&value))
	must(t, conn.Close(t.Context()))
	return value
}

func run(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	_, err = conn.Exec(t.Context(), statement)
	must(t, err)
	must(t, conn.Close(t.Context()))
}

// eventually waits for something outside of this program.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("not after 20 s: %s", what)
		case <-tick.C:
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func serverPID(t *testing.T, dir string) int {
	t.Helper()
	pid, err := readPID(filepath.Join(dir, dataName, "postmaster.pid"))
	must(t, err)
	return pid
}
