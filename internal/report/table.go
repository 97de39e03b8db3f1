package report

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/breakglass-bot/breakglass/internal/ledger"
)

// Columns names the columns of the table, in order.
func Columns() []string {
	all := columns()
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.name
	}
	return names
}

// Cells are the cells of a row as CSV has them, no formulas among them.
func Cells(row *ledger.PopulationRow, asOf time.Time) []string {
	all := columns()
	cells := make([]string, len(all))
	for i, c := range all {
		cells[i] = cell(c.value(row, asOf))
	}
	return cells
}

// Cell is one cell of a table as CSV has it, and no formula.
func Cell(value any) string { return cell(value) }

// Object is a row as JSON has it, its members in the order of the columns.
func Object(row *ledger.PopulationRow, asOf time.Time) (json.RawMessage, error) {
	object, err := objectOf(columns(), row, asOf)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", row.Number, err)
	}
	return object, nil
}
