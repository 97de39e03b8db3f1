package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// storedSeal is a seal as it stands in the table.
type storedSeal struct {
	number     int64
	day, at    time.Time
	body, hash string
}

// seals checks the chain of seals, the heads that each holds, that every sealed
// event is still there, and that the system chain tells of the same seals.
func (v *verifier) seals(ctx context.Context) error {
	rows, err := v.tx.Query(ctx, `SELECT number, day, at, body, hash FROM seals ORDER BY number`) // one a day
	if err != nil {
		return fmt.Errorf("read the seals: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (storedSeal, error) {
		var s storedSeal
		err := row.Scan(&s.number, &s.day, &s.at, &s.body, &s.hash)
		return s, err
	})
	if err != nil {
		return fmt.Errorf("read the seals: %w", err)
	}
	v.sum.Seals = int64(len(all))
	hashes := map[int64]string{}
	bad := false
	var before storedSeal
	for i := range all {
		s := &all[i]
		hashes[s.number] = s.hash
		if !bad { // what follows a broken link says nothing new
			if bad, err = v.seal(ctx, &before, s); err != nil {
				return err
			}
		}
		before = *s
	}
	if before.number > 0 {
		if v.sum.Newest, err = decodeSeal(before.body, before.hash); err != nil {
			v.sum.Newest = change.Seal{Number: before.number, Hash: before.hash} // told already
		}
	}
	if err := v.sealHead(ctx, &before, bad); err != nil {
		return err
	}
	if err := v.sealedGone(ctx); err != nil {
		return err
	}
	return v.toldSeals(ctx, hashes)
}

// seal checks one seal behind the one before it, and tells whether something is
// wrong with it.
func (v *verifier) seal(ctx context.Context, before, s *storedSeal) (bad bool, err error) {
	kind, say, b := sealProblem(before, s)
	if say == "" {
		lines := newHeadLines()
		rows, err := v.tx.Query(ctx, `SELECT chain, seq, hash FROM seal_heads WHERE seal = $1 ORDER BY chain, seq`, s.number)
		if err != nil {
			return false, fmt.Errorf("read the heads of a seal: %w", err)
		}
		var chain, seq int64
		var hash string
		if _, err := pgx.ForEachRow(rows, []any{&chain, &seq, &hash}, func() error {
			lines.add(chain, seq, hash)
			return nil
		}); err != nil {
			return false, fmt.Errorf("read the heads of a seal: %w", err)
		}
		switch {
		case lines.count != b.Chains:
			kind, say = FindingSeal, fmt.Sprintf("it was made of %d heads, and %d are there", b.Chains, lines.count)
		case lines.digest() != b.Heads:
			kind, say = FindingSeal, "its heads are not those that it was made of"
		}
	}
	if say != "" {
		v.find(kind, sealChain, s.number, "%s", say)
	}
	return say != "", nil
}

// sealProblem checks what a seal says of itself. say is empty when it holds.
func sealProblem(before, s *storedSeal) (kind FindingKind, say string, b sealBody) {
	if s.number != before.number+1 {
		return FindingGap, fmt.Sprintf("follows seal %d: what was between them is missing", before.number), b
	}
	if s.hash != link(before.hash, s.body) {
		return FindingLink, "its hash does not follow from its body and the seal before it", b
	}
	if err := json.Unmarshal([]byte(s.body), &b); err != nil {
		return FindingBody, "its body is not JSON", b
	}
	if again, err := canonical(b); err != nil || again != s.body {
		return FindingBody, "its body is not in the form that breakglass writes", b
	}
	seal, err := decodeSeal(s.body, s.hash)
	if err != nil {
		return FindingBody, "its body holds no day or no time", b
	}
	after := ""
	if before.number > 0 {
		after = change.DayOf(before.day).String()
	}
	for _, c := range []struct {
		column string
		agrees bool
	}{
		{"number", seal.Number == s.number}, {"day", seal.Day.Equal(change.DayOf(s.day))}, {"at", seal.At.Equal(s.at)},
	} {
		if !c.agrees {
			return FindingColumn, "its column " + c.column + " disagrees with its body", b
		}
	}
	if b.After != after || !s.day.After(before.day) || s.at.Before(before.at) {
		return FindingTime, fmt.Sprintf("its day %s does not follow that of the seal before it", b.Day), b
	}
	return "", "", b
}

