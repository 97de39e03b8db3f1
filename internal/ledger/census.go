package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// CensusPair is what one look of the census is about: an account and a
// permission set. The zero value comes before every other.
type CensusPair struct{ AccountID, PermissionSetARN string }

// Census is how far the census of an instance has come.
type Census struct {
	InstanceARN string
	Began       time.Time  // of the round under way; zero: none is
	Cursor      CensusPair // the last pair that the round is done with
	Pairs       int        // so many it is done with
	Skipped     int        // of them, those that AWS did not let it look at
	Tries       int        // about the next pair AWS gave no answer so often in a row
	LastBegan   time.Time  // of the last full round; zero: there was none
	LastEnded   time.Time
	LastPairs   int
	LastSkipped int
	claim       string
}

// EnsureCensus makes the row of an instance's census, first due at first, or lets
// one that waits be due by its round's beginning and every.
func (l *Ledger) EnsureCensus(ctx context.Context, instance string, first time.Time, every time.Duration) error {
	_, err := l.pool.Exec(ctx, `INSERT INTO census (instance_arn, next_try) VALUES ($1, $2)
		ON CONFLICT ON CONSTRAINT census_pkey DO UPDATE SET next_try = LEAST(census.next_try, COALESCE(census.last_began_at + $3::INTERVAL, census.next_try))`,
		instance, first, every)
	if err != nil {
		return fmt.Errorf("make the census: %w", err)
	}
	return nil
}

// ClaimCensus takes a census that is due until lease. It answers ErrNotFound
// when it is not due, or somebody has it.
func (l *Ledger) ClaimCensus(ctx context.Context, instance string, now, lease time.Time, claim string) (Census, error) {
	c := Census{InstanceARN: instance, claim: claim}
	var began, lastBegan, lastEnded *time.Time
	err := l.pool.QueryRow(ctx, `UPDATE census SET claim = $4, lease_until = $3
		WHERE instance_arn = $1 AND next_try <= $2 AND (lease_until IS NULL OR lease_until <= $2)
		RETURNING began_at, cursor_account, cursor_permission_set, pairs, skipped, tries, last_began_at, last_ended_at, last_pairs, last_skipped`,
		instance, now, lease, claim).Scan(&began, &c.Cursor.AccountID, &c.Cursor.PermissionSetARN, &c.Pairs, &c.Skipped, &c.Tries,
		&lastBegan, &lastEnded, &c.LastPairs, &c.LastSkipped)
	if errors.Is(err, pgx.ErrNoRows) {
		return Census{}, ErrNotFound
	}
	if err != nil {
		return Census{}, fmt.Errorf("claim the census: %w", err)
	}
	c.Began, c.LastBegan, c.LastEnded = zero(began), zero(lastBegan), zero(lastEnded)
	return c, nil
}

// SaveCensus stores how far the census has come, keeping the claim until lease.
// It answers ErrClaimLost when the claim is gone.
func (tx Tx) SaveCensus(ctx context.Context, c Census, lease time.Time) error {
	return tx.saveCensus(ctx, c, `UPDATE census SET began_at = $3, cursor_account = $4, cursor_permission_set = $5, pairs = $6, skipped = $7,
		tries = $8, last_began_at = $9, last_ended_at = $10, last_pairs = $11, last_skipped = $12, lease_until = $13
		WHERE instance_arn = $1 AND claim = $2`, lease)
}

// ReleaseCensus stores how far the census has come and gives the claim back. It
// is due at next, or when a finding is to be looked at, if that is sooner.
func (l *Ledger) ReleaseCensus(ctx context.Context, c Census, next time.Time) error {
	return l.InTx(ctx, func(tx Tx) error {
		return tx.saveCensus(ctx, c, `UPDATE census SET began_at = $3, cursor_account = $4, cursor_permission_set = $5, pairs = $6, skipped = $7,
			tries = $8, last_began_at = $9, last_ended_at = $10, last_pairs = $11, last_skipped = $12,
			next_try = LEAST($13, CASE WHEN $8 = 0 THEN (SELECT min(next_look_at) FROM census_findings WHERE instance_arn = $1) END),
			claim = '', lease_until = NULL WHERE instance_arn = $1 AND claim = $2`, next)
	})
}

