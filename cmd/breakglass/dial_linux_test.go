package main

import (
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// The host of the database may vanish without a word.
func TestAConnectionToTheDatabaseIsGivenUpWhenNothingIsHeardOfIt(t *testing.T) {
	t.Parallel()
	c, err := poolConfig("postgres://b@db/b")
	if err != nil {
		t.Fatal(err)
	}
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() }) // nothing is sent
		conn, err := c.ConnConfig.DialFunc(t.Context(), network, l.Addr().String())
		if err != nil {
			t.Fatalf("%s: %v", network, err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			continue
		}
		raw, err := tcp.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[int]int{tcpUserTimeout: int(unheard.Milliseconds()), syscall.TCP_KEEPIDLE: int(keepAliveIdle.Seconds())} {
			var got int
			var failed error
			err := raw.Control(func(fd uintptr) { got, failed = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, name) })
			if err = errors.Join(err, failed); err != nil || got != want {
				t.Errorf("option %d is %d (%v), want %d", name, got, err, want)
			}
		}
	}
}
