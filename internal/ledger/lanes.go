package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Lane is what the next step of an assignment is for. Each lane is worked off by
// itself, so that none waits behind another.
type Lane string

// The lanes, the most urgent first.
const (
	RevokeLane Lane = "revoke" // nobody wants it, and AWS has not been asked to delete it
	GrantLane  Lane = "grant"  // somebody wants it, and AWS has not been asked to make it
	PollLane   Lane = "poll"   // everything else: what came of it
)

// Lanes lists them, the most urgent first.
func Lanes() []Lane { return []Lane{RevokeLane, GrantLane, PollLane} }

// laneOf tells the lane of row a at $2. A create that is in flight has to be followed
// to its end before what it brings can be deleted. An access whose time is over is not
// wanted, whether or not the clock has come to its change.
const laneOf = `CASE
	WHEN EXISTS (SELECT 1 FROM grants g WHERE g.assignment_id = a.id AND g.wanted AND (g.until IS NULL OR g.until > $2))
	THEN CASE WHEN a.operation = '' AND (a.standing = '' OR (a.standing = 'ours' AND a.clear_since IS NOT NULL)) THEN 'grant' ELSE 'poll' END
	WHEN a.standing = 'ours' AND (a.operation = 'create' OR (a.operation = '' AND a.clear_since IS NULL) OR (a.operation = 'delete' AND a.request_id = ''))
	THEN 'revoke' ELSE 'poll' END`

// DueInLane lists the assignments of a lane that are due and that nobody works on,
// the longest waiting first, at most limit. AWS does one thing at a time for a
// permission set in an account: of those that need a create or a delete there, only
// the first is listed, and none while another's is in flight that was sent after
// since.
func (l *Ledger) DueInLane(ctx context.Context, lane Lane, now, since time.Time, limit int) ([]int64, error) {
	rows, err := l.pool.Query(ctx, `WITH due AS (
			SELECT a.id, a.next_try, a.instance_arn, a.account_id, a.permission_set_arn, a.operation, `+laneOf+` AS lane
			FROM assignments a WHERE a.next_try <= $2 AND (a.lease_until IS NULL OR a.lease_until <= $2)
		), mine AS (
			SELECT *, $1::TEXT = 'poll' OR operation <> '' AS follows,
				row_number() OVER (PARTITION BY instance_arn, account_id, permission_set_arn, operation <> '' ORDER BY next_try, id) AS place
			FROM due WHERE lane = $1
		)
		SELECT m.id FROM mine m WHERE m.follows OR (m.place = 1 AND NOT EXISTS (
			SELECT 1 FROM assignments b WHERE b.instance_arn = m.instance_arn AND b.account_id = m.account_id
			AND b.permission_set_arn = m.permission_set_arn AND b.operation <> '' AND b.sent_at > $3 AND b.id <> m.id))
		ORDER BY m.next_try, m.id LIMIT $4`, string(lane), now, since, limit)
	if err != nil {
		return nil, fmt.Errorf("look for due assignments: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// RevokesDue counts the deletes that could be sent to AWS at this moment and that
// nobody works on yet, up to most: one for each permission set in an account, and none
// while an operation that was sent after since is in flight there.
func (l *Ledger) RevokesDue(ctx context.Context, now, since time.Time, most int) (int, error) {
	var n int
	err := l.pool.QueryRow(ctx, `SELECT count(*) FROM (SELECT DISTINCT a.instance_arn, a.account_id, a.permission_set_arn FROM assignments a
		WHERE a.next_try <= $2 AND (a.lease_until IS NULL OR a.lease_until <= $2) AND `+laneOf+` = 'revoke'
		AND NOT EXISTS (SELECT 1 FROM assignments b WHERE b.instance_arn = a.instance_arn AND b.account_id = a.account_id
			AND b.permission_set_arn = a.permission_set_arn AND b.operation <> '' AND b.sent_at > $3 AND b.id <> a.id)
		LIMIT $1) due`, most, now, since).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the due revocations: %w", err)
	}
	return n, nil
}
