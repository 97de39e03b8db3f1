package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// Delivery is a row of what another system is to hold.
type Delivery struct {
	change.Delivery
	ID         int64
	Wanted     int64 // the version to agree with; 1 for what is sent once
	Done       int64
	ExternalID string    // what the other system calls its copy; empty: none is known
	IntendedAt time.Time // since when the copy may exist; zero: it was never asked for
	Attempts   int
	LastError  string
	State      DeliveryState
	claim      string
}

// DeliveryState is what has become of a delivery.
type DeliveryState string

// The states of deliveries. A parked one has nowhere to go: its channel is
// archived, or the bot is not in it.
const (
	DeliveryOpen      DeliveryState = "open"
	DeliveryDone      DeliveryState = "done"
	DeliveryCancelled DeliveryState = "cancelled"
	DeliveryParked    DeliveryState = "parked"
	DeliveryRemoved   DeliveryState = "removed" // deleted again, for a newer message
)

const deliveryColumns = `id, number, kind, key, system, mode, recipient, ref, wanted, done, external_id, intended_at, attempts, last_error, state, claim`

func scanDelivery(row pgx.CollectableRow) (Delivery, error) {
	var d Delivery
	var ref []byte
	var number int64
	var intended *time.Time
	err := row.Scan(&d.ID, &number, &d.Kind, &d.Key, &d.Via, &d.Mode, &d.To, &ref, &d.Wanted, &d.Done, &d.ExternalID,
		&intended, &d.Attempts, &d.LastError, &d.State, &d.claim)
	if err != nil {
		return d, fmt.Errorf("read a delivery: %w", err)
	}
	d.Number, d.IntendedAt = change.Number(number), zero(intended)
	if err := json.Unmarshal(ref, &d.Ref); err != nil {
		return d, fmt.Errorf("decode delivery %d: %w", d.ID, err)
	}
	return d, nil
}

// PutDeliveries asks for deliveries. What was asked for before stays as it is;
// what converges is to agree with the new version.
func (tx Tx) PutDeliveries(_ context.Context, deliveries []change.Delivery, version int64, now time.Time) error {
	if len(deliveries) == 0 {
		return nil
	}
	for _, d := range deliveries {
		ref, err := json.Marshal(d.Ref)
		if err != nil {
			return fmt.Errorf("encode a delivery: %w", err)
		}
		wanted := int64(1)
		if d.Mode == change.Converge {
			wanted = version
		}
		at := now
		if !d.Due.IsZero() {
			at = d.Due
		}
		tx.later("ask for a delivery", nil, `INSERT INTO deliveries (number, kind, key, system, mode, recipient, ref, wanted, next_try)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT ON CONSTRAINT deliveries_key_unique DO UPDATE SET
				wanted = excluded.wanted,
				state = 'open',
				next_try = CASE WHEN deliveries.last_error = '' OR deliveries.next_try IS NULL THEN excluded.next_try ELSE deliveries.next_try END
			WHERE deliveries.mode = 'converge' AND deliveries.state <> 'parked' AND deliveries.wanted < excluded.wanted`,
			int64(d.Number), string(d.Kind), d.Key, string(d.System()), string(d.Mode), string(d.To), ref, wanted, at)
	}
	return nil
}

// TouchMessages makes messages agree with the newest version that no event asks
// for by name: cards that people were shown directly, and, where questions is
// set, those of approvers and signers, which are edited when somebody has decided.
func (tx Tx) TouchMessages(_ context.Context, n change.Number, version int64, now time.Time, questions bool) error {
	tx.later("bring messages up to date", nil, `UPDATE deliveries SET wanted = $2, state = 'open',
			next_try = CASE WHEN last_error = '' OR next_try IS NULL THEN $3 ELSE next_try END
		WHERE number = $1 AND mode = 'converge' AND wanted < $2 AND state <> 'parked'
		AND ((kind = 'card' AND recipient <> '') OR ($4 AND kind IN ('ask', 'sign_off')))`, int64(n), version, now, questions)
	return nil
}

