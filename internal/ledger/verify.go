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

// FindingKind says what does not hold.
type FindingKind string

// The kinds of findings.
const (
	FindingGap        FindingKind = "gap"        // a sequence number or a change is missing
	FindingLink       FindingKind = "link"       // an event does not follow from the one before it
	FindingBody       FindingKind = "body"       // an event's body is not what was written
	FindingColumn     FindingKind = "column"     // a column disagrees with what it was taken from
	FindingText       FindingKind = "text"       // a text is not the one that was written
	FindingTime       FindingKind = "time"       // an event lies before the one before it
	FindingHead       FindingKind = "head"       // the chain does not end where it is said to end
	FindingRow        FindingKind = "row"        // the change is not what its last event left
	FindingObligation FindingKind = "obligation" // an obligation disagrees with itself
	FindingSeal       FindingKind = "seal"       // a chain is not what was sealed, or a seal does not hold
)

// Finding is something that does not hold. Of each chain, and of each row, the
// first is told.
type Finding struct {
	Kind  FindingKind
	Chain int64  // the number of the change; 0 for the system chain, -1 for that of the seals
	Seq   int64  // of the event, or of the seal; 0 where none is meant
	Say   string // the whole of it in a sentence: "EC-12, event 5: …"
}

// String gives the sentence.
func (f Finding) String() string { return f.Say }

// Summary is what Verify has looked at.
type Summary struct {
	Changes  int64
	Events   int64
	Texts    int64 // texts that are there, and are the ones that were written
	Erased   int64 // texts that were taken away; their hashes stay
	Seals    int64
	Newest   change.Seal // the newest seal; zero while there is none
	Findings int64
}

// String says what was checked, and whether anything is wrong.
func (s Summary) String() string {
	found := "nothing is wrong"
	if s.Findings == 1 {
		found = "1 thing is wrong"
	} else if s.Findings > 1 {
		found = strconv.FormatInt(s.Findings, 10) + " things are wrong"
	}
	return fmt.Sprintf("%s, %s, %s (%d more erased), %s: %s.", count(s.Changes, "change"), count(s.Events, "event"), count(s.Texts, "text"), s.Erased, count(s.Seals, "seal"), found)
}

func count(n int64, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.FormatInt(n, 10) + " " + of + "s"
}

// Sealed says what the newest seal is, to be compared with the audit channel;
// empty while there is none.
func (s Summary) Sealed() string {
	if s.Newest.Number == 0 {
		return ""
	}
	return fmt.Sprintf("The newest seal is number %d of %s: %s. The audit channel has to say the same.", s.Newest.Number, s.Newest.Day, s.Newest.Hash)
}

// Verify checks the whole trail, as it is at one moment: every chain of events
// with its texts, that each chain ends where its head says, that every change is
// what its last event left, and that nothing sealed has been altered. It tells report of what does not hold,
// chain by chain, and goes on with the next. Its memory does not grow with the
// trail. An error means that the database did not answer.
func (l *Ledger) Verify(ctx context.Context, report func(Finding)) (Summary, error) {
	return l.verify(ctx, report, (*verifier).all)
}

// VerifyChange checks one change and its chain, as Verify does. A change that
// does not exist is a gap.
func (l *Ledger) VerifyChange(ctx context.Context, n change.Number, report func(Finding)) (Summary, error) {
	return l.verify(ctx, report, func(v *verifier, ctx context.Context) error {
		rows, err := v.rows(ctx, int64(n)-1, 1)
		if err != nil {
			return err
		}
		if len(rows) == 0 || rows[0].number != int64(n) {
			v.missing(int64(n), int64(n))
			return nil
		}
		return v.page(ctx, rows)
	})
}

func (l *Ledger) verify(ctx context.Context, report func(Finding), look func(*verifier, context.Context) error) (Summary, error) {
	ctx = takingTime(ctx)
	tx, err := l.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return Summary{}, fmt.Errorf("begin to verify: %w", err)
	}
	v := &verifier{tx: tx, report: report}
	// What is looked for in the whole of a large ledger takes longer than a statement may.
	if _, err = tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
		err = fmt.Errorf("take the time to verify: %w", err)
	} else {
		err = look(v, ctx)
	}
	if rollback := tx.Rollback(context.WithoutCancel(ctx)); rollback != nil && !errors.Is(rollback, pgx.ErrTxClosed) {
		err = errors.Join(err, fmt.Errorf("end the verification: %w", rollback))
	}
	return v.sum, err
}

