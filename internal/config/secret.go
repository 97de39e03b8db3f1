package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that never shows itself: printed, logged or marshalled it
// is [hidden]. Only Reveal gives it. Empty means that none was set.
//
// Package fmt cannot call methods of unexported fields, and encoding/json calls
// none of a map's string keys: keep a Secret in an exported field, and never as
// a key.
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

// MarshalText gives [hidden], for YAML and XML.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue gives [hidden].
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
