package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that never shows itself: printed, logged or marshalled it
// is [hidden]. Only Reveal gives it. Empty means that none was set.
//
// Package fmt cannot call methods of unexported fields, so keep a Secret in an
// exported field, or not in a struct that is printed.
type Secret string

const hidden = "[hidden]"

// Reveal gives the secret, for the one call that needs it.
func (s Secret) Reveal() string { return string(s) }

// String gives [hidden].
func (Secret) String() string { return hidden }

// GoString gives [hidden].
func (Secret) GoString() string { return hidden }

// Format writes [hidden] whatever the verb is.
func (Secret) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, hidden) // fmt.State has no way to tell of an error
}

// MarshalJSON gives "[hidden]".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText gives [hidden], for YAML, XML and the keys of JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue gives [hidden].
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
