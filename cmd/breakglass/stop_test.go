package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/config"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
	"github.com/breakglass-bot/breakglass/migrations"
)

// What is committed and never acknowledged failed as far as Slack knows: whoever is
// told so types it again, and it is there twice.
func TestAStopWaitsForWhatCameInOverSocketMode(t *testing.T) {
	database := databases.URL(t)
	if err := migrations.Up(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	world, file := servedBeside(t, database, sandbox.Options{Now: time.Now, SocketMode: true})
	cfg, err := config.Load(file, os.LookupEnv, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := newProgram(ctx, cfg, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	if err := p.start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := world.Wait(ctx, func() bool { return world.Slack.Sockets() == 1 }); err != nil {
		t.Fatal(err)
	}

	conn, unlock := locked(ctx, t, database, "seen")
	acknowledged := make(chan error, 1)
	go func() {
		acknowledged <- world.Slack.Person(sandbox.Engineer).Mention(ctx, sandbox.OtherChannel, "hello")
	}()
	waitUntil(ctx, t, func() bool {
		var waits bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO seen%')`).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
		return waits
	})

	stopped := make(chan error, 1)
	go func() { stopped <- p.stop(ctx) }()
	waitUntil(ctx, t, func() bool { return p.app.Ready() != nil })
	for range 20 { // the listeners end after it, and the database after them
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.server.Addr()+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("it goes on stopping while a payload is in hand: %v", err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	if len(stopped) != 0 {
		t.Fatal("it has stopped while a payload was in hand")
	}
	unlock()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := <-acknowledged; err != nil {
		t.Errorf("the payload was not acknowledged: %v", err)
	}
	var taken int
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM seen WHERE source = 'event'`).Scan(&taken); err != nil || taken != 1 {
		t.Errorf("%d payloads were taken, %v", taken, err)
	}
}

// A stop that is to be over is over, whatever is in hand.
func TestAStopDoesNotOutliveItsTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	never, begun := make(chan struct{}), make(chan struct{})
	defer close(never)
	over := make(chan struct{})
	go func() {
		defer close(over)
		until(ctx, func() {
			close(begun)
			<-never
		})
	}()
	<-begun
	cancel()
	<-over
}

// locked keeps everybody else from a table, until unlock is called.
func locked(ctx context.Context, t *testing.T, database, table string) (other *pgx.Conn, unlock func()) {
	t.Helper()
	conns := make([]*pgx.Conn, 2)
	for i := range conns {
		var err error
		if conns[i], err = pgx.Connect(ctx, database); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conns[i].Close(context.WithoutCancel(ctx)) })
	}
	tx, err := conns[0].Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE "+pgx.Identifier{table}.Sanitize()+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return conns[1], func() {
		if err := tx.Rollback(ctx); err != nil {
			t.Error(err)
		}
	}
}

// waitUntil looks again and again whether something holds.
func waitUntil(ctx context.Context, t *testing.T, holds func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
}
