package audit

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
)

// changes reads changes.jsonl, changes.csv and events.jsonl side by side: all are
// in the order of the numbers.
func (v *verifier) changes() error {
	var failures [2]error
	events, stopEvents := iter.Pull(func(yield func(*eventLine) bool) {
		failures[0] = lines(v, fileEvents, func(_ int, e *eventLine) bool { return yield(e) })
	})
	defer stopEvents()
	table, closeTable := v.table()
	defer closeTable()
	next, more := events()
	// of reads the events of one chain.
	of := func(number int64, yield func(*eventLine)) {
		for more && next.Chain == number {
			v.sum.Events++
			yield(next)
			next, more = events()
		}
	}
	v.systemEvents(of)
	last := int64(0)
	failures[1] = lines(v, fileChanges, func(number int, line *changeLine) bool {
		if line.Chain <= last {
			v.find(fileChanges, "line %d: %s does not follow %s", number, name(line.Chain), name(last))
			return false
		}
		last = line.Chain
		for more && next.Chain < line.Chain {
			stray := next.Chain
			v.find(fileEvents, "%s: there are events, though there is no such change in %s", name(stray), fileChanges)
			of(stray, func(*eventLine) {})
		}
		v.sum.Changes++
		v.inside[line.Chain] = true
		row := v.change(line, of)
		v.compareTable(table, line.Chain, row)
		return true
	})
	for more {
		stray := next.Chain
		v.find(fileEvents, "%s: there are events, though there is no such change in %s, or they are out of order", name(stray), fileChanges)
		of(stray, func(*eventLine) {})
	}
	if record, err := table.read(); err == nil && record != nil {
		v.find(fileTable, "it has rows that are not in %s, the first for %s", fileChanges, record[0])
	}
	return errors.Join(failures[0], failures[1], v.exceptionTable())
}

func (v *verifier) systemEvents(of func(int64, func(*eventLine))) {
	at := chain{}
	of(0, func(e *eventLine) {
		if at.bad {
			return
		}
		say := at.add(e, false)
		if say == "" && !v.within(at.body.At) {
			say = "does not lie in the period"
		}
		if say != "" {
			at.bad, v.broken[chainName(0)] = true, true
			v.find(fileEvents, "the system chain, event %d: %s", e.Seq, say)
			return
		}
		if v.firstSystem == nil {
			v.firstSystem = e
		}
		v.lastSystem = e
		v.sealPosted(&at.body)
		v.seen(e, &at.body, nil)
	})
	first := at.first
	if at.last == nil {
		return
	}
	var before []sealedHead // what was sealed of it after the period is not exported
	for _, h := range v.sealed[0] {
		if v.after == nil || h.seq < v.after.Seq {
			before = append(before, h)
		}
	}
	v.sealed[0] = before
	if say := v.sealProblem(0, first, at.hashes); say != "" && !at.bad {
		v.find(fileEvents, "the system chain: %s", say)
	}
}

// seen counts the texts of an event, and keeps what is exceptional about it.
func (v *verifier) seen(e *eventLine, b *eventBody, c *change.Change) {
	v.sum.Texts += int64(len(e.Texts))
	v.sum.Withheld += int64(len(e.Withheld))
	v.sum.Erased += int64(len(e.Erased))
	v.when(b.At, fileEvents, fmt.Sprintf("event %d of %s", e.Seq, name(e.Chain)))
	event := b.event()
	rows, err := exceptionRows(e.Chain, &event, c)
	if err != nil {
		return // facts that were read are facts that can be written
	}
	for _, row := range rows {
		v.exceptions = append(v.exceptions, strings.Join(row, "\x00"))
	}
}

// typed are the texts of a change's events that its row shows.
type typed struct {
	what, why, reply string
	links            []string
	gaps             map[string]bool // columns of which a text was erased
}

// gap notes that a column cannot be compared, as a text that it shows was erased.
func (t *typed) gap(e *eventLine, field, column string) {
	if slices.Contains(e.Erased, field) {
		t.gaps[column] = true
	}
}

