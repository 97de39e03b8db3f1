package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// CensusRow is a finding as the census works on it.
type CensusRow struct {
	change.CensusFinding
	UnlikeSince time.Time // the first of the unbroken row of looks that did not find it; zero: the newest did
	NextLook    time.Time // besides the rounds; zero: by the rounds only
}

const findingColumns = `id, kind, instance_arn, account_id, permission_set_arn, user_id, user_name, number, removing, state, outcome, version,
	first_seen_at, last_seen_at, unlike_since, told_at, decided_by, decided_at, late_at, closed_at, next_look_at`

func scanFinding(row pgx.CollectableRow) (CensusRow, error) {
	var f CensusRow
	var number int64
	var unlike, told, decided, late, closed, next *time.Time
	err := row.Scan(&f.ID, &f.Kind, &f.Key.InstanceARN, &f.Key.AccountID, &f.Key.PermissionSetARN, &f.Key.UserID, &f.UserName, &number, &f.Removing,
		&f.State, &f.Outcome, &f.Version, &f.FirstSeen, &f.LastSeen, &unlike, &told, &f.DecidedBy, &decided, &late, &closed, &next)
	if err != nil {
		return f, fmt.Errorf("read a finding: %w", err)
	}
	f.Number, f.FirstSeen, f.LastSeen = change.Number(number), f.FirstSeen.UTC(), f.LastSeen.UTC()
	f.UnlikeSince, f.ToldAt, f.DecidedAt, f.LateAt = zero(unlike), zero(told), zero(decided), zero(late)
	f.ClosedAt, f.NextLook = zero(closed), zero(next)
	return f, nil
}

// CensusAssignment is an assignment as far as the census judges by it.
type CensusAssignment struct {
	Assignment
	Wanted bool          // a grant of it is
	Had    change.Number // an active change that has it, seen to be there; 0: none
	Last   change.Number // the newest change that ever asked for it
	InHand bool          // somebody works on it at this moment
}

// CensusState is what the ledger knows of a pair.
type CensusState struct {
	Assignments map[string]CensusAssignment // by user
	Findings    []CensusRow                 // those that are live
}

// inTime tells whether the time of grant g of change c is not over at $4. What the
// change says counts too: a replica of a version before the column extends it without.
const inTime = `(g.until IS NULL OR g.until > $4 OR (c.document #>> '{window,until}')::TIMESTAMPTZ > $4)`

// CensusState reads what the ledger knows of a pair, and holds its findings until
// the transaction ends.
func (tx Tx) CensusState(ctx context.Context, instance string, p CensusPair, now time.Time) (CensusState, error) {
	s := CensusState{Assignments: map[string]CensusAssignment{}}
	rows, err := tx.Query(ctx, `SELECT `+findingColumns+` FROM census_findings
		WHERE instance_arn = $1 AND account_id = $2 AND permission_set_arn = $3 AND state IN ('suspected', 'open', 'standing', 'ending')
		ORDER BY id FOR UPDATE`, instance, p.AccountID, p.PermissionSetARN)
	if err != nil {
		return s, fmt.Errorf("read the findings of a pair: %w", err)
	}
	if s.Findings, err = pgx.CollectRows(rows, scanFinding); err != nil {
		return s, err
	}
	rows, err = tx.Query(ctx, `SELECT `+assignmentColumns+`,
			EXISTS (SELECT 1 FROM grants g JOIN changes c ON c.number = g.number
				WHERE g.assignment_id = a.id AND g.wanted AND NOT g.over AND `+inTime+`),
			COALESCE((SELECT max(g.number) FROM grants g JOIN changes c ON c.number = g.number
				WHERE g.assignment_id = a.id AND g.wanted AND NOT g.over AND `+inTime+` AND c.phase = 'active'), 0),
			COALESCE((SELECT max(g.number) FROM grants g WHERE g.assignment_id = a.id), 0),
			COALESCE(a.lease_until > $4, FALSE)
		FROM assignments a WHERE instance_arn = $1 AND account_id = $2 AND permission_set_arn = $3`, instance, p.AccountID, p.PermissionSetARN, now)
	if err != nil {
		return s, fmt.Errorf("read the assignments of a pair: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (CensusAssignment, error) {
		var a CensusAssignment
		var had, last int64
		var err error
		a.Assignment, err = scanAssignment(alsoScan{row, []any{&a.Wanted, &had, &last, &a.InHand}})
		a.Had, a.Last = change.Number(had), change.Number(last)
		return a, err
	})
	if err != nil {
		return s, err
	}
	for _, a := range all {
		s.Assignments[a.Key.UserID] = a
	}
	return s, nil
}

