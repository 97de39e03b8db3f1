package ledger

import (
	"context"
	"errors"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

// Unavailable tells whether err means that the database did not answer, or not
// in time: asking again later may help, and nothing in what was asked is wrong.
func Unavailable(err error) bool {
	if err == nil {
		return false
	}
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return true
	}
	if _, network := errors.AsType[net.Error](err); network {
		return true
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch refused.Code[:min(2, len(refused.Code))] {
		case "08", "25", "40", "53", "57": // connection, wrong kind of transaction (after a failover), deadlock, resources, shut down
			return true
		}
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, pgx.ErrTxClosed) || errors.Is(err, puddle.ErrClosedPool) || pgconn.SafeToRetry(err)
}
