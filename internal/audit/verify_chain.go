package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// eventBody is what the body of an event says.
type eventBody struct {
	Change int64             `json:"change"`
	Seq    int64             `json:"seq"`
	At     time.Time         `json:"at"`
	Actor  change.PersonID   `json:"actor"`
	Via    string            `json:"via"`
	Type   change.EventType  `json:"type"`
	Phase  change.Phase      `json:"phase"`
	Facts  change.Facts      `json:"facts"`
	Texts  map[string]string `json:"texts"`
	Row    string            `json:"row"`
}

func (b *eventBody) event() change.Event {
	return change.Event{Seq: b.Seq, Type: b.Type, At: b.At, Actor: b.Actor, Via: b.Via, Phase: b.Phase, Facts: b.Facts}
}

// chain is a chain, or a part of one, as far as it was read.
type chain struct {
	number int64
	first  int64 // place of the first event that was read
	last   *eventLine
	body   eventBody // of the last
	hashes []string
	bad    bool // something has been told already; nothing more is of this chain
}

// add reads the next event, and says what is wrong with it.
func (c *chain) add(e *eventLine, withheld bool) string {
	previous, seq := e.Previous, e.Seq-1 // the first of the system chain begins where it begins
	if c.last != nil {
		previous, seq = c.last.Hash, c.last.Seq
	} else if c.number > 0 {
		previous, seq = "", 0
	}
	var b eventBody
	switch {
	case e.Seq != seq+1:
		return fmt.Sprintf("follows event %d: what was between them is missing", seq)
	case e.Previous != previous:
		return "the hash before it is not that of the event before it"
	case e.Hash != link(e.Previous, e.Body):
		return "its hash does not follow from its body and the event before it"
	case json.Unmarshal([]byte(e.Body), &b) != nil:
		return "its body cannot be read"
	case b.Change != e.Chain || b.Seq != e.Seq:
		return "its body is that of another event"
	case b.At.Before(c.body.At):
		return "lies before the event before it"
	}
	if say := textProblem(e, b.Texts, withheld); say != "" {
		return say
	}
	if c.last == nil {
		c.first = e.Seq
	}
	c.last, c.body = e, b
	c.hashes = append(c.hashes, e.Hash)
	return ""
}

// when keeps the newest time of what the export holds.
func (v *verifier) when(at time.Time, file, what string) {
	if at.After(v.newestAt) {
		v.newestAt, v.newestFile, v.newest = at, file, what
	}
}

// textProblem compares the texts of an event with the hashes in its body: each
// is there, withheld or erased.
func textProblem(e *eventLine, hashes map[string]string, withheld bool) string {
	left := maps.Clone(hashes)
	for _, field := range slices.Sorted(maps.Keys(e.Texts)) {
		hash, known := left[field]
		switch t := e.Texts[field]; {
		case !known:
			return fmt.Sprintf("a text %q stands beside it that it never had", field)
		case hashHex(t.Salt+t.Text) != hash:
			return fmt.Sprintf("its text %q is not the one that was written", field)
		}
		delete(left, field)
	}
	if len(e.Withheld) > 0 && !withheld {
		return "texts of it were withheld, though it is not confidential"
	}
	for _, field := range slices.Concat(e.Withheld, e.Erased) {
		if _, known := left[field]; !known {
			return fmt.Sprintf("a text %q is said to be left out that it never had", field)
		}
		delete(left, field)
	}
	for _, field := range slices.Sorted(maps.Keys(left)) {
		return fmt.Sprintf("its text %q is missing, and is not said to be withheld or erased", field)
	}
	return ""
}

// name names a chain for people.
func name(chain int64) string {
	if chain == 0 {
		return "the system chain"
	}
	return change.Number(chain).String()
}