// alsoScan scans more columns than whoever scans it knows of.
type alsoScan struct {
	pgx.CollectableRow
	last []any
}

// Scan implements pgx.CollectableRow.
func (a alsoScan) Scan(dest ...any) error {
	if err := a.CollectableRow.Scan(append(dest, a.last...)...); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	return nil
}

// PutFinding stores a finding: a new one when it has no id yet, which it is
// given.
func (tx Tx) PutFinding(ctx context.Context, f *CensusRow) error {
	args := []any{
		string(f.Kind), f.Key.InstanceARN, f.Key.AccountID, f.Key.PermissionSetARN, f.Key.UserID, f.UserName, int64(f.Number), f.Removing,
		string(f.State), string(f.Outcome), f.Version, f.FirstSeen, f.LastSeen, null(f.UnlikeSince), null(f.ToldAt),
		string(f.DecidedBy), null(f.DecidedAt), null(f.LateAt), null(f.ClosedAt), null(f.NextLook),
	}
	if f.ID == 0 {
		err := tx.QueryRow(ctx, `INSERT INTO census_findings (kind, instance_arn, account_id, permission_set_arn, user_id, user_name, number, removing,
				state, outcome, version, first_seen_at, last_seen_at, unlike_since, told_at, decided_by, decided_at, late_at, closed_at, next_look_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) RETURNING id`, args...).Scan(&f.ID)
		if err != nil {
			return fmt.Errorf("save a new finding: %w", err)
		}
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE census_findings SET kind = $1, instance_arn = $2, account_id = $3, permission_set_arn = $4, user_id = $5, user_name = $6,
			number = $7, removing = $8, state = $9, outcome = $10, version = $11, first_seen_at = $12, last_seen_at = $13, unlike_since = $14, told_at = $15,
			decided_by = $16, decided_at = $17, late_at = $18, closed_at = $19, next_look_at = $20 WHERE id = $21`, append(args, f.ID)...)
	if err != nil {
		return fmt.Errorf("save a finding: %w", err)
	}
	return nil
}

// TellFinding asks for what the audit channel is to be shown of a finding, as it
// is by now, with news unless that is empty, and adds e to the system chain.
func (tx Tx) TellFinding(ctx context.Context, f CensusRow, news change.CensusNews, e change.Event, now time.Time) error {
	id := strconv.FormatInt(f.ID, 10)
	deliveries := []change.Delivery{{Number: noChange, Kind: change.DeliverFinding, Key: id, Mode: change.Converge}}
	if news != "" {
		deliveries = append(deliveries, change.Delivery{Number: noChange, Kind: change.DeliverFindingNews, Key: id + "/" + string(news), Mode: change.Once})
	}
	if err := tx.PutDeliveries(ctx, deliveries, f.Version, now); err != nil {
		return err
	}
	head, err := tx.lockSystemChain(ctx)
	if err != nil {
		return err
	}
	return tx.appendSystem(head, e)
}

// Counted records that the census has looked at a pair's assignments.
func (tx Tx) Counted(ctx context.Context, instance string, p CensusPair, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE assignments SET counted_at = $4 WHERE instance_arn = $1 AND account_id = $2 AND permission_set_arn = $3`,
		instance, p.AccountID, p.PermissionSetARN, now)
	if err != nil {
		return fmt.Errorf("record a look: %w", err)
	}
	return nil
}

