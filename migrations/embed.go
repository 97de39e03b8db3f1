// Package migrations holds the schema of breakglass as numbered SQL files.
// River's own schema is migrated beside it, by the program.
package migrations

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

// Files are the migrations, for goose.
//
//go:embed *.sql
var Files embed.FS

// Newest is the number of the newest migration.
func Newest() (int64, error) {
	entries, err := Files.ReadDir(".")
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	var newest int64
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s has no number: %w", e.Name(), err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}
