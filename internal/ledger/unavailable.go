package ledger

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
		// 08: connection, 53: resources, 57: shut down or cancelled, 40: serialization or deadlock
		class := refused.Code[:min(2, len(refused.Code))]
		return strings.Contains(" 08 53 57 40 25 ", " "+class+" ")
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, pgx.ErrTxClosed) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "closed pool")
}
