// Package migrations holds the schema of breakglass as numbered SQL files.
// River's own schema is migrated beside it, by the program.
package migrations

import "embed"

// Files are the migrations, for goose.
//
//go:embed *.sql
var Files embed.FS
