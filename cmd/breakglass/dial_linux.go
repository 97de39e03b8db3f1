package main

import (
	"errors"
	"strings"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of Linux, in milliseconds; package syscall has no
// name for it.
const tcpUserTimeout = 0x12

// giveUpUnheard has the system give a connection up once the other end has not
// acknowledged for a while what was sent to it.
func giveUpUnheard(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") { // the database's socket lies on this machine
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(unheard.Milliseconds()))
	})
	return errors.Join(err, failed)
}
