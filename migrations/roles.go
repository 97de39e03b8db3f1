package migrations

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Roles are database roles that the owner of the tables gives rights to, by
// name. An empty one is left out.
type Roles struct {
	Program string // reads and writes what breakglass needs, and cannot alter the trail
	Auditor string // reads everything of breakglass's own, and nothing else
}

// what the program's role may do with a table.
const (
	reads   = "SELECT"
	appends = "SELECT, INSERT"
	updates = "SELECT, INSERT, UPDATE"
	works   = "SELECT, INSERT, UPDATE, DELETE"
)

// programMay is what the program's role may do with each table. A table that
// does not stand here is worked on freely, so that a forgotten line stops
// nobody; a test finds the line that was forgotten.
func programMay() map[string]string {
	return map[string]string{
		"goose_db_version": reads, "phases": reads, "phase_moves": reads,
		"events": appends, "event_texts": appends, "seals": appends, "seal_heads": appends,
		"numbers": "SELECT, UPDATE", "chains": "SELECT, UPDATE", // their rows come with the migration
		"changes": updates, "assignments": updates, "grants": updates, "deliveries": updates, "census": updates, "census_findings": updates,
		"obligations": works, "seen": works,
	}
}

// trail is what nobody may alter: what the program's role may only append to.
func trail() []string {
	var all []string
	for table, may := range programMay() {
		if may == appends {
			all = append(all, table)
		}
	}
	slices.Sort(all)
	return all
}

// RoleOf is the role that a database's address signs in as.
func RoleOf(databaseURL string) (string, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return "", errNoAddress
	}
	return config.User, nil
}

// Grant gives roles exactly their rights to the tables that there are, and
// takes from them what else they had there. It is done by the owner of the
// tables after each migration, in one transaction, and makes no role: what
// names none, or one that the owner's rights come with anyway, is left as it is
// and told in the answer, one sentence each.
func Grant(ctx context.Context, ownerURL string, roles Roles) (notes []string, err error) {
	if roles == (Roles{}) {
		return nil, nil
	}
	err = alone(ctx, ownerURL, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			g := granting{ctx: ctx, tx: tx}
			g.program(roles.Program)
			if roles.Auditor != "" && roles.Auditor == roles.Program {
				g.note("The auditor's role is the program's own, %q, so it was given nothing more.", roles.Auditor)
			} else {
				g.auditor(roles.Auditor)
			}
			notes = g.notes
			return g.err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("grant rights to the tables: %w", err)
	}
	return notes, nil
}

// granting is one transaction that grants, until something fails.
type granting struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one call of Grant
	tx    pgx.Tx
	notes []string
	err   error
}

func (g *granting) note(format string, args ...any) {
	g.notes = append(g.notes, fmt.Sprintf(format, args...))
}

func (g *granting) exec(sql string) {
	if g.err == nil {
		_, g.err = g.tx.Exec(g.ctx, sql)
	}
}

func (g *granting) program(role string) {
	if !g.restrictable(role, "program's") {
		return
	}
	name := pgx.Identifier{role}.Sanitize()
	g.closeSchema()
	g.begin(name)
	all := programMay()
	for _, table := range g.tables() {
		may, known := all[table.name]
		if !known {
			may = works
		}
		g.exec("GRANT " + may + " ON " + table.quoted + " TO " + name)
	}
	river := pgx.Identifier{RiverSchema}.Sanitize()
	g.exec("GRANT USAGE ON SCHEMA " + river + " TO " + name)
	g.exec("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + river + " TO " + name)
	g.exec("REVOKE INSERT, UPDATE, DELETE ON " + river + ".river_migration FROM " + name)
	g.exec("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA " + river + " TO " + name)
	g.more(role, "program's", trail(), "UPDATE, DELETE, TRUNCATE, TRIGGER")
}

func (g *granting) auditor(role string) {
	if !g.restrictable(role, "auditor's") {
		return
	}
	name := pgx.Identifier{role}.Sanitize()
	g.begin(name)
	for _, table := range g.tables() {
		g.exec("GRANT SELECT ON " + table.quoted + " TO " + name)
	}
	g.more(role, "auditor's", slices.Sorted(maps.Keys(programMay())), "INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER")
}

// more tells of rights that a role has from elsewhere, as a member of another
// or because everybody has them: those are not ours to take.
func (g *granting) more(role, whose string, tables []string, rights string) {
	var on []string
	if g.err == nil {
		g.err = g.tx.QueryRow(g.ctx, `SELECT array_agg(t ORDER BY t) FROM unnest($2::text[]) t
			WHERE to_regclass(t) IS NOT NULL AND has_table_privilege($1, to_regclass(t), $3)`, role, tables, rights).Scan(&on)
	}
	if len(on) > 0 {
		g.note("The %s role %q has rights from elsewhere to alter %s.", whose, role, strings.Join(on, ", "))
	}
}

// begin takes everything from a role and lets it look into our schema.
func (g *granting) begin(name string) {
	own := g.ownSchema()
	for _, schema := range []string{own, pgx.Identifier{RiverSchema}.Sanitize()} {
		g.exec("REVOKE ALL ON ALL TABLES IN SCHEMA " + schema + " FROM " + name)
		g.exec("REVOKE ALL ON ALL SEQUENCES IN SCHEMA " + schema + " FROM " + name)
		g.exec("REVOKE ALL ON SCHEMA " + schema + " FROM " + name)
	}
	g.exec("GRANT USAGE ON SCHEMA " + own + " TO " + name)
}

// closeSchema keeps everybody from making tables beside ours, as Postgres let
// them before version 15, where the owner may say so.
func (g *granting) closeSchema() {
	if g.err != nil {
		return
	}
	var open bool
	g.err = g.tx.QueryRow(g.ctx, `SELECT has_schema_privilege('public', current_schema(), 'CREATE') AND pg_has_role(nspowner, 'MEMBER')
		FROM pg_namespace WHERE nspname = current_schema()`).Scan(&open)
	if open {
		g.exec("REVOKE CREATE ON SCHEMA " + g.ownSchema() + " FROM PUBLIC")
	}
}

// restrictable tells whether rights that are given to a role, or taken from it,
// make a difference: it is there, and has not the owner's rights anyway.
func (g *granting) restrictable(role, whose string) bool {
	if role == "" || g.err != nil {
		return false
	}
	var owner bool
	err := g.tx.QueryRow(g.ctx, `SELECT pg_has_role(r.oid, c.relowner, 'MEMBER') FROM pg_roles r, pg_class c
		WHERE r.rolname = $1 AND c.oid = 'events'::regclass`, role).Scan(&owner)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		g.note("There is no %s role %q in the database, so it was given no rights.", whose, role)
		return false
	case err != nil:
		g.err = err
		return false
	case owner:
		g.note("The %s role %q is the owner of the tables, or may act as it, so only triggers keep it from altering the trail.", whose, role)
		return false
	}
	return true
}

func (g *granting) ownSchema() string {
	var name string
	if g.err == nil {
		g.err = g.tx.QueryRow(g.ctx, `SELECT quote_ident(current_schema())`).Scan(&name)
	}
	return name
}

type table struct{ name, quoted string }

// tables lists the tables of our own schema.
func (g *granting) tables() []table {
	if g.err != nil {
		return nil
	}
	rows, err := g.tx.Query(g.ctx, `SELECT relname, oid::regclass::text FROM pg_class
		WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p', 'v', 'm') ORDER BY relname`)
	if err != nil {
		g.err = err
		return nil
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t table, err error) {
		return t, row.Scan(&t.name, &t.quoted)
	})
	g.err = err
	return all
}