func (t *typed) take(e *eventLine, b *eventBody) {
	switch b.Type { //nolint:exhaustive // the row shows no texts of the others
	case change.EventRequested, change.EventReported:
		t.what, t.why = e.Texts["what"].Text, e.Texts["why"].Text
		t.gap(e, "what", "what")
		t.gap(e, "why", "why")
	case change.EventDenied:
		t.reply = e.Texts["reason"].Text
		t.gap(e, "reason", "reply")
	case change.EventFailed:
		event := b.event()
		t.reply = event.Fact("say")
	case change.EventLinked:
		t.links = append(t.links, e.Texts["url"].Text)
		t.gap(e, "url", "links")
	}
}

// change checks a change with its chain, and answers the row that follows from
// both; nil where there is none.
func (v *verifier) change(line *changeLine, of func(int64, func(*eventLine))) *ledger.PopulationRow {
	var c change.Change
	readable := json.Unmarshal([]byte(line.Row), &c) == nil
	at := chain{number: line.Chain}
	counts, said := map[change.EventType]int{}, typed{gaps: map[string]bool{}}
	of(line.Chain, func(e *eventLine) {
		if at.bad {
			return
		}
		if say := at.add(e, line.Withheld); say != "" {
			at.bad = true
			v.find(fileEvents, "%s, event %d: %s", name(e.Chain), e.Seq, say)
			return
		}
		if e.Seq == 1 && !v.within(at.body.At) {
			at.bad = true
			v.find(fileEvents, "%s, event 1: does not lie in the period", name(e.Chain))
			return
		}
		counts[at.body.Type]++
		said.take(e, &at.body)
		v.seen(e, &at.body, &c)
	})
	if at.bad {
		v.broken[chainName(line.Chain)] = true
		return nil
	}
	if say := v.endProblem(line, &at); say != "" {
		v.find(fileEvents, "%s: %s", name(line.Chain), say)
		return nil
	}
	if hashHex(line.Row) != at.body.Row || !readable || int64(c.Number) != line.Chain {
		v.find(fileChanges, "%s: it is not what event %d left: somebody has altered the row", name(line.Chain), at.body.Seq)
		return nil
	}
	if line.Withheld && (!c.Confidential || v.about.Cleared) {
		v.find(fileChanges, "%s: its texts were withheld without need", name(line.Chain))
		return nil
	}
	row, say := rowOf(line, &c, counts, &said)
	if say == "" {
		say = v.columnProblem(line, row)
	}
	if say != "" {
		v.find(fileChanges, "%s: %s", name(line.Chain), say)
		return nil
	}
	return row
}

// endProblem compares the end of a chain with its head, and with its seals.
func (v *verifier) endProblem(line *changeLine, at *chain) string {
	if say := v.sealProblem(line.Chain, 1, at.hashes); say != "" {
		return say
	}
	switch end := int64(len(at.hashes)); {
	case end == 0:
		return "it has no events"
	case end < line.Seq:
		return fmt.Sprintf("the last event is %d, and was %d: the end is missing", end, line.Seq)
	case end > line.Seq:
		return fmt.Sprintf("the last event is %d, though its head says %d", end, line.Seq)
	case at.last.Hash != line.Hash:
		return "its head's hash is not that of the last event"
	}
	return ""
}

// rowOf computes the row of a change. Its texts are those of the line, once they
// are found to be those of the events.
func rowOf(line *changeLine, c *change.Change, counts map[change.EventType]int, said *typed) (*ledger.PopulationRow, string) {
	var given struct {
		What, Why, Reply string
		Links            []string
	}
	if err := json.Unmarshal(line.Columns, &given); err != nil {
		return nil, "its columns cannot be read"
	}
	row := ledger.PopulationRowOf(*c, counts)
	row.What, row.Why, row.Reply, row.Links, row.Withheld = given.What, given.Why, given.Reply, given.Links, line.Withheld
	if line.Withheld {
		if given.What+given.Why+given.Reply+strings.Join(given.Links, "") != "" {
			return nil, "texts of it stand in its columns, though they were withheld"
		}
		row.Links = nil
		return &row, ""
	}
	for _, x := range []struct{ column, given, said string }{
		{"what", given.What, said.what},
		{"why", given.Why, said.why},
		{"reply", given.Reply, said.reply},
		{"links", strings.Join(given.Links, "\n"), strings.Join(said.links, "\n")},
	} {
		if x.given != x.said && !said.gaps[x.column] {
			return nil, fmt.Sprintf("its column %s is not what its events say", x.column)
		}
	}
	return &row, ""
}

