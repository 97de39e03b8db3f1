//go:build bench

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/deploy"
)

// starts is how often the program is started; the median counts.
const starts = 7

// idleFor is how long the program is left alone before its memory is read.
const idleFor = 5 * time.Second

// benchStart measures how long the ordinary build takes from its start until it is
// ready and until the first click is acknowledged, on a migrated database, and how
// much memory it holds when nothing is to do.
func benchStart(ctx context.Context, t *testing.T, b *bench) {
	g := newGround(ctx, t)
	var ready, first []time.Duration
	var idle []float64
	for i := range starts {
		r, f, mib, err := g.started(ctx, t, i == starts-1)
		if err != nil {
			t.Fatal(err)
		}
		ready, first = append(ready, r), append(first, f)
		if mib > 0 {
			idle = append(idle, mib)
		}
	}
	b.add(figure{what: "ready after", got: brief(median(ready)), goal: "≤ 150 ms", met: atMost(float64(median(ready)), float64(150*time.Millisecond))})
	b.add(figure{what: "first click acknowledged after", got: brief(median(first))})
	b.add(figure{what: "resident when idle", got: fmt.Sprintf("%.1f MiB", median(idle)), goal: "≤ 50 MiB", met: atMost(median(idle), 50)})
}

// started starts the program once.
func (g *ground) started(ctx context.Context, t *testing.T, weigh bool) (ready, first time.Duration, mib float64, err error) {
	database, err := g.copied(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, g.drop(ctx, database)) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, 0, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return 0, 0, 0, err
	}
	file := filepath.Join(g.folder, "start.yaml")
	if err := os.WriteFile(file, g.world.Config(deploy.Example, address), 0o600); err != nil {
		return 0, 0, 0, err
	}
	program := binary(t, build{name: "ordinary"})
	l := newLoad("http://"+address+"/slack/interactions", g.secret)
	began := time.Now()
	up := make(chan error, 1)
	go func() { // beside: it returns when the program says that it is up
		err := untilReady(ctx, "http://"+address+"/readyz")
		ready = time.Since(began)
		up <- err
	}()
	c, err := startProgram(ctx, program, filepath.Join(g.folder, "start.log"), append(g.world.Env(), "DATABASE_URL="+g.server.URL(database)),
		"serve", "--config", file, "--stop-with-stdin")
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, c.kill()) }()
	if err := <-up; err != nil {
		return 0, 0, 0, err
	}
	if err := l.send(ctx, g.bodies[0]); err != nil {
		return 0, 0, 0, err
	}
	first = time.Since(began)
	if weigh {
		<-time.After(idleFor)
		if mib, err = resident(c.cmd.Process.Pid, "VmRSS"); err != nil {
			return 0, 0, 0, err
		}
	}
	return ready, first, mib, nil
}

// untilReady asks until the program says that it is ready.
func untilReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, childReady)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(r)
		if err == nil {
			if err := response.Body.Close(); err != nil || response.StatusCode == http.StatusOK {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("it was not ready: " + strings.TrimSpace(fmt.Sprint(err)))
		case <-time.After(time.Millisecond):
		}
	}
}
