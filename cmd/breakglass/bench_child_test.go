//go:build bench

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/breakglass-bot/breakglass/internal/config"
)

// The programs that a test binary can be for the bench, by the value of BENCH_AS.
const (
	asEdge  = "edge"  // breakglass that takes what Slack sends, and leaves what follows to others
	asServe = "serve" // breakglass as it serves, with a profile of itself
	asBare  = "bare"  // the bare handler
)

// playPart is the test binary as one of the programs that the bench compares.
func playPart() (played bool, code int) {
	as := os.Getenv("BENCH_AS")
	if as == "" {
		return false, 0
	}
	if err := profiled(func() error {
		switch as {
		case asEdge:
			return edgeAlone(os.Args[1])
		case asBare:
			return bareAlone(os.Args[1], os.Args[2])
		case asServe:
			if code := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); code != exitFine {
				return fmt.Errorf("exit code %d", code)
			}
			return nil
		}
		return fmt.Errorf("there is no part %q", as)
	}); err != nil {
		fmt.Fprintln(os.Stderr, "breakglass:", err)
		return true, exitFailed
	}
	return true, exitFine
}

// profiled writes profiles of what is done into the folder that BENCH_PROFILE
// names, if it does.
func profiled(do func() error) (err error) {
	folder := os.Getenv("BENCH_PROFILE")
	if folder == "" {
		return do()
	}
	name := filepath.Join(folder, fmt.Sprintf("%s-%d", os.Getenv("BENCH_AS"), os.Getpid()))
	cpu, err := os.Create(name + ".cpu")
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return errors.Join(err, cpu.Close())
	}
	defer func() {
		pprof.StopCPUProfile()
		err = errors.Join(err, cpu.Close())
		heap, failed := os.Create(name + ".heap")
		if failed != nil {
			err = errors.Join(err, failed)
			return
		}
		err = errors.Join(err, pprof.WriteHeapProfile(heap), heap.Close())
	}()
	return do()
}

// edgeAlone is the very program, of which nothing is started but the listener:
// what follows a click is written down, and left to others.
func edgeAlone(file string) error {
	log, err := newLog(os.Stderr, "json", "info")
	if err != nil {
		return err
	}
	cfg, err := config.Load(file, os.LookupEnv, os.ReadFile)
	if err != nil {
		return err
	}
	ctx := context.Background()
	p, err := newProgram(ctx, cfg, time.Now, log)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.server.Start(ctx); err != nil {
		return err
	}
	log.Info("breakglass is up", "address", p.server.Addr())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return p.server.Stop(ctx)
}

// serveUntilClosed serves until the standard input closes.
func serveUntilClosed(h http.Handler) error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	log, err := newLog(os.Stderr, "json", "info")
	if err != nil {
		return err
	}
	log.Info("breakglass is up", "address", listener.Addr().String())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return server.Close()
}
