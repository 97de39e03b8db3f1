package audit

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// seals checks the chain of seals with their heads, and keeps the heads.
func (v *verifier) seals() error {
	var before sealLine
	err := lines(v, fileSeals, func(_ int, s *sealLine) bool {
		if say := v.seal(&before, s); say != "" {
			v.sealBroken = true
			v.find(fileSeals, "seal %d: %s", s.Seal, say)
			return false // what follows a broken link says nothing new
		}
		v.sum.Seals++
		v.sealHash[s.Seal] = s.Hash
		v.when(s.parsed.At, fileSeals, fmt.Sprintf("seal %d", s.Seal))
		before, v.sum.Newest = *s, s.parsed
		return true
	})
	if err == nil && before.Seal != v.about.Seals {
		v.find(fileSeals, "%d seals hold, and %s says %d", before.Seal, fileAbout, v.about.Seals)
	}
	return err
}

// seal says what is wrong with a seal behind the one before it.
func (v *verifier) seal(before, s *sealLine) string {
	if s.Seal != before.Seal+1 {
		return fmt.Sprintf("follows seal %d: what was between them is missing", before.Seal)
	}
	if s.Previous != before.Hash {
		return "the hash before it is not that of the seal before it"
	}
	if s.Hash != link(s.Previous, s.Body) {
		return "its hash does not follow from its body and the seal before it"
	}
	var b struct {
		Seal             int64
		Day, After, At   string
		Chains           int64
		Heads            string
		at               time.Time
		day, afterParsed change.Day
	}
	if err := json.Unmarshal([]byte(s.Body), &b); err != nil {
		return "its body is not JSON"
	}
	var err error
	if b.at, err = time.Parse(time.RFC3339Nano, b.At); err != nil {
		return "its body holds no time"
	}
	if b.day, err = change.ParseDay(b.Day); err != nil {
		return "its body holds no day"
	}
	if b.Seal != s.Seal {
		return "its body is that of another seal"
	}
	if b.After != before.parsed.Day.String() || !b.day.Start().After(before.parsed.Day.Start()) || b.at.Before(before.parsed.At) {
		return fmt.Sprintf("its day %s does not follow that of the seal before it", b.Day)
	}
	s.parsed = change.Seal{Number: s.Seal, Day: b.day, After: before.parsed.Day, At: b.at, Chains: b.Chains, Heads: b.Heads, Hash: s.Hash}
	if s.Heads == nil {
		if !b.at.Before(v.about.Since) {
			return "its heads are missing, though it was made in the period or later"
		}
		return ""
	}
	digest := newHeadLines()
	for _, h := range s.Heads {
		digest.add(h.chain, h.seq, h.hash)
	}
	switch {
	case int64(len(s.Heads)) != b.Chains:
		return fmt.Sprintf("it was made of %d heads, and %d are there", b.Chains, len(s.Heads))
	case digest.digest() != b.Heads:
		return "its heads are not those that it was made of"
	}
	for _, h := range s.Heads {
		v.sealed[h.chain] = append(v.sealed[h.chain], sealedHead{s.Seal, h.seq, h.hash})
		if h.chain > v.highest {
			v.highest, v.holder = h.chain, s.Seal
		}
	}
	return ""
}

// postedSeal is a seal as the system chain says that it was posted.
type postedSeal struct {
	seal, seq int64
	hash      string
}

// sealPosted keeps what an event of the system chain says of a seal.
func (v *verifier) sealPosted(b *eventBody) {
	if b.Type != change.EventSealPosted {
		return
	}
	event := b.event()
	number, err := strconv.ParseInt(event.Fact("seal"), 10, 64)
	if err != nil {
		number = 0 // there is no such seal, which is told
	}
	v.posted = append(v.posted, postedSeal{number, b.Seq, event.Fact("hash")})
}

// sealProblem says how a whole chain differs from what was sealed of it. hashes
// are those of its events, from the event number first on.
func (v *verifier) sealProblem(chain, first int64, hashes []string) string {
	held := first - 1
	for _, h := range v.sealed[chain] {
		at := h.seq - first
		switch {
		case at < 0: // before what is exported of the system chain
		case at >= int64(len(hashes)):
			return fmt.Sprintf("event %d was sealed by seal %d, and is gone: the end is missing", h.seq, h.seal)
		case hashes[at] != h.hash:
			return fmt.Sprintf("event %d: seal %d holds another hash for it: something after event %d was rewritten", h.seq, h.seal, held)
		default:
			held = h.seq
		}
	}
	return ""
}