// ClaimDelivery takes the oldest due delivery of a change for a system, until
// lease. It answers ErrNotFound when there is none.
func (l *Ledger) ClaimDelivery(ctx context.Context, n change.Number, system change.System, now, lease time.Time, claim string) (Delivery, error) {
	rows, err := l.pool.Query(ctx, `UPDATE deliveries SET claim = $5, lease_until = $4, next_try = $4, attempts = attempts + 1
		WHERE id = (
			SELECT id FROM deliveries
			WHERE number = $1 AND system = $2 AND next_try <= $3 AND (lease_until IS NULL OR lease_until <= $3)
			ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING `+deliveryColumns, int64(n), string(system), now, lease, claim)
	if err != nil {
		return Delivery{}, fmt.Errorf("claim a delivery: %w", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDelivery)
	if errors.Is(err, pgx.ErrNoRows) {
		return Delivery{}, ErrNotFound
	}
	return d, err
}

// Work is deliveries of one change that wait for one system.
type Work struct {
	Number change.Number
	System change.System
}

// WorkOf is the work of a change for a system, from their plain values: as a
// job's arguments hold them.
func WorkOf(number int64, system string) Work {
	return Work{Number: change.Number(number), System: change.System(system)}
}

// Systems lists the systems that deliveries go to.
func Systems() []change.System {
	return []change.System{change.SystemSlack, change.SystemJira, change.SystemIncident, change.SystemAWS, change.SystemForge}
}

// DueWork lists the changes with deliveries to a system that are due and that
// nobody works on, the longest waiting first, at most limit.
func (l *Ledger) DueWork(ctx context.Context, system change.System, now time.Time, limit int) ([]Work, error) {
	rows, err := l.pool.Query(ctx, `SELECT number, system FROM deliveries
		WHERE system = $3 AND next_try <= $1 AND (lease_until IS NULL OR lease_until <= $1)
		GROUP BY number, system ORDER BY min(next_try) LIMIT $2`, now, limit, string(system))
	if err != nil {
		return nil, fmt.Errorf("look for due deliveries: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Work, error) {
		var w Work
		var number int64
		err := row.Scan(&number, &w.System)
		w.Number = change.Number(number)
		return w, err
	})
}

// Intend records that a call which makes the copy is about to be sent. From
// then on the copy may exist. It answers ErrClaimLost when the claim is gone.
func (l *Ledger) Intend(ctx context.Context, d *Delivery, now time.Time) error {
	if !d.IntendedAt.IsZero() {
		return nil
	}
	if err := l.guarded(ctx, `UPDATE deliveries SET intended_at = $3 WHERE id = $1 AND claim = $2`, d.ID, d.claim, now); err != nil {
		return err
	}
	d.IntendedAt = Micro(now)
	return nil
}

// IntendAnew records that a call is sent once more, or that what may exist could
// not be looked for: the wait for it counts from now.
func (l *Ledger) IntendAnew(ctx context.Context, d *Delivery, now time.Time) error {
	d.IntendedAt = Micro(now)
	return l.guarded(ctx, `UPDATE deliveries SET intended_at = $3 WHERE id = $1 AND claim = $2`, d.ID, d.claim, now)
}

// Unintend records that the call is known to have made nothing.
func (l *Ledger) Unintend(ctx context.Context, d *Delivery) error {
	d.IntendedAt = time.Time{}
	return l.guarded(ctx, `UPDATE deliveries SET intended_at = NULL WHERE id = $1 AND claim = $2`, d.ID, d.claim)
}

// Reopen makes a delivery due that was done or cancelled. With lost, its copy is
// gone and is to be made anew.
func (l *Ledger) Reopen(ctx context.Context, id int64, lost bool, now time.Time) error {
	_, err := l.pool.Exec(ctx, `UPDATE deliveries SET state = 'open', next_try = $3, last_error = '',
			external_id = CASE WHEN $2 THEN '' ELSE external_id END,
			intended_at = CASE WHEN $2 THEN NULL ELSE intended_at END
		WHERE id = $1 AND state IN ('done', 'cancelled')`, id, lost, now)
	if err != nil {
		return fmt.Errorf("reopen a delivery: %w", err)
	}
	return nil
}

// Keep records what the other system calls its copy, while the delivery goes on.
func (l *Ledger) Keep(ctx context.Context, d *Delivery, external string) error {
	d.ExternalID = external
	return l.guarded(ctx, `UPDATE deliveries SET external_id = $3 WHERE id = $1 AND claim = $2`, d.ID, d.claim, external)
}

// Delivered records that the copy agrees with version d.Wanted, and when it is
// to be looked at again by itself: zero for never. What was asked for anew since
// the claim is due at once: it has pulled next_try before the lease's end.
func (l *Ledger) Delivered(ctx context.Context, d Delivery, external string, now, again time.Time) error {
	return l.guarded(ctx, `UPDATE deliveries SET done = $3, external_id = $4, last_error = '', attempts = 0, claim = '', lease_until = NULL,
			state = CASE WHEN wanted > $3 OR next_try < lease_until THEN 'open' ELSE 'done' END,
			next_try = CASE WHEN wanted > $3 OR next_try < lease_until THEN $5::TIMESTAMPTZ ELSE $6::TIMESTAMPTZ END
		WHERE id = $1 AND claim = $2`, d.ID, d.claim, d.Wanted, external, now, null(again))
}

const retry = `UPDATE deliveries SET next_try = $3, last_error = $4, claim = '', lease_until = NULL WHERE id = $1 AND claim = $2`

// Retry puts a delivery off that failed, with what it is waiting for. It waits
// that long whatever was asked for since: the other system may have demanded it.
func (l *Ledger) Retry(ctx context.Context, d Delivery, at time.Time, lastError string) error {
	return l.guarded(ctx, retry, d.ID, d.claim, at, lastError)
}

// End stops a delivery that is no longer right, or that has nowhere to go. What
// was asked for anew since the claim is due all the same.
func (l *Ledger) End(ctx context.Context, d Delivery, state DeliveryState, why string) error {
	return l.guarded(ctx, `UPDATE deliveries SET last_error = $4, claim = '', lease_until = NULL,
			state = CASE WHEN next_try < lease_until THEN 'open' ELSE $3 END,
			next_try = CASE WHEN next_try < lease_until THEN next_try END
		WHERE id = $1 AND claim = $2`, d.ID, d.claim, string(state), why)
}

func (l *Ledger) guarded(ctx context.Context, sql string, args ...any) error {
	tag, err := l.pool.Exec(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("store the result of a delivery: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return ErrClaimLost
	}
	return nil
}

// Deliveries lists the deliveries of a change, oldest first.
func (l *Ledger) Deliveries(ctx context.Context, n change.Number) ([]Delivery, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM deliveries WHERE number = $1 ORDER BY id`, int64(n))
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return pgx.CollectRows(rows, scanDelivery)
}

// DeliveryOf reads one delivery of a change. It answers ErrNotFound when there
// is none.
func (l *Ledger) DeliveryOf(ctx context.Context, n change.Number, kind change.DeliveryKind, key string) (Delivery, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM deliveries WHERE number = $1 AND kind = $2 AND key = $3`, int64(n), string(kind), key)
	if err != nil {
		return Delivery{}, fmt.Errorf("read a delivery: %w", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDelivery)
	if errors.Is(err, pgx.ErrNoRows) {
		return Delivery{}, ErrNotFound
	}
	return d, err
}

// FoundPosted writes down where the message of a delivery stands, when somebody
// else than its reconciler has found it. It answers ErrNotFound when no such
// message is under way.
func (l *Ledger) FoundPosted(ctx context.Context, n change.Number, id int64, external string) (Delivery, error) {
	rows, err := l.pool.Query(ctx, `UPDATE deliveries SET external_id = $3
		WHERE id = $1 AND number = $2 AND external_id = '' AND intended_at IS NOT NULL RETURNING `+deliveryColumns, id, int64(n), external)
	if err != nil {
		return Delivery{}, fmt.Errorf("write a message down: %w", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDelivery)
	if errors.Is(err, pgx.ErrNoRows) {
		return Delivery{}, ErrNotFound
	}
	return d, err
}

// Waiting tells what a change waits for: the systems whose deliveries fail, with
// the last error of each. Of the deliveries in but it tells nothing.
func (l *Ledger) Waiting(ctx context.Context, n change.Number, but ...int64) (map[change.System]string, error) {
	rows, err := l.pool.Query(ctx, `SELECT DISTINCT ON (system) system, last_error FROM deliveries
		WHERE number = $1 AND next_try IS NOT NULL AND last_error <> '' AND id <> ALL ($2) ORDER BY system, id DESC`, int64(n), append([]int64{}, but...))
	if err != nil {
		return nil, fmt.Errorf("read what is waited for: %w", err)
	}
	waiting := map[change.System]string{}
	var system, why string
	_, err = pgx.ForEachRow(rows, []any{&system, &why}, func() error {
		waiting[change.System(system)] = why
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is waited for: %w", err)
	}
	return waiting, nil
}

// Refresh makes a delivery that converges due again, though its change has not
// altered: what it shows besides the change has.
func (l *Ledger) Refresh(ctx context.Context, n change.Number, kind change.DeliveryKind, now time.Time) error {
	_, err := l.pool.Exec(ctx, `UPDATE deliveries SET state = 'open', next_try = LEAST(next_try, $3)
		WHERE number = $1 AND kind = $2 AND mode = 'converge' AND last_error = '' AND state <> 'parked'`, int64(n), string(kind), now)
	if err != nil {
		return fmt.Errorf("refresh a delivery: %w", err)
	}
	return nil
}

// Put asks for deliveries outside a command: those that a reconciler finds out
// about, such as one ask for each approver. It waits for a command that is under
// way: what that brings up to date, it has looked for already, so that a message
// put before its end would stay as the change was before.
func (l *Ledger) Put(ctx context.Context, deliveries []change.Delivery, version int64, now time.Time) error {
	return l.InTx(ctx, func(tx Tx) error {
		var numbers []int64
		for _, d := range deliveries {
			numbers = append(numbers, int64(d.Number))
		}
		if _, err := tx.Exec(ctx, `SELECT FROM changes WHERE number = ANY ($1) ORDER BY number FOR UPDATE`, numbers); err != nil {
			return fmt.Errorf("wait for commands to end: %w", err)
		}
		return tx.PutDeliveries(ctx, deliveries, version, now)
	})
}

// OlderReminders lists the reminders of the same obligation to the same person
// that were posted before this one and still stand.
func (l *Ledger) OlderReminders(ctx context.Context, d Delivery) ([]Delivery, error) {
	rows, err := l.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM deliveries
		WHERE number = $1 AND kind = 'reminder' AND recipient = $2 AND id < $3 AND external_id <> '' AND state <> 'removed'
		AND ref ->> 'obligation' = $4 AND coalesce((ref ->> 'item')::INT, 0) = $5 ORDER BY id`,
		int64(d.Number), string(d.To), d.ID, string(d.Ref.Obligation), d.Ref.Item)
	if err != nil {
		return nil, fmt.Errorf("look for older reminders: %w", err)
	}
	return pgx.CollectRows(rows, scanDelivery)
}

// Removed records that a message has been deleted, so that nothing more is done
// about it: it would be posted again. Whoever works on it has lost it. Where it
// stood stays known: somebody may have clicked it at that very moment.
func (l *Ledger) Removed(ctx context.Context, id int64) error {
	if _, err := l.pool.Exec(ctx, `UPDATE deliveries SET state = $2, next_try = NULL, last_error = '', claim = '', lease_until = NULL WHERE id = $1`, id, string(DeliveryRemoved)); err != nil {
		return fmt.Errorf("record that a message is gone: %w", err)
	}
	return nil
}
