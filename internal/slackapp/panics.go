package slackapp

import (
	"context"
	"runtime/debug"
)

// recovered takes what was recovered where nobody above could take a panic up: it
// ends what was being done, and not the program. nil: there was none.
func (a *App) recovered(ctx context.Context, in string, value any) {
	if value != nil {
		a.Log.ErrorContext(ctx, "a panic", "in", in, "panic", value, "stack", string(debug.Stack()))
	}
}

// beside does what whoever acted does not wait for. It goes on when they hang up;
// Wait waits for it.
func (a *App) beside(ctx context.Context, what string, do func(ctx context.Context)) {
	ctx = context.WithoutCancel(ctx)
	a.replies.Go(func() {
		defer func() { a.recovered(ctx, what, recover()) }()
		do(ctx)
	})
}
