package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Standing says whose an assignment is.
type Standing string

// Whose an assignment can be.
const (
	StandingUnknown Standing = ""      // nobody has looked yet, or it is gone and the next create looks again
	StandingOurs    Standing = "ours"  // removed when no grant wants it any more
	StandingFound   Standing = "found" // was there before our first create; left alone
	StandingKept    Standing = "kept"  // an approver has marked it as standing
)

// Operation is what is in flight in AWS.
type Operation string

// The operations.
const (
	NoOperation     Operation = ""
	CreateOperation Operation = "create"
	DeleteOperation Operation = "delete"
)

// Assignment is an access in AWS as the ledger knows it.
type Assignment struct {
	ID              int64
	Key             change.AssignmentKey
	Standing        Standing
	Operation       Operation
	SentAt          time.Time // of the operation in flight
	RequestID       string    // of the operation in flight; empty: unknown
	Polls           int       // looks in vain, in a row
	Known           []string  // request ids of the newest creates that are accounted for
	OpenCreates     int       // creates of unknown outcome, besides the operation in flight
	CreateOpenSince time.Time // the newest open create was sent then; zero: there is none
	ClearSince      time.Time // nothing that we made can be there since; zero: something may be
	Failure         string    // why AWS refused the last create; empty: it did not, or people have been told
	SeenAt          time.Time // last listed
	AbsentSince     time.Time // first of the unbroken row of looks without it
	LookedAt        time.Time
	WatchUntil      time.Time
	MissedAt        time.Time // since when AWS does not list what is wanted and was there; zero: nothing is missed
	Trouble         string
	claim           string
}

// Grant is a change's claim on an assignment.
type Grant struct {
	Number change.Number
	Wanted bool
	Over   bool
	Until  time.Time // when it ends by itself; zero: not known. Only Parties reads it
}

const assignmentColumns = `id, instance_arn, account_id, permission_set_arn, user_id, standing, operation, sent_at, request_id, polls,
	known, open_creates, create_open_since, clear_since, failure, seen_at, absent_since, looked_at, watch_until, missed_at, trouble, claim`

func scanAssignment(row pgx.CollectableRow) (Assignment, error) {
	var a Assignment
	var sent, open, clear, seen, absent, looked, watch, missed *time.Time
	err := row.Scan(&a.ID, &a.Key.InstanceARN, &a.Key.AccountID, &a.Key.PermissionSetARN, &a.Key.UserID, &a.Standing, &a.Operation,
		&sent, &a.RequestID, &a.Polls, &a.Known, &a.OpenCreates, &open, &clear, &a.Failure, &seen, &absent, &looked, &watch, &missed, &a.Trouble, &a.claim)
	if err != nil {
		return a, fmt.Errorf("read an assignment: %w", err)
	}
	a.SentAt, a.CreateOpenSince, a.ClearSince, a.SeenAt = zero(sent), zero(open), zero(clear), zero(seen)
	a.AbsentSince, a.LookedAt, a.WatchUntil, a.MissedAt = zero(absent), zero(looked), zero(watch), zero(missed)
	return a, nil
}

