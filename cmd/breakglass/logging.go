package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/breakglass-bot/breakglass/internal/httpserver"
)

// newLog makes the program's log. Every line of a request carries its id.
func newLog(w io.Writer, format, level string) (*slog.Logger, error) {
	var at slog.Level
	if err := at.UnmarshalText([]byte(level)); err != nil {
		return nil, errors.Join(fmt.Errorf("--log-level %q is none of debug, info, warn, error", level), errMistake)
	}
	opts := &slog.HandlerOptions{Level: at}
	switch format {
	case "json":
		return slog.New(httpserver.LogHandler(slog.NewJSONHandler(w, opts))), nil
	case "text":
		return slog.New(httpserver.LogHandler(slog.NewTextHandler(w, opts))), nil
	}
	return nil, errors.Join(fmt.Errorf("--log-format %q is neither json nor text", format), errMistake)
}
