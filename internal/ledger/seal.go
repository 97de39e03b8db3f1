package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// sealChain is the chain of the seals. Its entries stand in a table of their own.
const sealChain = -1

// sealOverlap is how far a seal looks back behind the one before it: for what
// was being written while that was made, and for replicas whose clock is late.
const sealOverlap = 24 * time.Hour

// ErrSealing says that another replica makes the seal at this moment.
var ErrSealing = errors.New("somebody else is sealing")

// sealBody is what is hashed of a seal; its form is that of events' bodies.
type sealBody struct {
	Seal   int64  `json:"seal"`
	Day    string `json:"day"`
	After  string `json:"after,omitempty"` // day of the seal before it
	At     string `json:"at"`
	Chains int64  `json:"chains"`
	Heads  string `json:"heads"`
}

// Seal seals the days up to day, at now, unless that is done already or nothing
// had happened by the day's end: it writes down the heads of all chains that have
// changed since they were last sealed. With post, the seal is told to the audit
// channel. It answers ErrSealing while another replica does it.
func (l *Ledger) Seal(ctx context.Context, day change.Day, now time.Time, post bool) error {
	return l.InTx(ctx, func(tx Tx) error {
		var head Head
		err := tx.QueryRow(ctx, `SELECT last_seq, last_hash, CASE WHEN last_at = '-infinity' THEN NULL ELSE last_at END
			FROM chains WHERE chain = $1 FOR UPDATE SKIP LOCKED`, sealChain).Scan(&head.seq, &head.hash, (*nullTime)(&head.at))
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrSealing
		}
		if err != nil {
			return fmt.Errorf("read the head of the seals: %w", err)
		}
		var last time.Time
		if err := tx.QueryRow(ctx, `SELECT max(day) FROM seals`).Scan((*nullTime)(&last)); err != nil {
			return fmt.Errorf("read the newest seal: %w", err)
		}
		if !last.IsZero() && !day.Start().After(last) {
			return nil
		}
		heard, err := tx.heardBefore(ctx, day.End())
		if err != nil || !heard {
			return err
		}
		s := change.Seal{Number: head.seq + 1, Day: day, At: Micro(now)}
		if !last.IsZero() {
			s.After = change.DayOf(last)
		}
		if s.At.Before(head.at) {
			s.At = head.at
		}
		return tx.seal(ctx, head, s, post)
	})
}

// heardBefore tells whether anything at all had happened before a time.
func (tx Tx) heardBefore(ctx context.Context, at time.Time) (heard bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM events WHERE chain IN ($1, 1) AND seq = 1 AND at < $2)`, systemChain, at).Scan(&heard)
	if err != nil {
		return false, fmt.Errorf("look for the first event: %w", err)
	}
	return heard, nil
}

func (tx Tx) seal(ctx context.Context, head Head, s change.Seal, post bool) error {
	var since time.Time
	if !head.at.IsZero() {
		since = head.at.Add(-sealOverlap)
	}
	// The first one of a large ledger takes longer than a statement may.
	ctx = takingTime(ctx)
	if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
		return fmt.Errorf("take the time to seal: %w", err)
	}
	if _, err := tx.Exec(ctx, takeHeads, s.Number, since, systemChain); err != nil {
		return fmt.Errorf("take the heads: %w", err)
	}
	lines := newHeadLines()
	rows, err := tx.Query(ctx, `SELECT chain, seq, hash FROM seal_heads WHERE seal = $1 ORDER BY chain`, s.Number)
	if err != nil {
		return fmt.Errorf("read the heads: %w", err)
	}
	var chain, seq int64
	var hash string
	if _, err := pgx.ForEachRow(rows, []any{&chain, &seq, &hash}, func() error {
		lines.add(chain, seq, hash)
		return nil
	}); err != nil {
		return fmt.Errorf("read the heads: %w", err)
	}
	s.Chains, s.Heads = lines.count, lines.digest()
	text, err := canonical(sealBody{Seal: s.Number, Day: s.Day.String(), After: s.After.String(), At: s.At.Format(time.RFC3339Nano), Chains: s.Chains, Heads: s.Heads})
	if err != nil {
		return fmt.Errorf("encode a seal: %w", err)
	}
	s.Hash = link(head.hash, text)
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE chains SET last_seq = $2, last_hash = $3, last_at = $4 WHERE chain = $1`, sealChain, s.Number, s.Hash, s.At)
	batch.Queue(`INSERT INTO seals (number, day, at, body, hash) VALUES ($1, $2, $3, $4, $5)`, s.Number, s.Day.Start(), s.At, text, s.Hash)
	tx.run(batch, "write a seal")
	if !post {
		return nil
	}
	return tx.PutDeliveries(ctx, []change.Delivery{{Number: noChange, Kind: change.DeliverSeal, Key: strconv.FormatInt(s.Number, 10), Mode: change.Once}}, 1, s.At)
}

// takeHeads reads only the chains that have had events since a time. A head that
// was sealed before is not sealed again, even where its hash is another now:
// that is for the verification to tell. OFFSET 0 has each looked up by itself,
// where Postgres might read all heads that there are.
const takeHeads = `INSERT INTO seal_heads (seal, chain, seq, hash)
	SELECT $1, h.chain, h.seq, h.hash FROM (
		SELECT c.number AS chain, c.last_seq AS seq, c.last_hash AS hash FROM changes c WHERE c.last_at >= $2
		UNION ALL
		SELECT c.chain, c.last_seq, c.last_hash FROM chains c WHERE c.chain = $3 AND c.last_seq > 0) h
	WHERE NOT EXISTS (SELECT 1 FROM seal_heads s WHERE s.chain = h.chain AND s.seq = h.seq OFFSET 0)`

// headLines is the digest of heads: of lines of chain, sequence number and hash,
// in the order of the chains.
type headLines struct {
	sum   hash.Hash
	count int64
}

func newHeadLines() *headLines { return &headLines{sum: sha256.New()} }

func (h *headLines) add(chain, seq int64, hash string) {
	h.count++
	_, _ = fmt.Fprintf(h.sum, "%d %d %s\n", chain, seq, hash) // a hash never fails to take bytes
}

func (h *headLines) digest() string { return hex.EncodeToString(h.sum.Sum(nil)) }

// SealNumbered reads a seal. It answers ErrNotFound when there is none.
func (l *Ledger) SealNumbered(ctx context.Context, number int64) (change.Seal, error) {
	var text, hash string
	err := l.pool.QueryRow(ctx, `SELECT body, hash FROM seals WHERE number = $1`, number).Scan(&text, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return change.Seal{}, fmt.Errorf("seal %d: %w", number, ErrNotFound)
	}
	if err != nil {
		return change.Seal{}, fmt.Errorf("read a seal: %w", err)
	}
	return decodeSeal(text, hash)
}

// decodeSeal reads the body of a seal.
func decodeSeal(text, hash string) (change.Seal, error) {
	var b sealBody
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return change.Seal{}, fmt.Errorf("decode a seal: %w", err)
	}
	s := change.Seal{Number: b.Seal, Chains: b.Chains, Heads: b.Heads, Hash: hash}
	var err error
	if s.Day, err = change.ParseDay(b.Day); err != nil {
		return s, err
	}
	if b.After != "" {
		if s.After, err = change.ParseDay(b.After); err != nil {
			return s, err
		}
	}
	if s.At, err = time.Parse(time.RFC3339Nano, b.At); err != nil {
		return s, fmt.Errorf("decode a seal: %w", err)
	}
	return s, nil
}
