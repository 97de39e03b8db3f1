package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	connectWithin  = 10 * time.Second // a connection, unless the database's address says otherwise
	pingWithin     = 5 * time.Second  // a connection that was idle
	rollbackWithin = 10 * time.Second // what is not rolled back by then goes with its connection
)

// Patience bounds how long anybody waits for the answer to a statement of a pool: not
// longer than within, which is longer than the database itself lets one run. A database
// that has vanished without a word answers nothing, ever, and whoever asks it has no
// other limit. The connection is given up with the statement; the next is a new one.
func Patience(c *pgxpool.Config, within time.Duration) {
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = connectWithin
	}
	c.PingTimeout = min(pingWithin, within)
	tracers := []pgx.QueryTracer{patience{within}}
	if c.ConnConfig.Tracer != nil {
		tracers = append(tracers, c.ConnConfig.Tracer)
	}
	c.ConnConfig.Tracer = multitracer.New(tracers...)
}

// patience is a tracer because pgx runs a statement in the context that it answers.
type patience struct{ within time.Duration }

type (
	patienceEnd struct{} // the key of what ends a statement's patience
	takesTime   struct{} // the key of whether there is patience without end
)

// takingTime lets the statements of a context take as long as they need: those that
// read all of a large ledger, for which statement_timeout is lifted too.
func takingTime(ctx context.Context) context.Context {
	return context.WithValue(ctx, takesTime{}, true)
}

func (p patience) begin(ctx context.Context) context.Context {
	if ctx.Value(takesTime{}) != nil {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, p.within)
	return context.WithValue(ctx, patienceEnd{}, cancel)
}

func (patience) end(ctx context.Context) {
	if cancel, ok := ctx.Value(patienceEnd{}).(context.CancelFunc); ok {
		cancel()
	}
}

// TraceQueryStart implements pgx.QueryTracer.
func (p patience) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return p.begin(ctx)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (p patience) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	p.end(ctx)
}

// TraceBatchStart implements pgx.BatchTracer.
func (p patience) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return p.begin(ctx)
}

// TraceBatchQuery implements pgx.BatchTracer.
func (patience) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (p patience) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	p.end(ctx)
}
