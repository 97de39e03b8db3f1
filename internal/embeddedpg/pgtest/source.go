package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/breakglass-bot/breakglass/internal/embeddedpg"
)

// source is a server with a template on it.
type source struct {
	base   string             // the address of the database from which others are made
	prefix string             // of the names of ours
	server *embeddedpg.Server // nil: not ours
	admin  *pgxpool.Pool
	create string // the end of the statement that makes a copy
}

func (s *source) template() string       { return s.prefix + "_template" }
func (s *source) name(number int) string { return s.prefix + "_" + strconv.Itoa(number) }

// prepare makes the template. Postgres copies a database only while nobody is
// connected to it, so then nobody may.
func (s *source) prepare(ctx context.Context, migrate Migrate) error {
	template, err := database(s.base, s.template())
	if err != nil {
		return err
	}
	config, err := pgxpool.ParseConfig(s.base)
	if err != nil {
		return errors.New("the server's address cannot be understood")
	}
	config.MaxConns = 2
	if s.admin, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("connecting to the server: %w", err)
	}
	var version int
	if err := s.admin.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return fmt.Errorf("asking the server for its version: %w", err)
	}
	quoted := pgx.Identifier{s.template()}.Sanitize()
	s.create = " TEMPLATE " + quoted
	// On a server of ours, which never syncs, copying files is the faster way.
	// Elsewhere it would make two checkpoints for each test.
	if s.server != nil && version >= 150000 {
		s.create += " STRATEGY FILE_COPY"
	}
	if _, err := s.admin.Exec(ctx, "CREATE DATABASE "+quoted); err != nil {
		return fmt.Errorf("creating the template: %w", err)
	}
	if migrate != nil {
		if err := migrate(ctx, template); err != nil {
			return fmt.Errorf("migrating the template: %w", err)
		}
	}
	if _, err := s.admin.Exec(ctx, "ALTER DATABASE "+quoted+" WITH ALLOW_CONNECTIONS false"); err != nil {
		return fmt.Errorf("closing the template: %w", err)
	}
	const breakOff = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"
	if _, err := s.admin.Exec(ctx, breakOff, s.template()); err != nil {
		return fmt.Errorf("breaking off connections to the template: %w", err)
	}
	return nil
}

func (s *source) copy(ctx context.Context, number int) (string, error) {
	name := s.name(number)
	if _, err := s.admin.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+s.create); err != nil {
		return "", fmt.Errorf("copying the template: %w", err)
	}
	return database(s.base, name)
}

// close stops a server of ours with all that is on it; on another's it drops
// the template and the copies.
func (s *source) close(ctx context.Context, copies int) error {
	var problems []error
	if s.admin != nil {
		if s.server == nil {
			problems = append(problems, s.drop(ctx, s.template()))
			for number := range copies {
				problems = append(problems, s.drop(ctx, s.name(number+1)))
			}
		}
		s.admin.Close()
	}
	if s.server != nil {
		problems = append(problems, s.server.Stop())
	}
	return errors.Join(problems...)
}

func (s *source) drop(ctx context.Context, name string) error {
	if _, err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("dropping %s: %w", name, err)
	}
	return nil
}

// replaceDatabase takes an address in either of the two forms that pgx knows,
// postgres://… and key=value.
func replaceDatabase(base, name string) (string, error) {
	if !strings.HasPrefix(base, "postgres://") && !strings.HasPrefix(base, "postgresql://") {
		return base + " dbname=" + name, nil // of two equal keys the later counts
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", errors.New("the server's address cannot be understood")
	}
	query := u.Query()
	query.Del("dbname")
	query.Del("database")
	u.Path, u.RawPath, u.RawQuery = "/"+name, "", query.Encode()
	return u.String(), nil
}
