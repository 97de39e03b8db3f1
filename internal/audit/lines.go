package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
)

// format is the number of what docs/audit-format.md describes.
const format = 1

// The files of an export.
const (
	fileAbout      = "export.json"
	fileEvents     = "events.jsonl"
	fileNeighbours = "neighbours.jsonl"
	fileChanges    = "changes.jsonl"
	fileTable      = "changes.csv"
	fileExceptions = "exceptions.csv"
	fileSeals      = "seals.jsonl"
	fileReadme     = "README.md"
	fileSums       = "SHA256SUMS"
)

// files are those that SHA256SUMS holds, by name.
func files() []string {
	return []string{fileReadme, fileTable, fileChanges, fileEvents, fileExceptions, fileAbout, fileNeighbours, fileSeals}
}

// about is export.json.
type about struct {
	Format     int       `json:"format"`
	Breakglass string    `json:"breakglass"` // the version that wrote it
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	At         time.Time `json:"at"`      // when it was written
	Cleared    bool      `json:"cleared"` // with the texts of confidential changes
	Changes    int64     `json:"changes"`
	Events     int64     `json:"events"`
	Exceptions int64     `json:"exceptions"`
	Seals      int64     `json:"seals"`
	Given      int64     `json:"given"`  // the last number of a change that there was
	System     int64     `json:"system"` // the last event of the system chain that there was
	Names      []string  `json:"names"`  // of the exceptions that were looked for
}

// eventLine is a line of events.jsonl and neighbours.jsonl.
type eventLine struct {
	Chain    int64                        `json:"chain"`
	Seq      int64                        `json:"seq"`
	Previous string                       `json:"previous"`
	Body     string                       `json:"body"`
	Hash     string                       `json:"hash"`
	Texts    map[string]ledger.SaltedText `json:"texts,omitempty"`
	Withheld []string                     `json:"withheld,omitempty"`
	Erased   []string                     `json:"erased,omitempty"`
}

// changeLine is a line of changes.jsonl.
type changeLine struct {
	Chain    int64           `json:"chain"`
	Seq      int64           `json:"seq"`
	Hash     string          `json:"hash"`
	Withheld bool            `json:"withheld"`
	Row      string          `json:"row"`
	Columns  json.RawMessage `json:"columns"`
}

// sealLine is a line of seals.jsonl. It is written by hand, for a seal may hold
// a million heads.
type sealLine struct {
	Seal     int64       `json:"seal"`
	Previous string      `json:"previous"`
	Body     string      `json:"body"`
	Hash     string      `json:"hash"`
	Heads    []head      `json:"heads"` // null: the seal is older than the period
	parsed   change.Seal // what the body says
}

// head is [chain, seq, hash].
type head struct {
	chain, seq int64
	hash       string
}

// UnmarshalJSON reads a list of three.
func (h *head) UnmarshalJSON(encoded []byte) error {
	all := []any{&h.chain, &h.seq, &h.hash}
	if err := json.Unmarshal(encoded, &all); err != nil {
		return fmt.Errorf("read a head: %w", err)
	}
	if len(all) != 3 {
		return fmt.Errorf("a head has three parts, not %d", len(all))
	}
	return nil
}

// exceptionColumns are the columns of exceptions.csv.
func exceptionColumns() []string {
	return []string{"number", "seq", "at", "exception", "obligation", "by", "type", "facts"}
}

// exceptionRows are the rows of exceptions.csv that an event makes. c is nil for
// events of the system chain.
func exceptionRows(chain int64, e *change.Event, c *change.Change) ([][]string, error) {
	var rows [][]string
	for _, name := range exceptionsOf(e, c) {
		facts, err := encode(e.Facts)
		if err != nil {
			return nil, fmt.Errorf("encode the facts of an exception: %w", err)
		}
		rows = append(rows, []string{
			chainName(chain), strconv.FormatInt(e.Seq, 10), report.Cell(e.At), name, report.Cell(e.Fact("obligation")),
			report.Cell(string(e.Actor)), report.Cell(string(e.Type)), report.Cell(facts),
		})
	}
	return rows, nil
}

// chainName is EC-12, or what the system chain is called in tables.
func chainName(chain int64) string {
	if chain == 0 {
		return "system"
	}
	return change.Number(chain).String()
}

// encode writes JSON on one line, without HTML escapes.
func encode(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err // the caller says what it was encoding
	}
	return string(bytes.TrimRight(b.Bytes(), "\n")), nil
}