type verifier struct {
	tx     pgx.Tx
	report func(Finding)
	sum    Summary
}

func (v *verifier) find(kind FindingKind, chain, seq int64, format string, args ...any) {
	v.sum.Findings++
	v.report(Finding{Kind: kind, Chain: chain, Seq: seq, Say: place(chain, seq) + ": " + fmt.Sprintf(format, args...)})
}

// place names a chain, an event of it, or a seal.
func place(chain, seq int64) string {
	switch {
	case chain == sealChain && seq > 0:
		return fmt.Sprintf("seal %d", seq)
	case chain == sealChain:
		return "the seals"
	}
	name := "the system chain"
	if chain != systemChain {
		name = change.Number(chain).String()
	}
	if seq > 0 {
		name = fmt.Sprintf("%s, event %d", name, seq)
	}
	return name
}

// page is how many changes are read at once; their events are streamed by one query.
const page = 200

func (v *verifier) all(ctx context.Context) error {
	if err := v.system(ctx); err != nil {
		return err
	}
	last := int64(0)
	for {
		rows, err := v.rows(ctx, last, page)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			v.missing(last+1, rows[0].number-1)
			last = rows[len(rows)-1].number
			if err := v.page(ctx, rows); err != nil {
				return err
			}
		}
		if len(rows) < page {
			break
		}
	}
	if err := v.population(ctx, last+1); err != nil {
		return err
	}
	return v.seals(ctx)
}

// missing tells of changes that are not there.
func (v *verifier) missing(from, to int64) {
	switch {
	case from == to:
		v.find(FindingGap, from, 0, "this change is missing")
	case from < to:
		v.find(FindingGap, from, 0, "this change and all up to %s are missing", change.Number(to))
	}
}

// population checks that the changes are as many as numbers were given, and that
// no chain is without its change.
func (v *verifier) population(ctx context.Context, next int64) error {
	var given int64
	err := v.tx.QueryRow(ctx, `SELECT coalesce((SELECT last FROM numbers WHERE name = 'change'), -1)`).Scan(&given)
	if err != nil {
		return fmt.Errorf("read the last number: %w", err)
	}
	v.missing(next, given)
	if given < next-1 {
		v.find(FindingHead, next-1, 0, "this change exists though the last number given is %d", max(given, 0))
	}
	rows, err := v.tx.Query(ctx, `SELECT DISTINCT e.chain FROM events e
		WHERE e.chain <> $1 AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.number = e.chain) ORDER BY e.chain`, systemChain)
	if err != nil {
		return fmt.Errorf("look for chains without a change: %w", err)
	}
	var orphan int64
	if _, err = pgx.ForEachRow(rows, []any{&orphan}, func() error {
		v.find(FindingHead, orphan, 1, "there are events though there is no such change")
		return nil
	}); err != nil {
		return fmt.Errorf("look for chains without a change: %w", err)
	}
	return nil
}

// system checks the chain of what belongs to no change.
func (v *verifier) system(ctx context.Context) error {
	var head chainHead
	var at *time.Time
	err := v.tx.QueryRow(ctx, `SELECT last_seq, last_hash, CASE WHEN last_at = '-infinity' THEN NULL ELSE last_at END FROM chains WHERE chain = $1`,
		systemChain).Scan(&head.seq, &head.hash, &at)
	if errors.Is(err, pgx.ErrNoRows) {
		v.find(FindingHead, systemChain, 0, "its head is missing")
	} else if err != nil {
		return fmt.Errorf("read the head of the system chain: %w", err)
	}
	head.at = zero(at)
	end := newChainEnd()
	err = v.events(ctx, systemChain, systemChain, func(chain int64, e *storedEvent) { v.check(chain, &end, e) })
	if err == nil {
		v.end(systemChain, head, &end)
	}
	return err
}
