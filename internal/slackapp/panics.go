package slackapp

import (
	"context"
	"runtime/debug"
)

// recovered is deferred where nobody above could take a panic up: it ends what was
// being done, and not the program.
func (a *App) recovered(ctx context.Context, in string) {
	if value := recover(); value != nil {
		a.Log.ErrorContext(ctx, "a panic", "in", in, "panic", value, "stack", string(debug.Stack()))
	}
}

// beside does what whoever acted does not wait for. It goes on when they hang up;
// Wait waits for it.
func (a *App) beside(ctx context.Context, what string, do func(ctx context.Context)) {
	ctx = context.WithoutCancel(ctx)
	a.replies.Go(func() {
		defer a.recovered(ctx, what)
		do(ctx)
	})
}