// columnProblem compares the columns of a line with the row. Columns that came
// with a newer version are not in an older export.
func (v *verifier) columnProblem(line *changeLine, row *ledger.PopulationRow) string {
	object, err := report.Object(row, v.about.At)
	if err != nil {
		return "its columns cannot be computed"
	}
	var want, given map[string]json.RawMessage
	if json.Unmarshal(object, &want) != nil || json.Unmarshal(line.Columns, &given) != nil {
		return "its columns cannot be read"
	}
	for _, column := range report.Columns() {
		if value, there := given[column]; there && !bytes.Equal(value, want[column]) {
			return fmt.Sprintf("its column %s is %s, and follows from its events as %s", column, value, want[column])
		}
		delete(given, column)
	}
	for column := range given {
		return fmt.Sprintf("its column %s is none that breakglass writes", column)
	}
	return ""
}

// tableReader reads a CSV file row by row.
type tableReader struct {
	rows    *csv.Reader
	columns []string
}

// read answers nil at the end.
func (t *tableReader) read() ([]string, error) {
	if t.rows == nil {
		return nil, nil
	}
	record, err := t.rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return record, err // the caller tells of the row
}

// table opens changes.csv. One that is missing has been told, and has no rows.
func (v *verifier) table() (*tableReader, func()) {
	file, err := os.Open(filepath.Join(v.folder, fileTable))
	if err != nil {
		return &tableReader{}, func() {}
	}
	t := &tableReader{rows: csv.NewReader(file)}
	if t.columns, err = t.read(); err != nil || t.columns == nil {
		v.find(fileTable, "it cannot be read")
		t.rows = nil
	}
	return t, func() { _ = file.Close() } // it was only read
}

// compareTable compares the next row of changes.csv with what follows from the
// events; row is nil where that is not known.
func (v *verifier) compareTable(t *tableReader, number int64, row *ledger.PopulationRow) {
	if t.rows == nil {
		return
	}
	record, err := t.read()
	if err != nil || record == nil || record[0] != change.Number(number).String() {
		v.find(fileTable, "the row of %s is missing, or not in its place", name(number))
		t.rows = nil // what follows says nothing new
		return
	}
	if row == nil {
		return
	}
	all, cells := report.Columns(), report.Cells(row, v.about.At)
	for i, column := range t.columns {
		at := slices.Index(all, column)
		if at < 0 || unbroken(record[i]) != unbroken(cells[at]) {
			v.find(fileTable, "%s: its column %s is not what follows from its events", name(number), column)
			return
		}
	}
}

// unbroken leaves out what the writer of a table drops, and its reader adds.
func unbroken(cell string) string { return strings.ReplaceAll(cell, "\r", "") }

// exceptionTable compares exceptions.csv with what the events say.
func (v *verifier) exceptionTable() error {
	file, err := os.Open(filepath.Join(v.folder, fileExceptions))
	if err != nil {
		return nil // that it is missing has been told
	}
	defer func() { _ = file.Close() }() // it was only read
	records, err := csv.NewReader(file).ReadAll()
	if err != nil || len(records) == 0 || !slices.Equal(records[0], exceptionColumns()) {
		v.find(fileExceptions, "it cannot be read")
		return nil
	}
	given := map[string]int{}
	for _, r := range records[1:] {
		v.sum.Exceptions++
		given[strings.Join(r, "\x00")]++
	}
	for _, row := range v.exceptions {
		if given[row]--; given[row] < 0 {
			r := strings.Split(row, "\x00")
			v.find(fileExceptions, "%s, event %s: “%s” is missing", r[0], r[1], r[3])
		}
	}
	for _, r := range records[1:] {
		if key := strings.Join(r, "\x00"); given[key] > 0 && !v.broken[r[0]] {
			given[key]--
			v.find(fileExceptions, "%s, event %s: “%s” is not what the event says", r[0], r[1], r[3])
		}
	}
	return nil
}
