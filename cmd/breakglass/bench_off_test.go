//go:build !bench

package main

// playPart does nothing: only make bench has test binaries that are one of the
// programs it compares.
func playPart() (played bool, code int) { return false, 0 }
