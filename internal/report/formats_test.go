package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakglass-bot/breakglass/internal/change"
	"github.com/breakglass-bot/breakglass/internal/ledger"
	"github.com/breakglass-bot/breakglass/internal/report"
)

func TestNoCellOfTheTableIsAFormula(t *testing.T) {
	t.Parallel()
	var rows []ledger.PopulationRow
	evil := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", `=HYPERLINK("https://evil.example","x")`}
	for i, text := range evil {
		row := asked(i+1, 0)
		row.What, row.Why, row.Reply, row.KindName, row.Links = text, text, text, text, []string{text}
		row.Requester, row.Ticket = change.PersonID(text), &change.TicketRef{Key: text}
		rows = append(rows, row)
	}
	var out bytes.Buffer
	if err := report.CSV(&out, source(rows), options()); err != nil {
		t.Fatal(err)
	}
	table, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(table) != len(evil)+1 {
		t.Fatalf("%d rows, want %d", len(table), len(evil)+1)
	}
	for _, row := range table[1:] {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
				t.Errorf("%s: %q", table[0][i], cell)
			}
		}
	}
	if what := table[1][slices.Index(table[0], "what")]; what != "'=1+1" {
		t.Errorf("the text reads %q", what)
	}
}

func TestCSVAndJSONHoldTheSameTable(t *testing.T) {
	t.Parallel()
	rows := generated(150, since(), until())
	var table, object bytes.Buffer
	if err := errors.Join(report.CSV(&table, source(rows), options()), report.JSON(&object, source(rows), options())); err != nil {
		t.Fatal(err)
	}
	cells, err := csv.NewReader(&table).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Changes []map[string]any
		Figures map[string]any
	}
	decode := json.NewDecoder(&object)
	decode.UseNumber()
	if err := decode.Decode(&read); err != nil {
		t.Fatal(err)
	}
	if len(cells) != 151 || len(read.Changes) != 150 {
		t.Fatalf("%d rows of CSV, %d of JSON", len(cells)-1, len(read.Changes))
	}
	for i, row := range cells[1:] {
		for j, name := range cells[0] {
			if want := asText(read.Changes[i][name]); row[j] != want {
				t.Errorf("%s of %s: %q in CSV, %q in JSON", name, row[0], row[j], want)
			}
		}
		if len(read.Changes[i]) != len(row) {
			t.Errorf("%s has %d columns in CSV, %d in JSON", row[0], len(row), len(read.Changes[i]))
		}
	}
	if read.Figures["changes"] != json.Number("150") || read.Figures["since"] != "2026-01-01T00:00:00Z" {
		t.Errorf("figures: %v changes since %v", read.Figures["changes"], read.Figures["since"])
	}
}

func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = asText(x)
		}
		return strings.Join(parts, "; ")
	}
	return ""
}

func TestAnEmptyPeriodIsValidInEveryFormat(t *testing.T) {
	t.Parallel()
	var table, object, page bytes.Buffer
	none := source(nil)
	if err := errors.Join(report.CSV(&table, none, options()), report.JSON(&object, none, options()), report.HTML(&page, none, options())); err != nil {
		t.Fatal(err)
	}
	if rows, err := csv.NewReader(&table).ReadAll(); err != nil || len(rows) != 1 {
		t.Errorf("CSV: %d rows, %v", len(rows), err)
	}
	if !json.Valid(object.Bytes()) || !strings.Contains(object.String(), `"changes":[`) {
		t.Errorf("JSON: %s", object.String())
	}
	if !strings.Contains(page.String(), "No emergency change was asked for") || strings.Contains(page.String(), "<table") {
		t.Error("the page does not say that there was nothing, or shows an empty table")
	}
}

// full is a writer that takes so many bytes.
type full int

func (f *full) Write(p []byte) (int, error) {
	if *f -= full(len(p)); *f < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestAFailureToReadOrWriteIsTold(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is gone")
	for name, write := range map[string]func(io.Writer, report.Source, report.Options) error{
		"csv": report.CSV, "json": report.JSON, "html": report.HTML,
	} {
		half := func(yield func(ledger.PopulationRow) error) error {
			return errors.Join(yield(asked(1, 0)), broken)
		}
		if err := write(io.Discard, half, options()); !errors.Is(err, broken) {
			t.Errorf("%s: a reader that fails gives %v", name, err)
		}
		room := full(3000)
		if err := write(&room, source(generated(400, since(), until())), options()); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: a writer that is full gives %v", name, err)
		}
	}
}

func TestTheDigestSaysTheSameFigures(t *testing.T) {
	t.Parallel()
	again := asked(2, 48*time.Hour)
	first := approved(1, 0, 20*time.Minute)
	first.Actions = []ledger.PopulationAction{{Agreed: at(24 * time.Hour)}}
	first.Access = &ledger.PopulationAccess{Asked: time.Hour, Approved: time.Hour, VerifiedAt: at(0), GoneAt: at(30 * time.Minute)}
	first.Record = ledger.PopulationDuty{State: change.Done, Due: at(24 * time.Hour), Part: at(time.Hour), Done: at(time.Hour)}
	opts := options()
	opts.AllChanges = 10
	got := strings.Join(report.Digest(figuresOf(opts, []ledger.PopulationRow{first, again})), "\n")
	want := `2 emergency changes from 1 January 2026 to 31 March 2026: 1 made, 1 under way.
2 of 10 changes to production were emergencies (20.0 %). More than a tenth is commonly taken for a finding.
By kind: Configuration 2. By reason: GitHub is down 2.
The one approval took 20 min.
Access was asked for 1 h in all, approved for 1 h and there for 30 min.
1 record: 1 on time.
GitHub is down: 2 times, 1 of them after a preventive action was agreed.`
	if got != want {
		t.Errorf("the digest reads\n%s\nwant\n%s", got, want)
	}
	none := report.Digest(figuresOf(options(), nil))
	if len(none) != 1 || none[0] != "No emergency change was asked for from 1 January 2026 to 31 March 2026." {
		t.Errorf("without changes it reads %q", none)
	}
}
