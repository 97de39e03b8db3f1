package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg"
	"github.com/breakglass-bot/breakglass/internal/sandbox"
)

// ownPostgres is a Postgres that a test may mistreat. Its address stays the same
// when it is started again.
type ownPostgres struct {
	t        *testing.T
	dir      string
	settings map[string]string
	server   *embeddedpg.Server
}

func startOwnPostgres(t *testing.T, dir string, settings map[string]string) *ownPostgres {
	t.Helper()
	p := &ownPostgres{t: t, dir: dir, settings: settings}
	if dir == "" {
		var err error
		if p.dir, err = os.MkdirTemp("", "breakglass-pg-"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(p.dir) }) // only a temporary folder
	}
	p.start()
	t.Cleanup(func() {
		if err := p.server.Stop(); err != nil {
			t.Logf("stop Postgres: %v", err)
		}
	})
	return p
}

func (p *ownPostgres) start() {
	p.t.Helper()
	ctx := context.WithoutCancel(p.t.Context())
	server, err := embeddedpg.Start(ctx, embeddedpg.Options{Dir: p.dir, Durable: true, Settings: p.settings})
	if err != nil {
		p.t.Fatal(err)
	}
	p.server = server
}

// kill ends the server as a crash of its machine would.
func (p *ownPostgres) kill() {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join(p.dir, "data", "postmaster.pid"))
	if err != nil {
		p.t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	_ = p.server.Stop() // it says that it was killed
}

// mishap is what a test does to Postgres, and how it is mended.
type mishap struct {
	begin, end func(context.Context)
	said       string // of the readiness
}

// sufferTrouble plays a story in whose middle Postgres cannot be used: whoever
// acts is told so, /readyz tells it, nothing that was acknowledged is lost, and
// nothing happens twice.
func sufferTrouble(ctx context.Context, t *testing.T, a act, x mishap) {
	t.Helper()
	must(t, func() error { return a.request(ctx, sandbox.Engineer, request{duration: "30m"}) },
		func() error {
			return a.until(ctx, "the CTO is asked", func() bool { return a.dm(sandbox.CTO, "Approve") != nil })
		})
	x.begin(ctx)
	must(t, func() error { return a.unsaved(ctx, sandbox.CTO, "Approve") })
	if err := a.request(ctx, sandbox.Colleague, request{duration: "30m"}); err == nil || !strings.Contains(err.Error(), "could not be saved") {
		t.Errorf("whoever asks is told: %v", err)
	}
	a.wantReady(ctx, t, http.StatusServiceUnavailable, x.said)
	x.end(ctx)
	a.wantReady(ctx, t, http.StatusOK, "ready")
	must(t,
		func() error { return a.person(sandbox.Colleague).Submit(ctx) }, // what was typed is there still
		func() error {
			return a.until(ctx, "the CTO is asked about both", func() bool { return len(a.world.Slack.Messages(sandbox.Channel)) == 2 && a.questions() == 2 })
		},
		func() error { return a.approveNext(ctx, 1) },
		func() error { return a.approveNext(ctx, 2) },
		func() error { return a.press(ctx, sandbox.Engineer, "Finish") },
		func() error { return a.press(ctx, sandbox.Colleague, "Finish") },
		func() error {
			return a.elapse(ctx, "nobody has access any more", 5*time.Second, func() bool { return len(a.world.AWS.Assignments()) == 0 })
		})
	if cards := len(a.world.Slack.Messages(sandbox.Channel)); cards != 2 {
		t.Errorf("there are %d cards, want 2", cards)
	}
	settled(ctx, t, a, 0)
}

// approveNext lets the CTO answer the newest question, after which so many people
// have access, and waits until that question takes no answer any more.
func (a act) approveNext(ctx context.Context, access int) error {
	if err := a.press(ctx, sandbox.CTO, "Approve"); err != nil {
		return err
	}
	return a.until(ctx, fmt.Sprint("so many have access: ", access), func() bool {
		return len(a.world.AWS.Assignments()) == access && a.questions() == 2-access
	})
}

// questions counts what the CTO is asked now.
func (a act) questions() int {
	open := 0
	for _, m := range a.world.Slack.DMs(sandbox.CTO) {
		if strings.Contains(a.world.Slack.RenderMessage(sandbox.CTO, m), "[ Approve ]") {
			open++
		}
	}
	return open
}

// unsaved presses a button until its person is told that nothing was saved.
func (a act) unsaved(ctx context.Context, who, button string) error {
	for range 20 {
		if err := a.person(who).Click(ctx, *a.dm(who, button), button); err != nil {
			return fmt.Errorf("press %s: %w", button, err)
		}
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := a.world.Wait(within, func() bool { return a.whispered(who, "could not be saved") })
		cancel()
		if err == nil {
			return nil
		}
	}
	return errors.New("nobody was told that nothing was saved")
}

// whispered tells whether somebody was told something that they alone see.
func (a act) whispered(who, text string) bool {
	for _, m := range a.world.Slack.Ephemerals(who) {
		if strings.Contains(a.world.Slack.RenderMessage(who, m), text) {
			return true
		}
	}
	return false
}

func (a act) wantReady(ctx context.Context, t *testing.T, status int, says string) {
	t.Helper()
	var got int
	var body string
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for range 120 {
		if got, body = asked(t, a.running(), "/readyz"); got == status && strings.Contains(body, says) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	t.Errorf("/readyz answers %d, %q; want %d, %q", got, body, status, says)
}

func TestPostgresIsKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	pg := startOwnPostgres(t, "", nil)
	ctx, a := open(t, stageOptions{databaseURL: pg.server.URL("postgres")})
	sufferTrouble(ctx, t, a, mishap{
		begin: func(context.Context) { pg.kill() }, end: func(context.Context) { pg.start() }, said: "does not answer",
	})
}

// Others use all connections up that the server allows.
func TestPostgresHasNoConnectionLeft(t *testing.T) {
	t.Parallel()
	pg := startOwnPostgres(t, "", map[string]string{"max_connections": "30", "superuser_reserved_connections": "1"})
	url := pg.server.URL("postgres")
	ctx, a := open(t, stageOptions{databaseURL: url})
	var held []*pgx.Conn
	sufferTrouble(ctx, t, a, mishap{
		said: "does not answer",
		begin: func(ctx context.Context) {
			for vain := 0; vain < 20; { // those of the program are ended, and taken before it comes back
				conn, err := pgx.Connect(ctx, url)
				if err != nil {
					vain++
					if len(held) == 0 {
						t.Fatal(err)
					}
				} else {
					held = append(held, conn)
				}
				if _, err := held[0].Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'breakglass'`); err != nil {
					t.Fatal(err)
				}
			}
		},
		end: func(ctx context.Context) {
			for _, conn := range held {
				if err := conn.Close(ctx); err != nil {
					t.Error(err)
				}
			}
		},
	})
}
