package ledger

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// chainedEvent is an event as it stands in its chain.
type chainedEvent struct {
	change.Event
	body  string
	hash  string
	salts map[string]string
}

// body is what is hashed of an event. Go writes the fields in this order and
// the keys of maps sorted, so that the same event has the same bytes.
type body struct {
	Chain int64             `json:"change"`
	Seq   int64             `json:"seq"`
	At    string            `json:"at"`
	Actor string            `json:"actor"` // empty: breakglass itself
	Via   string            `json:"via,omitempty"`
	Type  string            `json:"type"`
	Phase string            `json:"phase,omitempty"`
	Facts change.Facts      `json:"facts,omitempty"`
	Texts map[string]string `json:"texts,omitempty"` // field to hex(sha256(salt, text))
	Row   string            `json:"row,omitempty"`   // digest of the row; on the last event of a transaction
}

// chainEvents gives events their places behind the head of their chain. The
// time of an event is never before that of the event before it.
func chainEvents(head Head, chain int64, events []change.Event, row string) ([]chainedEvent, Head, error) {
	out := make([]chainedEvent, 0, len(events))
	for i, e := range events {
		head.seq++
		e.Seq, e.At = head.seq, Micro(e.At)
		if e.At.Before(head.at) {
			e.At = head.at
		}
		head.at = e.At
		c := chainedEvent{Event: e, salts: map[string]string{}}
		b := body{
			Chain: chain, Seq: e.Seq, At: e.At.Format(time.RFC3339Nano), Actor: string(e.Actor), Via: e.Via,
			Type: string(e.Type), Phase: string(e.Phase), Facts: e.Facts,
		}
		for field, text := range e.Texts {
			if b.Texts == nil {
				b.Texts = map[string]string{}
			}
			c.salts[field] = rand.Text()
			b.Texts[field] = hashHex(c.salts[field] + text)
		}
		if i == len(events)-1 {
			b.Row = row
		}
		encoded, err := canonical(b)
		if err != nil {
			return nil, head, fmt.Errorf("encode an event: %w", err)
		}
		c.body, c.hash = encoded, link(head.hash, encoded)
		head.hash = c.hash
		out = append(out, c)
	}
	return out, head, nil
}

// link is the hash of an event behind the one before it.
func link(previous, body string) string { return hashHex(previous + "\n" + body) }

func hashHex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// canonical writes v as JSON on one line, without HTML escapes. Bytes that are no
// text are written as what they are read back as, or a chain that nobody touched
// would not hold.
func canonical[T any](v T) (string, error) {
	encoded, err := encode(v)
	if err != nil || !strings.Contains(encoded, `\ufffd`) {
		return encoded, err
	}
	var again T
	decoder := json.NewDecoder(strings.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(&again); err != nil {
		return "", fmt.Errorf("read back: %w", err)
	}
	return encode(again)
}

func encode(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	return string(bytes.TrimRight(b.Bytes(), "\n")), nil
}

// RowDigest is the hash of a change as its row holds it, without the free texts:
// those can be erased. A field that is added to Change later has to be left out
// of its JSON while it is empty, or older rows get another digest. The last event of every transaction carries it, so that
// a row that was edited by hand is found.
func RowDigest(c change.Change) string { return hashHex(RowText(c)) }

// RowText is what RowDigest hashes: the change as JSON, without the free texts.
func RowText(c change.Change) string {
	c = c.WithoutTexts()
	c.Version = 0
	// The rows of obligations come back in the order of their names.
	slices.SortStableFunc(c.Obligations, func(a, b change.Obligation) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Item, b.Item))
	})
	encoded, err := canonical(c)
	if err != nil { // a Change holds nothing that cannot be encoded
		return ""
	}
	return encoded
}

func queueEvents(batch *pgx.Batch, chain int64, events []chainedEvent) {
	for _, e := range events {
		batch.Queue(`INSERT INTO events (chain, seq, at, type, actor, body, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			chain, e.Seq, e.At, string(e.Type), string(e.Actor), e.body, e.hash)
		for field, text := range e.Texts {
			batch.Queue(`INSERT INTO event_texts (chain, seq, field, salt, text) VALUES ($1, $2, $3, $4, $5)`,
				chain, e.Seq, field, e.salts[field], text)
		}
	}
}