// sealHead compares the end of the chain of seals with its head, and looks for
// heads without a seal.
func (v *verifier) sealHead(ctx context.Context, end *storedSeal, bad bool) error {
	var head chainHead
	err := v.tx.QueryRow(ctx, `SELECT last_seq, last_hash FROM chains WHERE chain = $1`, sealChain).Scan(&head.seq, &head.hash)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		v.find(FindingHead, sealChain, 0, "their head is missing")
	case err != nil:
		return fmt.Errorf("read the head of the seals: %w", err)
	case bad:
	case end.number < head.seq:
		v.find(FindingHead, sealChain, 0, "the last is number %d, and was %d: the end is missing", end.number, head.seq)
	case end.number > head.seq:
		v.find(FindingHead, sealChain, 0, "the last is number %d, though the head says %d", end.number, head.seq)
	case end.hash != head.hash:
		v.find(FindingHead, sealChain, 0, "the head's hash is not that of seal %d", end.number)
	}
	rows, err := v.tx.Query(ctx, `SELECT h.seal, count(*) FROM seal_heads h WHERE NOT EXISTS (SELECT 1 FROM seals s WHERE s.number = h.seal)
		GROUP BY h.seal ORDER BY h.seal`)
	if err != nil {
		return fmt.Errorf("look for heads without a seal: %w", err)
	}
	var seal, heads int64
	if _, err := pgx.ForEachRow(rows, []any{&seal, &heads}, func() error {
		v.find(FindingSeal, sealChain, seal, "%d heads of it are there, though the seal is gone", heads)
		return nil
	}); err != nil {
		return fmt.Errorf("look for heads without a seal: %w", err)
	}
	return nil
}

// sealedGone tells of events that were sealed and are not there any more, the
// first of each chain.
func (v *verifier) sealedGone(ctx context.Context) error {
	rows, err := v.tx.Query(ctx, `SELECT DISTINCT ON (h.chain) h.chain, h.seq, h.seal FROM seal_heads h
		WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.chain = h.chain AND e.seq = h.seq) ORDER BY h.chain, h.seq`)
	if err != nil {
		return fmt.Errorf("look for sealed events: %w", err)
	}
	var chain, seq, seal int64
	if _, err := pgx.ForEachRow(rows, []any{&chain, &seq, &seal}, func() error {
		v.find(FindingSeal, chain, seq, "it was sealed by seal %d, and is gone", seal)
		return nil
	}); err != nil {
		return fmt.Errorf("look for sealed events: %w", err)
	}
	return nil
}

// toldSeals compares the seals with what the system chain says was posted. A seal
// that was taken away together with all its heads is found here.
func (v *verifier) toldSeals(ctx context.Context, hashes map[int64]string) error {
	rows, err := v.tx.Query(ctx, `SELECT body FROM events WHERE chain = $1 AND type = $2 ORDER BY seq`, systemChain, string(change.EventSealPosted))
	if err != nil {
		return fmt.Errorf("read what was told of seals: %w", err)
	}
	var text string
	if _, err := pgx.ForEachRow(rows, []any{&text}, func() error {
		var b struct {
			Seq   int64
			Facts struct {
				Seal int64
				Hash string
			}
		}
		if err := json.NewDecoder(strings.NewReader(text)).Decode(&b); err != nil {
			return nil //nolint:nilerr // that its body cannot be read is a finding of its chain
		}
		switch hash, there := hashes[b.Facts.Seal]; {
		case !there:
			v.find(FindingSeal, sealChain, b.Facts.Seal, "it is gone, though event %d of the system chain says that it was posted", b.Seq)
		case hash != b.Facts.Hash:
			v.find(FindingSeal, sealChain, b.Facts.Seal, "its hash is not the one that was posted, which event %d of the system chain holds", b.Seq)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("read what was told of seals: %w", err)
	}
	return nil
}
