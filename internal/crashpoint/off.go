//go:build !crashpoints

package crashpoint

import (
	"context"
	"net/http"
)

// Armed tells whether this build has points at all.
const Armed = false

// Doing names what is done from here on.
func Doing(ctx context.Context, _ any) context.Context { return ctx }

// Reach is a point.
func Reach(context.Context, string) {}

// Payload names what is done about a payload of Slack's.
func Payload(ctx context.Context, _ string, _ []byte) context.Context { return ctx }

// Transport has a point before and after each call.
func Transport(next http.RoundTripper) http.RoundTripper { return next }

// Handler has a point before and after each reply.
func Handler(_ string, next http.Handler) http.Handler { return next }
