//go:build crashpoints

package main

import (
	"context"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/crashpoint"
)

// outsidePoints gives every client of another system its points: all go through
// the standard transport, but for AWS's.
func outsidePoints() { http.DefaultTransport = crashpoint.Transport(http.DefaultTransport) }

func awsPoints() aws.HTTPClient { return &http.Client{Transport: http.DefaultTransport} }

// tracePoints gives every commit of the ledger its points: a transaction's, and
// that of a statement outside any.
func tracePoints(c *pgxpool.Config) { c.ConnConfig.Tracer = &commits{written: map[*pgx.Conn]bool{}} }

// commits sees every statement. River's own, which reach nobody outside, are
// passed over.
type commits struct {
	mu      sync.Mutex
	written map[*pgx.Conn]bool // the transaction under way has altered something
}

type committing struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (t *commits) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return t.start(ctx, conn, data.SQL)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t *commits) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	t.end(ctx)
}

// TraceBatchStart implements pgx.BatchTracer.
func (t *commits) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	all := make([]string, 0, data.Batch.Len())
	for _, q := range data.Batch.QueuedQueries {
		all = append(all, q.SQL)
	}
	return t.start(ctx, conn, all...)
}

// TraceBatchQuery implements pgx.BatchTracer.
func (t *commits) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (t *commits) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	t.end(ctx)
}

func (t *commits) start(ctx context.Context, conn *pgx.Conn, statements ...string) context.Context {
	writes, ends, begins := false, false, false
	for _, sql := range statements {
		word, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
		switch strings.ToLower(word) {
		case "insert", "update", "delete", "with":
			writes = true
		case "commit":
			ends = true
		case "begin":
			begins = true
			t.note(conn, false)
		case "rollback":
			t.note(conn, false)
		}
	}
	written := t.note(conn, writes)
	inside := begins || conn.PgConn().TxStatus() != 'I'
	commits := ends && written || writes && !inside
	name := ""
	if commits {
		name = ledgerOperation()
	}
	if name == "" {
		return ctx
	}
	crashpoint.Reach(ctx, "before commit "+name)
	return context.WithValue(ctx, committing{}, name)
}

// note remembers whether the transaction of a connection has altered anything,
// and answers whether it has.
func (t *commits) note(conn *pgx.Conn, writes bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if conn.PgConn().TxStatus() == 'I' {
		delete(t.written, conn)
	}
	if writes {
		t.written[conn] = true
	}
	return t.written[conn]
}

func (t *commits) end(ctx context.Context) {
	if name, ok := ctx.Value(committing{}).(string); ok {
		crashpoint.Reach(ctx, "after commit "+name)
	}
}

// ledgerOperation is the exported operation of the ledger that we are in; empty
// where we are in none.
func ledgerOperation() string {
	frames := make([]uintptr, 64)
	walk := runtime.CallersFrames(frames[:runtime.Callers(3, frames)])
	name := ""
	for {
		frame, more := walk.Next()
		if _, in, found := strings.Cut(frame.Function, "/internal/ledger."); found {
			method, _, _ := strings.Cut(in[strings.LastIndexByte(in, ')')+1:], ".func")
			name = strings.TrimPrefix(method, ".")
		} else if name != "" || !more {
			return name
		}
		if !more {
			return name
		}
	}
}

// claimMark begins every claim of this process, so that the tests can tell
// whether anybody who is alive works on something.
func claimMark() string { return os.Getenv("CRASHPOINT_MARK") }

// tickPoints is how often the ticker looks for what is due. The tests' clock
// jumps from one due moment to the next, so it looks often.
func tickPoints() time.Duration { return 25 * time.Millisecond }
