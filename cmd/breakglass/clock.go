package main

import (
	"os"
	"strings"
	"time"
)

// clock gives the time. The demo moves it: the offset stands in a file that the
// parent writes, so that it survives a restart of the child.
type clock struct {
	offsetFile string // empty: the true time
}

// Now is the time, moved by the offset.
func (c clock) Now() time.Time {
	now := time.Now()
	if c.offsetFile == "" {
		return now
	}
	text, err := os.ReadFile(c.offsetFile)
	if err != nil {
		return now // the file is replaced by renaming, so it is there or the demo is over
	}
	offset, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		return now
	}
	return now.Add(offset)
}

// moveClock writes the offset, in one step.
func moveClock(offsetFile string, offset time.Duration) error {
	next := offsetFile + ".next"
	if err := os.WriteFile(next, []byte(offset.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(next, offsetFile)
}
