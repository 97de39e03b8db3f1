package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// transaction is a pgx.Tx that goes to the database as seldom as it can. Its
// begin and what is to be written wait, and go with the next statement whose
// answer is needed, or with the commit, in one round trip. The order stays as
// it was asked for. What was refused is told then: whoever only writes learns of
// it from InTx.
type transaction struct {
	conn  *pgxpool.Conn
	wait  *pgx.Batch
	judge []func(tag pgconn.CommandTag, err error) error // of each that waits
	begun bool                                           // the database knows of it
	doubt bool                                           // a result that waits may be wrong although the database finds no fault with it
	over  bool
}

// Tx is one transaction.
type Tx struct {
	pgx.Tx
	t *transaction
}

// begin makes a transaction. The database hears of it with its first statement.
func (l *Ledger) begin(ctx context.Context) (Tx, error) {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return Tx{}, fmt.Errorf("begin: %w", err)
	}
	t := &transaction{conn: conn, wait: &pgx.Batch{}}
	return Tx{Tx: t, t: t}, nil
}

// later has a statement sent with the next one whose answer is needed. When it
// fails, or judge finds its result wrong, the transaction does; judge may be nil.
func (tx Tx) later(doing string, judge func(tag pgconn.CommandTag) error, sql string, args ...any) {
	tx.t.doubt = tx.t.doubt || judge != nil
	tx.t.later(sql, args, func(tag pgconn.CommandTag, err error) error {
		if err == nil && judge != nil {
			err = judge(tag)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		return nil
	})
}

func (t *transaction) later(sql string, args []any, judge func(tag pgconn.CommandTag, err error) error) {
	t.first()
	t.wait.Queue(sql, args...)
	t.judge = append(t.judge, judge)
}

// first has the transaction begun by whatever is sent.
func (t *transaction) first() {
	if t.begun || t.wait.Len() > 0 {
		return
	}
	t.wait.Queue("begin")
	t.judge = append(t.judge, func(_ pgconn.CommandTag, err error) error {
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		return nil
	})
}

// send sends what waits, with more behind it, and answers the results of the
// more, which have to be closed.
func (t *transaction) send(ctx context.Context, more ...*pgx.QueuedQuery) (pgx.BatchResults, error) {
	t.first()
	batch, judge := t.wait, t.judge
	t.wait, t.judge, t.doubt = &pgx.Batch{}, nil, false
	batch.QueuedQueries = append(batch.QueuedQueries, more...) // with their callbacks, which Close calls
	if batch.Len() == 0 {
		return nil, nil
	}
	t.begun = true
	results := t.conn.SendBatch(ctx, batch)
	for _, is := range judge {
		if err := is(results.Exec()); err != nil {
			return nil, errors.Join(err, unless(err, results.Close()))
		}
	}
	return results, nil
}

// unless leaves a second error out that says the same as the first.
func unless(first, second error) error {
	if first != nil && second != nil && errors.Is(first, second) {
		return nil
	}
	if pg, is := errors.AsType[*pgconn.PgError](first); is {
		if again, is := errors.AsType[*pgconn.PgError](second); is && *pg == *again {
			return nil
		}
	}
	return second
}

// Exec implements pgx.Tx.
func (t *transaction) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	if t.begun && t.wait.Len() == 0 {
		return t.conn.Exec(ctx, sql, args...)
	}
	results, err := t.send(ctx, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	if err != nil {
		return tag, err
	}
	tag, err = results.Exec()
	return tag, errors.Join(err, unless(err, results.Close()))
}

// Query implements pgx.Tx.
func (t *transaction) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if t.begun && t.wait.Len() == 0 {
		return t.conn.Query(ctx, sql, args...)
	}
	results, err := t.send(ctx, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, errors.Join(err, unless(err, results.Close()))
	}
	return &lastRows{Rows: rows, of: results}, nil
}

// QueryRow implements pgx.Tx.
func (t *transaction) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := t.Query(ctx, sql, args...)
	return oneRow{rows, err}
}

// lastRows are the rows of the last statement that was sent together with others.
type lastRows struct {
	pgx.Rows
	of  pgx.BatchResults
	err error
}

// Next implements pgx.Rows.
func (r *lastRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close implements pgx.Rows. It may be called again.
func (r *lastRows) Close() {
	r.Rows.Close()
	if err := r.of.Close(); err != nil && r.err == nil {
		r.err = err
	}
}

// Err implements pgx.Rows.
func (r *lastRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

// oneRow is a query's first row, as pgx's own are.
type oneRow struct {
	rows pgx.Rows
	err  error
}

// Scan implements pgx.Row.
func (r oneRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// Commit implements pgx.Tx. What waits goes with it, unless its results have to
// be judged first: behind the commit it would be too late.
func (t *transaction) Commit(ctx context.Context) error {
	if t.over {
		return pgx.ErrTxClosed
	}
	if !t.begun && t.wait.Len() == 0 { // nothing was asked of the database
		t.end()
		return nil
	}
	if t.doubt {
		if err := t.flush(ctx); err != nil {
			return err
		}
	}
	results, err := t.send(ctx, &pgx.QueuedQuery{SQL: "commit"})
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if err = errors.Join(err, unless(err, results.Close())); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	t.end()
	if tag.String() == "ROLLBACK" {
		return fmt.Errorf("commit: %w", pgx.ErrTxCommitRollback)
	}
	return nil
}

// Rollback implements pgx.Tx. It answers ErrTxClosed behind the end.
func (t *transaction) Rollback(ctx context.Context) error {
	if t.over {
		return pgx.ErrTxClosed
	}
	defer t.end()
	if !t.begun || t.conn.Conn().IsClosed() {
		return nil
	}
	if t.conn.Conn().PgConn().TxStatus() == 'I' { // it failed before it had begun
		return nil
	}
	if _, err := t.conn.Exec(ctx, "rollback"); err != nil {
		return errors.Join(err, t.conn.Conn().Close(ctx)) // the pool makes another
	}
	return nil
}

// end gives the connection back. One with a transaction still open is closed by
// the pool.
func (t *transaction) end() {
	t.over = true
	t.conn.Release()
}

// SendBatch implements pgx.Tx.
func (t *transaction) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	results, err := t.send(ctx, b.QueuedQueries...)
	if err != nil || results == nil {
		return pgx.FailedBatchResults(b, err)
	}
	return results
}

// errNotHere says that a transaction of the ledger does not do that.
var errNotHere = errors.New("not in a transaction of the ledger")

// Begin implements pgx.Tx: there are no transactions within transactions.
func (t *transaction) Begin(context.Context) (pgx.Tx, error) { return nil, errNotHere }

// CopyFrom implements pgx.Tx.
func (t *transaction) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := t.flush(ctx); err != nil {
		return 0, err
	}
	return t.conn.CopyFrom(ctx, table, columns, rows)
}

// flush sends what waits.
func (t *transaction) flush(ctx context.Context) error {
	results, err := t.send(ctx)
	if err != nil || results == nil {
		return err
	}
	return results.Close()
}

// LargeObjects implements pgx.Tx: there are none.
func (t *transaction) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Prepare implements pgx.Tx.
func (t *transaction) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return t.conn.Conn().Prepare(ctx, name, sql)
}

// Conn implements pgx.Tx.
func (t *transaction) Conn() *pgx.Conn { return t.conn.Conn() }