// SyncGrant makes the grant of a change agree with it, and answers the id of
// the assignment that has to be looked at, or 0.
func (tx Tx) SyncGrant(ctx context.Context, c *change.Change, now time.Time) (int64, error) {
	a := c.Access
	if a == nil || a.Key.UserID == "" || c.Report != nil || c.Phase == change.Requested {
		return 0, nil
	}
	over := c.Phase.Final() || (c.Phase == change.Ended && (!a.GoneAt.IsZero() || (a.IntendedAt.IsZero() && a.VerifiedAt.IsZero())))
	var id int64
	if c.Wanted() {
		err := tx.QueryRow(ctx, `INSERT INTO assignments (instance_arn, account_id, permission_set_arn, user_id, next_try)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT ON CONSTRAINT assignments_key_unique DO UPDATE SET next_try = LEAST(assignments.next_try, excluded.next_try)
			RETURNING id`, a.Key.InstanceARN, a.Key.AccountID, a.Key.PermissionSetARN, a.Key.UserID, now).Scan(&id)
		if err != nil {
			return 0, fmt.Errorf("save the assignment of %s: %w", c.Number, err)
		}
		tx.later("save the grant of "+c.Number.String(), nil, `INSERT INTO grants (number, assignment_id, wanted, over, until) VALUES ($1, $2, TRUE, FALSE, $3)
			ON CONFLICT ON CONSTRAINT grants_pkey DO UPDATE SET until = excluded.until WHERE grants.until IS DISTINCT FROM excluded.until`,
			int64(c.Number), id, null(c.AccessUntil()))
		return id, nil
	}
	err := tx.QueryRow(ctx, `UPDATE grants SET wanted = FALSE, over = $2 WHERE number = $1 AND (wanted OR over <> $2) RETURNING assignment_id`,
		int64(c.Number), over).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("end the grant of %s: %w", c.Number, err)
	}
	tx.later("wake the assignment of "+c.Number.String(), nil, `UPDATE assignments SET next_try = LEAST(next_try, $2) WHERE id = $1`, id, now)
	return id, nil
}

