package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// JSON writes one object: changes, an array of the table's rows with the names
// of its columns, written one at a time; and then figures. Times are RFC 3339
// in UTC, or null; lengths are seconds.
func JSON(w io.Writer, rows Source, opts Options) error {
	tally := NewTally(opts)
	all := columns()
	before := `{"changes":[` + "\n"
	err := rows(func(row ledger.PopulationRow) error {
		tally.Add(row)
		object, err := objectOf(all, &row, opts.AsOf)
		if err != nil {
			return fmt.Errorf("encode %s: %w", row.Number, err)
		}
		if _, err := fmt.Fprintf(w, "%s%s", before, object); err != nil {
			return fmt.Errorf("write %s: %w", row.Number, err)
		}
		before = ",\n"
		return nil
	})
	if err != nil {
		return err
	}
	if tally.changes > 0 {
		before = ""
	}
	figures, err := json.Marshal(tally.Figures())
	if err != nil {
		return fmt.Errorf("encode the figures: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s\n],\"figures\":%s}\n", before, figures); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

// objectOf writes a row as an object with its members in the columns' order.
func objectOf(all []column, row *ledger.PopulationRow, asOf time.Time) ([]byte, error) {
	var b bytes.Buffer
	for i, c := range all {
		value := c.value(row, asOf)
		if at, ok := value.(time.Time); ok {
			value = nil
			if !at.IsZero() {
				value = at.UTC().Format(time.RFC3339)
			}
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.name, err)
		}
		separator := ","
		if i == 0 {
			separator = "{"
		}
		fmt.Fprintf(&b, "%s%q:%s", separator, c.name, encoded)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
