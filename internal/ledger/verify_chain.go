package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
)

// chainHead is where a chain ends.
type chainHead struct {
	seq  int64
	hash string
	at   time.Time
}

// chainEnd is where a chain was found to end, and the row that it left.
type chainEnd struct {
	chainHead
	row   string               // digest; empty when the last event carries none
	bad   bool                 // a finding has been told already
	held  int64                // the newest event that is as it was sealed; 0: none
	typed map[string]typedText // what the row must still hold of what people typed
}

func newChainEnd() chainEnd { return chainEnd{typed: map[string]typedText{}} }

// typedText is a text that an event holds, and which event it was.
type typedText struct {
	seq  int64
	text string
}

// remember keeps the texts of an event that the row holds as well: those of the
// request, and of the newest record. Erased ones are not there to be compared.
func (end *chainEnd) remember(e *storedEvent) {
	fields := map[string]string{}
	switch change.EventType(e.kind) { //nolint:exhaustive // the row holds no single text of the others
	case change.EventRequested, change.EventReported:
		fields = map[string]string{"what": "what", "why": "why"}
	case change.EventRecordWritten:
		fields = map[string]string{"done": "done", "why": "record's why"}
	}
	for field, name := range fields {
		delete(end.typed, name)
		if text, there := e.texts[field]; there {
			end.typed[name] = typedText{e.seq, text}
		}
	}
}

// storedEvent is an event as it stands in the table, with its texts.
type storedEvent struct {
	seq                        int64
	at                         time.Time
	kind, actor                string
	body, hash                 string
	texts, salts               map[string]string
	encodedTexts, encodedSalts []byte
	sealed                     *string // its hash when it was sealed; nil: it was not
	seal                       *int64  // by which seal
}

// check checks the next event of a chain, and tells if it is the first that does
// not hold.
func (v *verifier) check(chain int64, end *chainEnd, e *storedEvent) {
	v.sum.Events++
	if end.bad { // what follows a broken link says nothing new
		return
	}
	kind, say, row := v.event(chain, end.chainHead, e)
	if say == "" && e.sealed != nil {
		kind, say = FindingSeal, end.sealProblem(e)
	}
	if say != "" {
		end.bad = true
		v.find(kind, chain, e.seq, "%s", say)
	}
	end.seq, end.hash, end.at, end.row = e.seq, e.hash, e.at.UTC(), row
	if !end.bad {
		end.remember(e)
	}
}

// sealProblem says that an event is another than the one that was sealed; empty
// when it is not.
func (end *chainEnd) sealProblem(e *storedEvent) string {
	if *e.sealed != e.hash {
		return fmt.Sprintf("seal %d holds another hash for it: something after event %d was rewritten", *e.seal, end.held)
	}
	end.held = e.seq
	return ""
}

// end compares the end of a chain with its head.
func (v *verifier) end(chain int64, head chainHead, end *chainEnd) {
	say := ""
	switch {
	case end.bad: // its first finding was told
		return
	case end.seq < head.seq:
		say = fmt.Sprintf("the last event is %d, and was %d: the end is missing", end.seq, head.seq)
	case end.seq > head.seq:
		say = fmt.Sprintf("the last event is %d, though the head says %d", end.seq, head.seq)
	case end.hash != head.hash:
		say = "the head's hash is not that of the last event"
	case !end.at.Equal(head.at):
		say = "the head's time is not that of the last event"
	default:
		return
	}
	end.bad = true
	v.find(FindingHead, chain, 0, "%s", say)
}

// event checks one event behind the one before it. say is empty when it holds.
func (v *verifier) event(chain int64, before chainHead, e *storedEvent) (kind FindingKind, say, row string) {
	if e.seq != before.seq+1 {
		return FindingGap, fmt.Sprintf("follows event %d: what was between them is missing", before.seq), ""
	}
	if e.hash != link(before.hash, e.body) {
		return FindingLink, "its hash does not follow from its body and the event before it", ""
	}
	var b body
	decoder := json.NewDecoder(strings.NewReader(e.body))
	decoder.UseNumber()
	if err := decoder.Decode(&b); err != nil {
		return FindingBody, "its body is not JSON", ""
	}
	// Numbers keep their digits, so what is written again is what was written.
	if again, err := canonical(b); err != nil || again != e.body {
		return FindingBody, "its body is not in the form that breakglass writes", ""
	}
	at, err := time.Parse(time.RFC3339Nano, b.At)
	if err != nil {
		return FindingBody, "its body holds no time", ""
	}
	for _, c := range []struct {
		column string
		agrees bool
	}{
		{"chain", b.Chain == chain}, {"seq", b.Seq == e.seq}, {"at", at.Equal(e.at)}, {"type", b.Type == e.kind}, {"actor", b.Actor == e.actor},
	} {
		if !c.agrees {
			return FindingColumn, "its column " + c.column + " disagrees with its body", ""
		}
	}
	if e.at.Before(before.at) {
		return FindingTime, fmt.Sprintf("lies at %s, before the event before it", b.At), ""
	}
	if say := v.texts(b.Texts, e); say != "" {
		return FindingText, say, ""
	}
	return "", "", b.Row
}

// texts compares the texts of an event with the hashes in its body.
func (v *verifier) texts(hashes map[string]string, e *storedEvent) string {
	e.texts, e.salts = map[string]string{}, map[string]string{}
	for _, x := range []struct {
		encoded []byte
		into    *map[string]string
	}{{e.encodedTexts, &e.texts}, {e.encodedSalts, &e.salts}} {
		if x.encoded == nil { // it has none
			continue
		}
		if err := json.Unmarshal(x.encoded, x.into); err != nil {
			return "its texts cannot be read"
		}
	}
	for _, field := range slices.Sorted(maps.Keys(e.texts)) {
		hash, known := hashes[field]
		switch {
		case !known:
			return fmt.Sprintf("a text %q stands beside it that it never had", field)
		case hashHex(e.salts[field]+e.texts[field]) != hash:
			return fmt.Sprintf("its text %q is not the one that was written", field)
		}
		v.sum.Texts++
	}
	v.sum.Erased += int64(len(hashes) - len(e.texts))
	return ""
}