// ClaimAssignment takes an assignment until lease. It answers ErrNotFound when it
// is not due or somebody has it.
func (l *Ledger) ClaimAssignment(ctx context.Context, id int64, now, lease time.Time, claim string) (Assignment, error) {
	rows, err := l.pool.Query(ctx, `UPDATE assignments SET claim = $4, lease_until = $3
		WHERE id = $1 AND next_try <= $2 AND (lease_until IS NULL OR lease_until <= $2) RETURNING `+assignmentColumns, id, now, lease, claim)
	if err != nil {
		return Assignment{}, fmt.Errorf("claim an assignment: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAssignment)
	if errors.Is(err, pgx.ErrNoRows) {
		return Assignment{}, ErrNotFound
	}
	return a, err
}

// lockGrants holds an assignment's row and reads its grants that are not over.
// Whoever changes a grant locks the row too: behind the lock, every grant that came
// before is seen, and one that comes later sets next_try after us.
func (tx Tx) lockGrants(ctx context.Context, id int64) (grants []Grant, err error) {
	both := &pgx.Batch{} // in one round trip; each statement sees what is so when it begins
	both.Queue(`SELECT 1 FROM assignments WHERE id = $1 FOR UPDATE`, id)
	both.Queue(`SELECT number, wanted, over FROM grants WHERE assignment_id = $1 AND NOT over ORDER BY number`, id).Query(func(rows pgx.Rows) error {
		var g Grant
		_, err := pgx.ForEachRow(rows, []any{&g.Number, &g.Wanted, &g.Over}, func() error {
			grants = append(grants, g)
			return nil
		})
		return err
	})
	if err := tx.SendBatch(ctx, both).Close(); err != nil {
		return nil, fmt.Errorf("lock an assignment and read its grants: %w", err)
	}
	return grants, nil
}

// SaveAssignment stores what is known of a claimed assignment, keeping the
// claim. It answers ErrClaimLost when the claim is gone.
func (tx Tx) SaveAssignment(ctx context.Context, a Assignment) error {
	return tx.saveAssignment(ctx, a, `UPDATE assignments SET standing = $3, operation = $4, sent_at = $5, request_id = $6, polls = $7,
		known = $8, open_creates = $9, create_open_since = $10, clear_since = $11, failure = $12,
		seen_at = $13, absent_since = $14, looked_at = $15, watch_until = $16, trouble = $17, missed_at = $18
		WHERE id = $1 AND claim = $2`)
}

// SaveAssignment stores what is known of a claimed assignment, keeping the
// claim. It answers ErrClaimLost when the claim is gone.
func (l *Ledger) SaveAssignment(ctx context.Context, a Assignment) error {
	return l.InTx(ctx, func(tx Tx) error { return tx.SaveAssignment(ctx, a) })
}

func (tx Tx) saveAssignment(ctx context.Context, a Assignment, sql string, more ...any) error {
	known := a.Known
	if known == nil {
		known = []string{}
	}
	args := append([]any{
		a.ID, a.claim, string(a.Standing), string(a.Operation), null(a.SentAt), a.RequestID, a.Polls,
		known, a.OpenCreates, null(a.CreateOpenSince), null(a.ClearSince), a.Failure, null(a.SeenAt), null(a.AbsentSince), null(a.LookedAt), null(a.WatchUntil), a.Trouble, null(a.MissedAt),
	}, more...)
	tag, err := tx.Exec(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("save an assignment: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return ErrClaimLost
	}
	return nil
}

// ReleaseAssignment stores what is known of a claimed assignment and gives the
// claim back. next is when it has to be looked at again; zero for never, unless
// a grant changed since it was claimed: then at once.
func (l *Ledger) ReleaseAssignment(ctx context.Context, a Assignment, seen []Grant, now, next time.Time) error {
	return l.InTx(ctx, func(tx Tx) error {
		grants, err := tx.lockGrants(ctx, a.ID)
		if err != nil {
			return err
		}
		if !sameGrants(grants, seen) {
			next = now
		}
		return tx.saveAssignment(ctx, a, `UPDATE assignments SET standing = $3, operation = $4, sent_at = $5, request_id = $6, polls = $7,
			known = $8, open_creates = $9, create_open_since = $10, clear_since = $11, failure = $12,
			seen_at = $13, absent_since = $14, looked_at = $15, watch_until = $16, trouble = $17, missed_at = $18,
			next_try = $19, claim = '', lease_until = NULL WHERE id = $1 AND claim = $2`, null(next))
	})
}

func sameGrants(a, b []Grant) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Number != b[i].Number || a[i].Wanted != b[i].Wanted || a[i].Over != b[i].Over {
			return false
		}
	}
	return true
}

// DueAssignments lists assignments that are due and that nobody works on: those
// to be removed first. At most limit.
func (l *Ledger) DueAssignments(ctx context.Context, now time.Time, limit int) ([]int64, error) {
	rows, err := l.pool.Query(ctx, `SELECT a.id FROM assignments a
		WHERE a.next_try <= $1 AND (a.lease_until IS NULL OR a.lease_until <= $1)
		ORDER BY EXISTS (SELECT 1 FROM grants g WHERE g.assignment_id = a.id AND g.wanted AND NOT g.over), a.next_try LIMIT $2`, now, limit)
	if err != nil {
		return nil, fmt.Errorf("look for due assignments: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// AssignmentOf reads the assignment that a change has a grant on. It answers
// ErrNotFound when it has none.
func (l *Ledger) AssignmentOf(ctx context.Context, n change.Number) (Assignment, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+assignmentColumns+` FROM assignments
		WHERE id = (SELECT assignment_id FROM grants WHERE number = $1)`, int64(n))
	if err != nil {
		return Assignment{}, fmt.Errorf("read an assignment: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAssignment)
	if errors.Is(err, pgx.ErrNoRows) {
		return Assignment{}, ErrNotFound
	}
	return a, err
}

// MarkStanding decides about access that was found before our first create: to
// keep it, or to end it. Whoever holds the row's claim loses it, so that what
// they have seen does not undo the decision. It answers ErrNotFound when nothing
// was found there.
func (tx Tx) MarkStanding(ctx context.Context, id int64, keep bool, now time.Time) error {
	to := StandingOurs
	if keep {
		to = StandingKept
	}
	tag, err := tx.Exec(ctx, `UPDATE assignments SET standing = $2, next_try = LEAST(next_try, $3), claim = '', lease_until = NULL
		WHERE id = $1 AND standing = 'found'`, id, string(to), now)
	if err != nil {
		return fmt.Errorf("mark an assignment: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return ErrNotFound
	}
	return nil
}
