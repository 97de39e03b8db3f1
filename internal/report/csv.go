package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Source gives every row of a population to yield, and passes its error on.
type Source func(yield func(ledger.PopulationRow) error) error

// CSV writes the table, one row at a time, as RFC 4180 has it, with times in
// UTC, lengths in seconds, and lists joined by a semicolon. A cell that a
// spreadsheet would take for a formula gets an apostrophe in front.
func CSV(w io.Writer, rows Source, opts Options) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	all := columns()
	cells := make([]string, len(all))
	for i, c := range all {
		cells[i] = c.name
	}
	if err := out.Write(cells); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	err := rows(func(row ledger.PopulationRow) error {
		for i, c := range all {
			cells[i] = cell(c.value(&row, opts.AsOf))
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write %s: %w", row.Number, err)
		}
		return nil
	})
	out.Flush()
	if err == nil && out.Error() != nil {
		err = fmt.Errorf("write the table: %w", out.Error())
	}
	return err
}

func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return harmless(v)
	case []string:
		return harmless(strings.Join(v, "; "))
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case Span:
		return strconv.FormatInt(v.Seconds(), 10)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339)
	default:
		return harmless(fmt.Sprint(v))
	}
}

// harmless keeps spreadsheets from taking a text for a formula, as OWASP has it
// under CSV injection.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}
