package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// full tells whether a write failed because the database had no room for it, as on
// a full disk: it answers all the same, so that Ping alone would not tell.
func full(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (refused.Code == "53100" || refused.Code == "53000" || refused.Code == "58030") // disk full, no resources, input or output failed
}

// Writable asks whether the database takes anything up. It writes only after a
// write has failed for want of room, and until one succeeds.
func (l *Ledger) Writable(ctx context.Context) error {
	if !l.noRoom.Load() {
		return nil
	}
	if _, err := l.pool.Exec(ctx, `UPDATE numbers SET last = last WHERE name = 'change'`); err != nil {
		return fmt.Errorf("the database takes nothing up: %w", err)
	}
	l.noRoom.Store(false)
	return nil
}
