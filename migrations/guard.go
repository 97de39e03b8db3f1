package migrations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Unguarded tells what the role that a pool signs in as could do to the trail
// if its triggers were not there, as words such as "DELETE, UPDATE"; empty when
// the database itself refuses it. The owner of the tables may drop the triggers; a
// SUPERUSER may do whatever the server's own account may, on its machine too.
func Unguarded(ctx context.Context, pool *pgxpool.Pool) (rights string, err error) {
	rows, err := pool.Query(ctx, `SELECT CASE
			WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ARRAY['SUPERUSER', 'DROP', 'DELETE', 'UPDATE', 'TRUNCATE']
			WHEN pg_has_role(c.relowner, 'MEMBER') THEN ARRAY['DROP', 'DELETE', 'UPDATE', 'TRUNCATE']
			ELSE array_remove(ARRAY[
				CASE WHEN has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END,
				CASE WHEN has_any_column_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,
				CASE WHEN has_table_privilege(c.oid, 'TRUNCATE') THEN 'TRUNCATE' END,
				CASE WHEN has_table_privilege(c.oid, 'TRIGGER') THEN 'TRIGGER' END], NULL) END
		FROM unnest($1::text[]) t, pg_class c WHERE c.oid = t::regclass`, trail())
	if err != nil {
		return "", fmt.Errorf("ask what the database's role may do: %w", err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var some []string
		if err := rows.Scan(&some); err != nil {
			return "", fmt.Errorf("ask what the database's role may do: %w", err)
		}
		all = append(all, some...)
	}
	if err := rows.Err(); err != nil {
		return "", fmt.Errorf("ask what the database's role may do: %w", err)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", "), nil
}
