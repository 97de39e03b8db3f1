package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
)

// Options say what is exported.
type Options struct {
	Since, Until time.Time // changes that breakglass heard of at Since or later, and before Until
	At           time.Time // now; what is overdue is counted as of then, or of the newest event where that is later
	Cleared      bool      // with the texts of confidential changes
	Version      string    // of the program
}

// Result is what was exported.
type Result struct {
	Changes, Events, Exceptions, Withheld int64
	Sums                                  string // hex(sha256) of SHA256SUMS: whoever has it can tell that nothing was altered
}

// Export writes the trail of a period into a folder, which appears whole or not
// at all. It answers ErrOccupied where something is already.
func Export(ctx context.Context, l *ledger.Ledger, target string, opts Options) (r Result, err error) {
	f, err := newFolder(target)
	if err != nil {
		return r, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.discard())
		}
	}()
	w, err := newWriter(f, opts)
	if err != nil {
		return r, err
	}
	end, err := l.Export(ctx, ledger.Period{Since: opts.Since, Until: opts.Until, ConfidentialTexts: opts.Cleared}, ledger.ExportTo{
		Begin: w.begin, Change: w.change, Event: w.event, Neighbour: w.neighbour, Seal: w.seal, Head: w.head,
	})
	if err != nil {
		return r, err
	}
	if err := w.finish(end); err != nil {
		return r, err
	}
	w.result.Sums = f.sums[fileSums]
	return w.result, errors.Join(ctx.Err(), f.appear())
}

// writer writes the files of an export as the ledger gives them.
type writer struct {
	folder    *folder
	opts      Options
	about     about
	result    Result
	newest    *ledger.ExportSeal
	heads     headLines // of the changes
	inSeal    bool      // a seal's line is open
	firstHead bool

	events, neighbours, changes, seals *sheet
	table, exceptions                  *csv.Writer
}

func newWriter(f *folder, opts Options) (*writer, error) {
	w := &writer{folder: f, opts: opts, heads: newHeadLines(), about: about{
		Format: format, Breakglass: opts.Version, Since: opts.Since.UTC(), Until: opts.Until.UTC(), At: opts.At.UTC(), Cleared: opts.Cleared, Names: exceptionNames(),
	}}
	var table, exceptions *sheet
	for name, into := range map[string]**sheet{
		fileEvents: &w.events, fileNeighbours: &w.neighbours, fileChanges: &w.changes, fileSeals: &w.seals, fileTable: &table, fileExceptions: &exceptions,
	} {
		var err error
		if *into, err = f.create(name); err != nil {
			return nil, err
		}
	}
	w.table, w.exceptions = csv.NewWriter(table), csv.NewWriter(exceptions)
	w.table.UseCRLF, w.exceptions.UseCRLF = true, true
	return w, errors.Join(w.table.Write(report.Columns()), w.exceptions.Write(exceptionColumns()))
}

// begin takes for the moment of the export the newest event's where the clock that
// wrote it is ahead: an export is never older than what it holds.
func (w *writer) begin(newest time.Time) error {
	if newest.After(w.opts.At) {
		w.opts.At, w.about.At = newest, newest.UTC()
	}
	return nil
}

func (w *writer) change(c ledger.ExportChange) error {
	columns, err := report.Object(&c.Row, w.opts.At)
	if err != nil {
		return fmt.Errorf("write %s: %w", c.Change.Number, err)
	}
	w.about.Changes++
	if c.Row.Withheld {
		w.result.Withheld++
	}
	w.heads.add(int64(c.Change.Number), c.Seq, c.Hash)
	line := changeLine{Chain: int64(c.Change.Number), Seq: c.Seq, Hash: c.Hash, Withheld: c.Row.Withheld, Row: c.Text, Columns: columns}
	return errors.Join(writeLine(w.changes, line), w.table.Write(report.Cells(&c.Row, w.opts.At)))
}

func (w *writer) event(e ledger.ExportEvent, c *ledger.ExportChange) error {
	w.about.Events++
	var of *change.Change
	if c != nil {
		of = &c.Change
	}
	rows, err := exceptionRows(e.Chain, &e.Event, of)
	if err != nil {
		return err
	}
	for _, row := range rows {
		w.about.Exceptions++
		if err := w.exceptions.Write(row); err != nil {
			return fmt.Errorf("write an exception: %w", err)
		}
	}
	return writeLine(w.events, lineOf(e))
}

func (w *writer) neighbour(e ledger.ExportEvent) error { return writeLine(w.neighbours, lineOf(e)) }

func lineOf(e ledger.ExportEvent) eventLine {
	return eventLine{Chain: e.Chain, Seq: e.Seq, Previous: e.Previous, Body: e.Body, Hash: e.Hash, Texts: e.Salted, Withheld: e.Withheld, Erased: e.Erased}
}

func (w *writer) seal(s ledger.ExportSeal) error {
	if err := w.endSeal(); err != nil {
		return err
	}
	w.about.Seals++
	w.newest, w.firstHead = &s, true
	var quoted [3]string
	for i, text := range []string{s.Previous, s.Body, s.Hash} {
		var err error
		if quoted[i], err = encode(text); err != nil {
			return fmt.Errorf("write a seal: %w", err)
		}
	}
	heads := "null}\n"
	if s.Heads {
		heads, w.inSeal = "[", true
	}
	return printed(fmt.Fprintf(w.seals, `{"seal":%d,"previous":%s,"body":%s,"hash":%s,"heads":%s`, s.Number, quoted[0], quoted[1], quoted[2], heads))
}

func (w *writer) head(chain, seq int64, hash string) error {
	comma := ","
	if w.firstHead {
		comma, w.firstHead = "", false
	}
	return printed(fmt.Fprintf(w.seals, "%s[%d,%d,%q]", comma, chain, seq, hash))
}

func (w *writer) endSeal() error {
	if !w.inSeal {
		return nil
	}
	w.inSeal = false
	return printed(w.seals.WriteString("]}\n"))
}

// finish writes what is known only now, and the sums of all files.
func (w *writer) finish(end ledger.ExportEnd) error {
	if err := w.endSeal(); err != nil {
		return err
	}
	w.table.Flush()
	w.exceptions.Flush()
	if err := errors.Join(w.table.Error(), w.exceptions.Error()); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	w.about.Given, w.about.System = end.Given, end.System
	w.result.Changes, w.result.Events, w.result.Exceptions = w.about.Changes, w.about.Events, w.about.Exceptions
	encoded, err := json.MarshalIndent(w.about, "", "  ")
	if err != nil {
		return fmt.Errorf("encode what the export is of: %w", err)
	}
	if err := errors.Join(w.whole(fileAbout, string(encoded)+"\n"), w.whole(fileReadme, w.readme()), w.folder.close()); err != nil {
		return err
	}
	sums := ""
	for _, name := range files() {
		sums += w.folder.sums[name] + "  " + name + "\n"
	}
	return errors.Join(w.whole(fileSums, sums), w.folder.close())
}

func (w *writer) whole(name, content string) error {
	s, err := w.folder.create(name)
	if err != nil {
		return err
	}
	return printed(s.WriteString(content))
}

func writeLine(to io.Writer, v any) error {
	encoded, err := encode(v)
	if err != nil {
		return fmt.Errorf("encode a line: %w", err)
	}
	return printed(io.WriteString(to, encoded+"\n"))
}

func printed(_ int, err error) error {
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

func count(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + more
}
