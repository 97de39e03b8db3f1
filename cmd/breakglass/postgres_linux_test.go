package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The disk of Postgres is a small one in memory, and is filled. Only root can
// make one.
func TestTheDiskOfPostgresIsFull(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("a disk that may be filled is mounted, which needs root")
	}
	dir, err := os.MkdirTemp("", "breakglass-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // only a temporary folder
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=400m"); err != nil {
		t.Skipf("a disk that may be filled cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	pg := startOwnPostgres(t, dir, map[string]string{"max_wal_size": "64MB", "min_wal_size": "32MB", "wal_recycle": "off"})
	url := pg.server.URL("postgres")
	ctx, a := open(t, stageOptions{databaseURL: url})
	emptied := make(chan struct{})
	var filling sync.WaitGroup
	ballast := filepath.Join(dir, "ballast")
	sufferTrouble(ctx, t, a, mishap{
		said: "database",
		begin: func(ctx context.Context) {
			if err := fillDisk(ballast); err != nil {
				t.Fatal(err)
			}
			filling.Go(func() { // what Postgres gives back is taken at once
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-emptied:
						return
					case <-tick.C:
						_ = fillDisk(ballast) // it is full
					}
				}
			})
			useUp(ctx, t, url)
		},
		end: func(ctx context.Context) {
			close(emptied)
			filling.Wait()
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			conn, err := pgx.Connect(ctx, url)
			if err != nil { // it gave up: whoever frees the disk starts it again
				_ = pg.server.Stop() // it has ended already
				pg.start()
				return
			}
			if err := conn.Close(ctx); err != nil {
				t.Error(err)
			}
		},
	})
}

// fillDisk writes a file until the disk is full.
func fillDisk(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
		if errors.Is(err, syscall.ENOSPC) && len(block) > 1 {
			block, err = block[:len(block)/2], nil
		}
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// useUp fills what Postgres has set aside for its log, so that it can save nothing
// more. It ends then, and cannot start again.
func useUp(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return // it has given up already
	}
	for range 10_000 {
		if _, err = conn.Exec(ctx, `SELECT pg_logical_emit_message(FALSE, 'ballast', repeat('x', 100000))`); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("the disk is not full")
	}
	_ = conn.Close(ctx) // the server has gone
}