func (tx Tx) saveCensus(ctx context.Context, c Census, sql string, last time.Time) error {
	tag, err := tx.Exec(ctx, sql, c.InstanceARN, c.claim, null(c.Began), c.Cursor.AccountID, c.Cursor.PermissionSetARN, c.Pairs, c.Skipped,
		c.Tries, null(c.LastBegan), null(c.LastEnded), c.LastPairs, c.LastSkipped, last)
	if err != nil {
		return fmt.Errorf("save the census: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return ErrClaimLost
	}
	return nil
}

// CensusGlance is what the census asks about a pair before it looks closer.
type CensusGlance struct {
	Known bool // the ledger has an assignment or a live finding of the pair
	Busy  bool // an access is to be made or removed, or is being
}

// Glance answers what the ledger has to do with a pair, and whether there is
// more urgent work for AWS.
func (l *Ledger) Glance(ctx context.Context, instance string, p CensusPair, now time.Time) (CensusGlance, error) {
	var g CensusGlance
	err := l.pool.QueryRow(ctx, `SELECT
		EXISTS (SELECT 1 FROM assignments WHERE instance_arn = $1 AND account_id = $2 AND permission_set_arn = $3)
		OR EXISTS (SELECT 1 FROM census_findings WHERE instance_arn = $1 AND account_id = $2 AND permission_set_arn = $3
			AND state IN ('suspected', 'open', 'standing', 'ending')),
		EXISTS (SELECT 1 FROM assignments WHERE next_try IS NOT NULL AND (next_try <= $4 OR operation <> ''))`,
		instance, p.AccountID, p.PermissionSetARN, now).Scan(&g.Known, &g.Busy)
	if err != nil {
		return g, fmt.Errorf("glance at a pair: %w", err)
	}
	return g, nil
}

// DueCensusPair answers a pair that is to be looked at besides the rounds: one of
// a finding whose time has come, or of an access that an active change has and
// that was not looked at since before. It answers ErrNotFound when there is none.
func (l *Ledger) DueCensusPair(ctx context.Context, instance string, now, before time.Time) (CensusPair, error) {
	var p CensusPair
	err := l.pool.QueryRow(ctx, `SELECT account_id, permission_set_arn FROM (
			SELECT account_id, permission_set_arn, next_look_at AS at FROM census_findings WHERE instance_arn = $1 AND next_look_at <= $2
			UNION ALL
			SELECT a.account_id, a.permission_set_arn, COALESCE(GREATEST(a.counted_at, a.seen_at), 'epoch') FROM grants g
			JOIN assignments a ON a.id = g.assignment_id JOIN changes c ON c.number = g.number
			WHERE NOT g.over AND g.wanted AND c.phase = 'active' AND a.instance_arn = $1 AND a.operation = ''
			AND COALESCE(GREATEST(a.counted_at, a.seen_at), 'epoch') <= $3
		) due ORDER BY at LIMIT 1`, instance, now, before).Scan(&p.AccountID, &p.PermissionSetARN)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ErrNotFound
	}
	if err != nil {
		return p, fmt.Errorf("look for a pair that is due: %w", err)
	}
	return p, nil
}

// CensusFigures are what is measured of the census.
type CensusFigures struct {
	Pairs       int                          // of the round under way; 0 where none is
	LastPairs   int                          // of the last full round
	LastSkipped int                          // of them, those that AWS did not let it look at
	LastTook    time.Duration                // how long it took
	LastEnded   time.Time                    // zero: there was none
	Open        map[change.FindingKind]int64 // findings that were told and are neither closed nor marked as standing
}

// CensusFigures measures the census of all instances together.
func (l *Ledger) CensusFigures(ctx context.Context) (CensusFigures, error) {
	f := CensusFigures{Open: map[change.FindingKind]int64{}}
	for _, k := range change.FindingKinds() {
		f.Open[k] = 0
	}
	var began, ended *time.Time
	err := l.pool.QueryRow(ctx, `SELECT pairs, last_pairs, last_skipped, last_began_at, last_ended_at FROM census
		ORDER BY last_ended_at DESC NULLS LAST LIMIT 1`).Scan(&f.Pairs, &f.LastPairs, &f.LastSkipped, &began, &ended)
	if errors.Is(err, pgx.ErrNoRows) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("measure the census: %w", err)
	}
	if ended != nil && began != nil {
		f.LastEnded, f.LastTook = zero(ended), ended.Sub(*began)
	}
	rows, err := l.pool.Query(ctx, `SELECT kind, count(*) FROM census_findings WHERE state IN ('open', 'ending') GROUP BY kind`)
	if err != nil {
		return f, fmt.Errorf("count findings: %w", err)
	}
	var kind string
	var n int64
	if _, err = pgx.ForEachRow(rows, []any{&kind, &n}, func() error {
		f.Open[change.FindingKind(kind)] = n
		return nil
	}); err != nil {
		return f, fmt.Errorf("count findings: %w", err)
	}
	return f, nil
}