// WakeAssignment makes an assignment due, unless somebody works on it at this
// moment or an operation is in flight: then it is looked at anyway. With missed,
// it is looked for and made again where it is wanted.
func (tx Tx) WakeAssignment(ctx context.Context, id int64, missed bool, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE assignments SET next_try = LEAST(next_try, $3),
			missed_at = CASE WHEN $2 THEN COALESCE(missed_at, $3) ELSE missed_at END
		WHERE id = $1 AND operation = '' AND (lease_until IS NULL OR lease_until <= $3)`, id, missed, now)
	if err != nil {
		return fmt.Errorf("wake an assignment: %w", err)
	}
	return nil
}

// LockFinding reads a finding and holds it until the transaction ends. It answers
// ErrNotFound when there is none.
func (tx Tx) LockFinding(ctx context.Context, id int64) (CensusRow, error) {
	rows, err := tx.Query(ctx, `SELECT `+findingColumns+` FROM census_findings WHERE id = $1 FOR UPDATE`, id)
	return oneFinding(rows, err)
}

// CensusFinding reads a finding. It answers ErrNotFound when there is none.
func (l *Ledger) CensusFinding(ctx context.Context, id int64) (CensusRow, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+findingColumns+` FROM census_findings WHERE id = $1`, id)
	return oneFinding(rows, err)
}

func oneFinding(rows pgx.Rows, err error) (CensusRow, error) {
	if err != nil {
		return CensusRow{}, fmt.Errorf("read a finding: %w", err)
	}
	f, err := pgx.CollectExactlyOneRow(rows, scanFinding)
	if errors.Is(err, pgx.ErrNoRows) {
		return CensusRow{}, ErrNotFound
	}
	return f, err
}

// CensusFindings lists the findings that people were told of: those that are open
// or were closed at since or later, oldest first, at most limit.
func (l *Ledger) CensusFindings(ctx context.Context, since time.Time, limit int) ([]CensusRow, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+findingColumns+` FROM census_findings
		WHERE told_at IS NOT NULL AND (closed_at IS NULL OR closed_at >= $1) ORDER BY id LIMIT $2`, since, limit)
	if err != nil {
		return nil, fmt.Errorf("list findings: %w", err)
	}
	return pgx.CollectRows(rows, scanFinding)
}

// UnconfiguredFindings lists the live findings of an instance whose pair is not
// among those given, and holds them until the transaction ends. What is being
// removed is not among them.
func (tx Tx) UnconfiguredFindings(ctx context.Context, instance string, pairs []CensusPair) ([]CensusRow, error) {
	accounts, sets := make([]string, len(pairs)), make([]string, len(pairs))
	for i, p := range pairs {
		accounts[i], sets[i] = p.AccountID, p.PermissionSetARN
	}
	rows, err := tx.Query(ctx, `SELECT `+findingColumns+` FROM census_findings f
		WHERE f.instance_arn = $1 AND f.state IN ('suspected', 'open') AND f.kind <> 'vanished' AND NOT EXISTS (
			SELECT 1 FROM unnest($2::TEXT[], $3::TEXT[]) AS p (account_id, permission_set_arn)
			WHERE p.account_id = f.account_id AND p.permission_set_arn = f.permission_set_arn)
		ORDER BY id FOR UPDATE OF f`, instance, accounts, sets)
	if err != nil {
		return nil, fmt.Errorf("look for findings that are not configured any more: %w", err)
	}
	return pgx.CollectRows(rows, scanFinding)
}

// TakeOver makes an access ours to remove, and due: nobody asked for it, and
// somebody who may has had it ended. Whoever holds the row's claim loses it. It
// answers the assignment's id.
func (tx Tx) TakeOver(ctx context.Context, k change.AssignmentKey, now time.Time) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, `INSERT INTO assignments (instance_arn, account_id, permission_set_arn, user_id, standing, next_try)
		VALUES ($1, $2, $3, $4, 'ours', $5)
		ON CONFLICT ON CONSTRAINT assignments_key_unique DO UPDATE SET standing = 'ours', next_try = LEAST(assignments.next_try, excluded.next_try),
			clear_since = CASE WHEN assignments.standing = 'ours' THEN assignments.clear_since END,
			absent_since = CASE WHEN assignments.standing = 'ours' THEN assignments.absent_since END,
			claim = '', lease_until = NULL
		RETURNING id`, k.InstanceARN, k.AccountID, k.PermissionSetARN, k.UserID, now).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("take an access over: %w", err)
	}
	return id, nil
}

// KeepFound marks an access that was found before our first create as standing.
// One that nobody found, or that is ours, stays as it is.
func (tx Tx) KeepFound(ctx context.Context, k change.AssignmentKey) error {
	_, err := tx.Exec(ctx, `UPDATE assignments SET standing = 'kept', claim = '', lease_until = NULL
		WHERE instance_arn = $1 AND account_id = $2 AND permission_set_arn = $3 AND user_id = $4 AND standing = 'found'`,
		k.InstanceARN, k.AccountID, k.PermissionSetARN, k.UserID)
	if err != nil {
		return fmt.Errorf("mark an access as standing: %w", err)
	}
	return nil
}

// HastenCensus makes the census due at a time, if that is sooner.
func (tx Tx) HastenCensus(ctx context.Context, instance string, at time.Time) error {
	if _, err := tx.Exec(ctx, `UPDATE census SET next_try = LEAST(next_try, $2) WHERE instance_arn = $1`, instance, at); err != nil {
		return fmt.Errorf("hasten the census: %w", err)
	}
	return nil
}
