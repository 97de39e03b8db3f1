//go:build !linux

package main

import "syscall"

// giveUpUnheard leaves it to the questions whether the other end is still there.
func giveUpUnheard(_, _ string, _ syscall.RawConn) error { return nil }
