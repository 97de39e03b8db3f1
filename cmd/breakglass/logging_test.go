package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestNothingFromOutsideForgesALineOfTheLog(t *testing.T) {
	t.Parallel()
	hostile := "x\n{\"level\":\"ERROR\",\"msg\":\"forged\"}\r\ntime=2026-01-01 level=ERROR msg=forged\u2028\x00\x1b[2J\""
	for _, format := range []string{"json", "text"} {
		var lines []string
		log, err := newLog(writer(func(line string) { lines = append(lines, line) }), format, "info")
		if err != nil {
			t.Fatal(err)
		}
		log.With("person", hostile).ErrorContext(t.Context(), hostile, "why", hostile, "error", errors.New(hostile))
		if len(lines) != 1 || strings.Count(lines[0], "\n") != 1 || strings.ContainsAny(lines[0], "\r\x00\x1b") {
			t.Errorf("%s: %q", format, lines)
		}
		var line struct{ Level, Msg, Why string }
		if format == "json" && (json.Unmarshal([]byte(lines[0]), &line) != nil || line.Why == "" || line.Msg != hostile) {
			t.Errorf("%q is read as %+v", lines[0], line)
		}
	}
}
